package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Rule is what the provider checks beyond the schema, as far as it is written down here.
type Rule struct {
	MaxLength  map[string]int      `json:"max_length"`  // attribute -> longest accepted name
	OneOf      map[string][]string `json:"one_of"`      // attribute -> accepted values
	ExactlyOne [][]string          `json:"exactly_one"` // of these arguments exactly one
	AtMostOne  [][]string          `json:"at_most_one"` // of these arguments at most one
	Pattern    map[string]string   `json:"pattern"`     // attribute -> regular expression
}

type Overlay struct {
	Defaults map[string]map[string]any `json:"defaults"`
	Rules    map[string]Rule           `json:"rules"`
	ForceNew map[string][]string       `json:"force_new"`
}

func loadOverlay(path string) (*Overlay, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	o := &Overlay{}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(o); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return o, nil
}

var jsonArguments = regexp.MustCompile(`^(policy|assume_role_policy|inline_policy|access_policy|container_definitions|dashboard_body|event_pattern|redrive_policy|resource_policy)$`)
var cidrArguments = regexp.MustCompile(`^(cidr_block|cidr_ipv4|cidr_ipv6|destination_cidr_block)$`)

func (o *Overlay) check(typ string, b *Block, v tftypes.Value) []*tfprotov5.Diagnostic {
	var out []*tfprotov5.Diagnostic
	say := func(attr, format string, args ...any) {
		out = append(out, &tfprotov5.Diagnostic{Severity: tfprotov5.DiagnosticSeverityError, Summary: "Invalid " + attr,
			Detail: fmt.Sprintf(format, args...), Attribute: tftypes.NewAttributePath().WithAttributeName(attr)})
	}
	vals := asObject(v)
	for _, n := range unconfigurable(b, v, "") {
		say(strings.SplitN(n, ".", 2)[0], "Can't configure a value for %q: its value will be decided automatically based on the result of applying this configuration.", n)
	}
	for n := range b.Attributes {
		s := str(vals[n])
		if s == "" {
			continue
		}
		if jsonArguments.MatchString(n) && !json.Valid([]byte(s)) {
			say(n, "%q contains an invalid JSON policy", n)
		}
		if cidrArguments.MatchString(n) {
			p, err := netip.ParsePrefix(s)
			if err != nil {
				say(n, "%q is not a valid CIDR block", s)
			} else if p.Masked() != p {
				say(n, "%q is not a valid CIDR block; did you mean %q?", s, p.Masked())
			}
		}
	}
	r := o.Rules[typ]
	for n, max := range r.MaxLength {
		if s := str(vals[n]); len(s) > max {
			say(n, "%q cannot be longer than %d characters, it has %d: %q", n, max, len(s), s)
		}
	}
	for n, values := range r.OneOf {
		s := str(vals[n])
		ok := s == ""
		for _, x := range values {
			ok = ok || x == s
		}
		if !ok {
			say(n, "expected %s to be one of %q, got %s", n, values, s)
		}
	}
	for n, p := range r.Pattern {
		if s := str(vals[n]); s != "" && !regexp.MustCompile(p).MatchString(s) {
			say(n, "invalid value for %s: %q does not match %s", n, s, p)
		}
	}
	count := func(names []string) (set int, unknown bool) {
		for _, n := range names {
			x, ok := vals[n]
			switch {
			case !ok:
			case !x.IsKnown():
				unknown = true
			case !x.IsNull() && !(isColl(x.Type()) && len(asList(x)) == 0 && !x.Type().Is(tftypes.Map{})):
				set++
			}
		}
		return
	}
	for _, names := range r.ExactlyOne {
		if n, unknown := count(names); n > 1 || n == 0 && !unknown {
			say(names[0], "exactly one of %q must be given, %d are", names, n)
		}
	}
	for _, names := range r.AtMostOne {
		if n, _ := count(names); n > 1 {
			say(names[0], "%q exclude each other", names)
		}
	}
	return out
}

// unconfigurable lists what is set although only the provider decides it.
func unconfigurable(b *Block, v tftypes.Value, path string) []string {
	var out []string
	vals := asObject(v)
	for _, n := range sortedKeys(b.Attributes) {
		a := b.Attributes[n]
		if x, ok := vals[n]; ok && a.Computed && !a.Optional && !a.Required && !(x.IsKnown() && x.IsNull()) {
			out = append(out, path+n)
		}
	}
	for _, n := range sortedKeys(b.Nested) {
		eachNested(vals[n], func(x tftypes.Value) tftypes.Value {
			out = append(out, unconfigurable(b.Nested[n].Block, x, path+n+".")...)
			return x
		})
	}
	return out
}
