package main

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// emptyOf is the value of something that is not set: null, but blocks are empty collections.
func emptyOf(t tftypes.Type, n *Nested) tftypes.Value {
	if n != nil && isColl(t) {
		if t.Is(tftypes.Map{}) {
			return tftypes.NewValue(t, map[string]tftypes.Value{})
		}
		return tftypes.NewValue(t, []tftypes.Value{})
	}
	return tftypes.NewValue(t, nil)
}

// eachNested calls f for every block inside the collection v and rebuilds it.
func eachNested(v tftypes.Value, f func(tftypes.Value) tftypes.Value) tftypes.Value {
	if !usable(v) {
		return v
	}
	t := v.Type()
	switch {
	case t.Is(tftypes.Object{}):
		return f(v)
	case t.Is(tftypes.Map{}):
		out := object{}
		for k, x := range asObject(v) {
			out[k] = f(x)
		}
		return tftypes.NewValue(t, out)
	default:
		out := []tftypes.Value{}
		for _, x := range asList(v) {
			out = append(out, f(x))
		}
		return tftypes.NewValue(t, out)
	}
}

// planBlock plans a creation: what is not configured gets its default, else is unknown when the provider computes it.
func (s *server) planBlock(b *Block, v tftypes.Value, defaults map[string]any) tftypes.Value {
	if !usable(v) {
		return v
	}
	vals := asObject(v)
	for n, a := range b.Attributes {
		if a.WriteOnly {
			vals[n] = tftypes.NewValue(a.typ, nil)
			continue
		}
		if !vals[n].IsKnown() || !vals[n].IsNull() {
			continue
		}
		if d, ok := defaults[n]; ok {
			vals[n] = fromPlain(a.typ, d)
		} else if n == "region" && a.Computed {
			vals[n] = tftypes.NewValue(a.typ, s.region)
		} else if a.Computed {
			vals[n] = tftypes.NewValue(a.typ, tftypes.UnknownValue)
		}
	}
	for n, nb := range b.Nested {
		inner, _ := defaults[n].(map[string]any)
		vals[n] = eachNested(vals[n], func(x tftypes.Value) tftypes.Value { return s.planBlock(nb.Block, x, inner) })
	}
	if tags, ok := vals["tags_all"]; ok && b.Attributes["tags"] != nil && !tags.IsKnown() {
		vals["tags_all"] = s.allTags(vals["tags"], tags.Type())
	}
	return tftypes.NewValue(v.Type(), vals)
}

// planUpdate keeps what is known; what was never computed stays empty.
func (s *server) planUpdate(b *Block, prior, v tftypes.Value, defaults map[string]any) tftypes.Value {
	vals, had := asObject(v), asObject(prior)
	for n, a := range b.Attributes {
		if a.WriteOnly {
			vals[n] = tftypes.NewValue(a.typ, nil)
		} else if d, ok := defaults[n]; ok && vals[n].IsKnown() && vals[n].IsNull() {
			vals[n] = fromPlain(a.typ, d)
		}
	}
	for n, nb := range b.Nested {
		if vals[n].Equal(had[n]) {
			continue
		}
		inner, _ := defaults[n].(map[string]any)
		vals[n] = eachNested(vals[n], func(x tftypes.Value) tftypes.Value { return s.planBlock(nb.Block, x, inner) })
		if now, was := nestedKnown(vals[n], had[n]); now == was {
			vals[n] = had[n]
		}
	}
	if _, ok := vals["tags_all"]; ok && b.Attributes["tags"] != nil {
		vals["tags_all"] = s.allTags(vals["tags"], b.Attributes["tags_all"].typ)
	}
	return tftypes.NewValue(v.Type(), vals)
}

// nestedKnown compares blocks by what is configured in them: computed members count only where both sides know them.
func nestedKnown(a, b tftypes.Value) (string, string) {
	x, y := plain(a), plain(b)
	var level func(x, y any) (any, any)
	level = func(x, y any) (any, any) {
		switch p := x.(type) {
		case map[string]any:
			q, ok := y.(map[string]any)
			if !ok {
				return x, y
			}
			for k := range p {
				if p[k] == "(unknown)" {
					p[k] = q[k]
				}
				p[k], q[k] = level(p[k], q[k])
			}
		case []any:
			q, ok := y.([]any)
			if ok && len(p) == len(q) {
				for i := range p {
					p[i], q[i] = level(p[i], q[i])
				}
			}
		}
		return x, y
	}
	x, y = level(x, y)
	return jsonText(x), jsonText(y)
}

// allTags: the provider's default tags, and the resource's own over them.
func (s *server) allTags(own tftypes.Value, t tftypes.Type) tftypes.Value {
	if !own.IsFullyKnown() {
		return tftypes.NewValue(t, tftypes.UnknownValue)
	}
	all := map[string]any{}
	for k, v := range s.defaultTags {
		all[k] = v
	}
	if m, ok := plain(own).(map[string]any); ok {
		for k, v := range m {
			all[k] = v
		}
	}
	return fromPlain(t, all)
}

// knownInPlan: the few computed values that the real provider knows before apply and that configurations rely on (for_each).
func (s *server) knownInPlan(typ string, b *Block, v tftypes.Value) tftypes.Value {
	if typ != "aws_acm_certificate" {
		return v
	}
	vals := asObject(v)
	names := []string{}
	if d := str(vals["domain_name"]); d != "" {
		names = append(names, d)
	}
	if !vals["subject_alternative_names"].IsFullyKnown() {
		vals["subject_alternative_names"] = vals["subject_alternative_names"].Copy()
	} else {
		for _, x := range asList(vals["subject_alternative_names"]) {
			names = append(names, str(x))
		}
	}
	t := b.Attributes["domain_validation_options"].typ
	et := elementType(t).(tftypes.Object)
	seen, out := map[string]bool{}, []tftypes.Value{}
	for _, n := range names {
		if seen[n] {
			continue
		}
		seen[n] = true
		row := object{}
		for k, at := range et.AttributeTypes {
			row[k] = tftypes.NewValue(at, tftypes.UnknownValue)
		}
		row["domain_name"] = tftypes.NewValue(tftypes.String, n)
		out = append(out, tftypes.NewValue(et, row))
	}
	if len(out) > 0 && strings.EqualFold(str(vals["validation_method"]), "DNS") {
		vals["domain_validation_options"] = tftypes.NewValue(t, out)
	}
	return tftypes.NewValue(v.Type(), vals)
}

// fillBlock replaces every unknown by a value of the right shape.
func (s *server) fillBlock(typ string, b *Block, v tftypes.Value) tftypes.Value {
	if !v.IsKnown() {
		return s.made(typ, "", nil, v.Type(), nil)
	}
	vals := asObject(v)
	if typ == "aws_ssm_parameter" && str(vals["type"]) != "SecureString" {
		// one value under two names
		if a, b := vals["value"], vals["insecure_value"]; !a.IsKnown() && usable(b) {
			vals["value"] = b
		} else if !b.IsKnown() && usable(a) {
			vals["insecure_value"] = a
		}
	}
	seed := plainKnown(vals)
	// names and ids first: other values are derived from them
	for _, n := range append([]string{"name", "id", "arn"}, sortedKeys(b.Attributes)...) {
		a := b.Attributes[n]
		if a == nil {
			continue
		}
		vals[n] = s.fillValue(typ, n, a, vals[n], seed)
		if p := plain(vals[n]); p != nil && (n == "name" || n == "id" || n == "arn") {
			seed[n] = p
		}
	}
	for n, nb := range b.Nested {
		nested := vals[n]
		if !nested.IsKnown() {
			vals[n] = emptyOf(nested.Type(), nb)
			continue
		}
		vals[n] = eachNested(nested, func(x tftypes.Value) tftypes.Value { return s.fillBlock(typ+"."+n, nb.Block, x) })
	}
	return tftypes.NewValue(v.Type(), vals)
}

func (s *server) fillValue(typ, name string, a *Attribute, v tftypes.Value, seed map[string]any) tftypes.Value {
	if v.IsFullyKnown() {
		return v
	}
	if v.IsKnown() { // a collection with unknown parts
		t := v.Type()
		switch {
		case t.Is(tftypes.Object{}):
			out := object{}
			for k, x := range asObject(v) {
				out[k] = s.fillValue(typ, k, a, x, seed)
			}
			return tftypes.NewValue(t, out)
		case t.Is(tftypes.Map{}):
			out := object{}
			for k, x := range asObject(v) {
				out[k] = s.fillValue(typ, k, a, x, seed)
			}
			return tftypes.NewValue(t, out)
		default:
			out := []tftypes.Value{}
			for _, x := range asList(v) {
				out = append(out, s.fillValue(typ, name, a, x, seed))
			}
			return tftypes.NewValue(t, out)
		}
	}
	return s.made(typ, name, a, v.Type(), seed)
}

// plainKnown: the known part of an object, as the seed that its computed values are derived from.
func plainKnown(vals object) map[string]any {
	out := map[string]any{}
	for k, v := range vals {
		if usable(v) && v.IsFullyKnown() {
			out[k] = plain(v)
		}
	}
	return out
}
