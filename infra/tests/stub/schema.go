package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Attribute, Nested and Block mirror `terraform providers schema -json`, which is what extract.py writes.
type Attribute struct {
	Type      json.RawMessage `json:"type"`
	Required  bool            `json:"required"`
	Optional  bool            `json:"optional"`
	Computed  bool            `json:"computed"`
	Sensitive bool            `json:"sensitive"`
	WriteOnly bool            `json:"write_only"`

	typ tftypes.Type
}

type Nested struct {
	Mode  string `json:"nesting_mode"`
	Block *Block `json:"block"`
	Min   int64  `json:"min_items"`
	Max   int64  `json:"max_items"`
}

type Block struct {
	Attributes map[string]*Attribute `json:"attributes"`
	Nested     map[string]*Nested    `json:"block_types"`
}

// Schemas holds what the modules under test use; a type that the provider does not have stays unknown.
type Schemas struct {
	Provider *Block
	Resource map[string]*Block
	Data     map[string]*Block
}

var usedType = regexp.MustCompile(`(?:resource|data|mock_resource|mock_data|override_resource|override_data)\s+"(aws_\w+)"`)

var word = regexp.MustCompile(`\w+`)

// typesUsed reads the type names, and all words, out of every .tf and .hcl file below the given folders.
func typesUsed(roots string) (used, words map[string]bool, err error) {
	used, words = map[string]bool{}, map[string]bool{}
	for _, root := range filepath.SplitList(roots) {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if d.Name() == ".terraform" || d.Name() == "node_modules" {
					return filepath.SkipDir
				}
				return nil
			}
			if !strings.HasSuffix(path, ".tf") && !strings.HasSuffix(path, ".hcl") && !strings.HasSuffix(path, ".tf.json") {
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range usedType.FindAllStringSubmatch(string(text), -1) {
				used[m[1]] = true
			}
			for _, w := range word.FindAllString(string(text), -1) {
				words[w] = true
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return used, words, nil
}

// prune drops blocks inside blocks whose name stands nowhere in the configuration: nobody can miss them, and a web ACL has
// thousands. A name that somebody does write, rightly or wrongly, is kept, so what Terraform says about it does not change.
func (b *Block) prune(words map[string]bool, depth int) {
	for name, n := range b.Nested {
		if depth > 0 && n.Min == 0 && !words[name] {
			delete(b.Nested, name)
			continue
		}
		n.Block.prune(words, depth+1)
	}
}

func loadSchemas(dir, scan string) (*Schemas, error) {
	var used, words map[string]bool
	if scan != "" {
		var err error
		if used, words, err = typesUsed(scan); err != nil {
			return nil, err
		}
	}
	s := &Schemas{Resource: map[string]*Block{}, Data: map[string]*Block{}}
	var err error
	if s.Provider, err = loadBlock(filepath.Join(dir, "provider.json")); err != nil {
		return nil, err
	}
	for sort, into := range map[string]map[string]*Block{"resource": s.Resource, "data": s.Data} {
		files, err := filepath.Glob(filepath.Join(dir, sort, "*.json"))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			name := strings.TrimSuffix(filepath.Base(f), ".json")
			if used != nil && !used[name] {
				continue
			}
			b, err := loadBlock(f)
			if err != nil {
				return nil, err
			}
			if words != nil {
				b.prune(words, 0)
			}
			into[name] = b
		}
	}
	return s, nil
}

func loadBlock(path string) (*Block, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	b := &Block{}
	if err := json.Unmarshal(text, b); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := b.resolve(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

func (b *Block) resolve() error {
	for name, a := range b.Attributes {
		t, err := tftypes.ParseJSONType(a.Type) //nolint:staticcheck // the only parser of this notation
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		a.typ = t
	}
	for name, n := range b.Nested {
		if n.Block == nil {
			n.Block = &Block{}
		}
		if err := n.Block.resolve(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (b *Block) schemaBlock() *tfprotov5.SchemaBlock {
	out := &tfprotov5.SchemaBlock{}
	for _, name := range sortedKeys(b.Attributes) {
		a := b.Attributes[name]
		out.Attributes = append(out.Attributes, &tfprotov5.SchemaAttribute{
			Name: name, Type: a.typ, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
			Sensitive: a.Sensitive, WriteOnly: a.WriteOnly,
		})
	}
	for _, name := range sortedKeys(b.Nested) {
		n := b.Nested[name]
		mode := map[string]tfprotov5.SchemaNestedBlockNestingMode{
			"single": tfprotov5.SchemaNestedBlockNestingModeSingle,
			"list":   tfprotov5.SchemaNestedBlockNestingModeList,
			"set":    tfprotov5.SchemaNestedBlockNestingModeSet,
			"map":    tfprotov5.SchemaNestedBlockNestingModeMap,
		}[n.Mode]
		nb := &tfprotov5.SchemaNestedBlock{TypeName: name, Nesting: mode, Block: n.Block.schemaBlock()}
		if n.Mode == "list" || n.Mode == "set" {
			nb.MinItems, nb.MaxItems = n.Min, n.Max
		}
		out.BlockTypes = append(out.BlockTypes, nb)
	}
	return out
}

func (b *Block) schema() *tfprotov5.Schema { return &tfprotov5.Schema{Block: b.schemaBlock()} }

func (b *Block) valueType() tftypes.Type { return b.schema().ValueType() }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
