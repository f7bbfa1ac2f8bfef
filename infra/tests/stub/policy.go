package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// policyDocument renders aws_iam_policy_document as the provider does: one value stands alone, several are a list,
// statements with the same Sid replace each other in override documents and collide in source documents.
func policyDocument(in map[string]any) (string, error) {
	type doc struct {
		Version   string           `json:"Version,omitempty"`
		ID        string           `json:"Id,omitempty"`
		Statement []map[string]any `json:"Statement"`
	}
	out := doc{Version: "2012-10-17", Statement: []map[string]any{}}
	if v, ok := in["version"].(string); ok {
		out.Version = v
	}
	if v, ok := in["policy_id"].(string); ok {
		out.ID = v
	}
	add := func(st map[string]any, replace bool) error {
		if sid, _ := st["Sid"].(string); sid != "" {
			for i, have := range out.Statement {
				if have["Sid"] == sid {
					if !replace {
						return fmt.Errorf("duplicate Sid (%s) in the statements", sid)
					}
					out.Statement[i] = st
					return nil
				}
			}
		}
		out.Statement = append(out.Statement, st)
		return nil
	}
	merge := func(key string, replace bool) error {
		for _, text := range strs(in[key]) {
			if text == "" {
				continue
			}
			var d struct{ Statement json.RawMessage }
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			var many []map[string]any
			if err := json.Unmarshal(d.Statement, &many); err != nil {
				one := map[string]any{}
				if err := json.Unmarshal(d.Statement, &one); err != nil {
					return fmt.Errorf("%s: %w", key, err)
				}
				many = append(many, one)
			}
			for _, st := range many {
				if err := add(st, replace); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := merge("source_policy_documents", false); err != nil {
		return "", err
	}
	for _, raw := range list(in["statement"]) {
		st, _ := raw.(map[string]any)
		r := map[string]any{"Effect": "Allow"}
		if v, ok := st["effect"].(string); ok {
			if v != "Allow" && v != "Deny" {
				return "", fmt.Errorf("expected effect to be one of [Allow Deny], got %s", v)
			}
			r["Effect"] = v
		}
		if v, ok := st["sid"].(string); ok && v != "" {
			r["Sid"] = v
		}
		for key, name := range map[string]string{"actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource"} {
			if v := strs(st[key]); len(v) > 0 {
				r[name] = oneOrMany(v, key == "resources" || key == "not_resources")
			}
		}
		if r["Action"] == nil && r["NotAction"] == nil {
			return "", fmt.Errorf("a statement has neither actions nor not_actions")
		}
		for key, name := range map[string]string{"principals": "Principal", "not_principals": "NotPrincipal"} {
			if v := principals(list(st[key])); v != nil {
				r[name] = v
			}
		}
		conds := map[string]map[string]any{}
		for _, raw := range list(st["condition"]) {
			c, _ := raw.(map[string]any)
			test, variable := fmt.Sprint(c["test"]), fmt.Sprint(c["variable"])
			if conds[test] == nil {
				conds[test] = map[string]any{}
			}
			conds[test][variable] = oneOrMany(strs(c["values"]), true)
		}
		if len(conds) > 0 {
			r["Condition"] = conds
		}
		if err := add(r, false); err != nil {
			return "", err
		}
	}
	if err := merge("override_policy_documents", true); err != nil {
		return "", err
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		return "", err
	}
	return strings.TrimSpace(buf.String()), nil
}

func list(v any) []any { l, _ := v.([]any); return l }

func oneOrMany(v []string, variables bool) any {
	out := []any{}
	sort.Strings(v)
	for _, x := range v {
		if variables {
			x = strings.ReplaceAll(x, "&{", "${")
		}
		out = append(out, x)
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}

func principals(blocks []any) any {
	if len(blocks) == 0 {
		return nil
	}
	out := map[string][]string{}
	for _, raw := range blocks {
		p, _ := raw.(map[string]any)
		kind := fmt.Sprint(p["type"])
		ids := strs(p["identifiers"])
		if kind == "*" && len(ids) == 1 && ids[0] == "*" {
			return "*"
		}
		out[kind] = append(out[kind], ids...)
	}
	r := map[string]any{}
	for k, v := range out {
		r[k] = oneOrMany(v, false)
	}
	return r
}

func indent(text string) string {
	var buf bytes.Buffer
	if json.Indent(&buf, []byte(text), "", "  ") != nil {
		return text
	}
	return buf.String()
}
