package main

import (
	"encoding/json"
	"math/big"
	"sort"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type object = map[string]tftypes.Value

func asObject(v tftypes.Value) object {
	out := object{}
	if v.IsNull() || !v.IsKnown() {
		return out
	}
	if err := v.As(&out); err != nil {
		return object{}
	}
	return out
}

func asList(v tftypes.Value) []tftypes.Value {
	var out []tftypes.Value
	if v.IsNull() || !v.IsKnown() {
		return nil
	}
	if err := v.As(&out); err != nil {
		return nil
	}
	return out
}

func str(v tftypes.Value) string {
	var s *string
	if v.Type() == nil || v.IsNull() || !v.IsKnown() || !v.Type().Is(tftypes.String) || v.As(&s) != nil || s == nil {
		return ""
	}
	return *s
}

// usable: known and not null.
func usable(v tftypes.Value) bool { return v.Type() != nil && v.IsKnown() && !v.IsNull() }

// plain turns a known value into what encoding/json makes of it; unknown parts become the word "(unknown)".
func plain(v tftypes.Value) any {
	if v.Type() == nil || (v.IsKnown() && v.IsNull()) {
		return nil
	}
	if !v.IsKnown() {
		return "(unknown)"
	}
	t := v.Type()
	switch {
	case t.Is(tftypes.String):
		return str(v)
	case t.Is(tftypes.Bool):
		var b bool
		_ = v.As(&b)
		return b
	case t.Is(tftypes.Number):
		n := big.NewFloat(0)
		_ = v.As(&n)
		return json.Number(n.Text('g', -1))
	case t.Is(tftypes.Object{}), t.Is(tftypes.Map{}):
		out := map[string]any{}
		for k, x := range asObject(v) {
			out[k] = plain(x)
		}
		return out
	default:
		out := []any{}
		for _, x := range asList(v) {
			out = append(out, plain(x))
		}
		if t.Is(tftypes.Set{}) {
			sort.Slice(out, func(i, j int) bool { return jsonText(out[i]) < jsonText(out[j]) })
		}
		return out
	}
}

func jsonText(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// fromPlain is the reverse; what does not fit the type becomes null.
func fromPlain(t tftypes.Type, v any) tftypes.Value {
	null := tftypes.NewValue(t, nil)
	if v == nil {
		return null
	}
	switch {
	case t.Is(tftypes.String):
		switch x := v.(type) {
		case string:
			return tftypes.NewValue(t, x)
		case json.Number:
			return tftypes.NewValue(t, x.String())
		}
	case t.Is(tftypes.Bool):
		if x, ok := v.(bool); ok {
			return tftypes.NewValue(t, x)
		}
	case t.Is(tftypes.Number):
		switch x := v.(type) {
		case json.Number:
			f, _, err := big.ParseFloat(x.String(), 10, 512, big.ToNearestEven)
			if err == nil {
				return tftypes.NewValue(t, f)
			}
		case float64:
			return tftypes.NewValue(t, big.NewFloat(x))
		case int:
			return tftypes.NewValue(t, big.NewFloat(float64(x)))
		}
	case t.Is(tftypes.Map{}):
		if x, ok := v.(map[string]any); ok {
			et := t.(tftypes.Map).ElementType
			out := object{}
			for k, e := range x {
				out[k] = fromPlain(et, e)
			}
			return tftypes.NewValue(t, out)
		}
	case t.Is(tftypes.Object{}):
		if x, ok := v.(map[string]any); ok {
			out := object{}
			for k, et := range t.(tftypes.Object).AttributeTypes {
				out[k] = fromPlain(et, x[k])
			}
			return tftypes.NewValue(t, out)
		}
	case t.Is(tftypes.List{}), t.Is(tftypes.Set{}):
		if x, ok := v.([]any); ok {
			out := []tftypes.Value{}
			for _, e := range x {
				out = append(out, fromPlain(elementType(t), e))
			}
			return tftypes.NewValue(t, out)
		}
	}
	return null
}

func elementType(t tftypes.Type) tftypes.Type {
	switch x := t.(type) {
	case tftypes.List:
		return x.ElementType
	case tftypes.Set:
		return x.ElementType
	case tftypes.Map:
		return x.ElementType
	}
	return nil
}

func isColl(t tftypes.Type) bool {
	return t.Is(tftypes.List{}) || t.Is(tftypes.Set{}) || t.Is(tftypes.Map{})
}
