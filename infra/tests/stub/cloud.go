package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// cloud remembers applied objects in a folder, one file each, so that another stack's data sources find them.
type cloud struct{ dir string }

func (c cloud) file(typ string, v tftypes.Value) string {
	vals := asObject(v)
	id := str(vals["id"])
	if id == "" {
		id = str(vals["arn"])
	}
	region := str(vals["region"])
	m := &maker{}
	return filepath.Join(c.dir, typ, m.hash(region, id)[:24]+".json")
}

func (c cloud) remember(typ string, v tftypes.Value) {
	if c.dir == "" {
		return
	}
	f := c.file(typ, v)
	if err := os.MkdirAll(filepath.Dir(f), 0o755); err == nil {
		_ = os.WriteFile(f, []byte(jsonText(plain(v))), 0o600)
	}
}

// recall returns what the folder holds of an object, nil when it was taken away, and whether the folder is to be believed: only a folder
// that holds or held objects of the type is.
func (c cloud) recall(typ string, v tftypes.Value) (any, bool) {
	if c.dir == "" {
		return nil, false
	}
	f := c.file(typ, v)
	if _, err := os.Stat(filepath.Dir(f)); err != nil {
		return nil, false
	}
	text, err := os.ReadFile(f)
	if err != nil {
		return nil, os.IsNotExist(err)
	}
	return decoded(text)
}

func decoded(text []byte) (map[string]any, bool) {
	out := map[string]any{}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	return out, d.Decode(&out) == nil
}

func (c cloud) forget(typ string, v tftypes.Value) {
	if c.dir != "" {
		_ = os.Remove(c.file(typ, v))
	}
}

// find returns the objects of a type whose values agree with everything asked for.
func (c cloud) find(typ string, want map[string]any) []map[string]any {
	var out []map[string]any
	if c.dir == "" {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(c.dir, typ, "*.json"))
	sort.Strings(files)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		have, ok := decoded(text)
		for k, w := range want {
			ok = ok && agrees(have[k], w)
		}
		if ok {
			out = append(out, have)
		}
	}
	return out
}

func agrees(have, want any) bool {
	if w, ok := want.(map[string]any); ok {
		h, _ := have.(map[string]any)
		for k, x := range w {
			if !agrees(h[k], x) {
				return false
			}
		}
		return true
	}
	return jsonText(have) == jsonText(want)
}
