package main

import (
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Rules are the import rules of .go-arch-lint.yml: which component may import
// which. A component is a package, with the packages below it if its folder ends
// with "/**"; these may import each other if the component may import itself.
type Rules struct {
	Components map[string]Component
	Deps       map[string]struct {
		AnyProject bool     `yaml:"anyProjectDeps"`
		May        []string `yaml:"mayDependOn"`
	}
	lines map[string]int // of each component's own rule, or of its declaration
}

// Component is a part of the project.
type Component struct {
	In string
}

// ReadRules reads .go-arch-lint.yml. go-arch-lint itself refuses what it does not
// know.
func ReadRules(text []byte) (*Rules, error) {
	var r Rules
	var doc struct{ Components, Deps yaml.Node }
	for _, into := range []any{&r, &doc} {
		if err := yaml.Unmarshal(text, into); err != nil {
			return nil, fmt.Errorf("%s: %w", rulesFile, err)
		}
	}
	if len(r.Components) == 0 {
		return nil, fmt.Errorf("%s: no components", rulesFile)
	}
	r.lines = map[string]int{}
	for _, node := range []yaml.Node{doc.Components, doc.Deps} {
		for i := 0; i+1 < len(node.Content); i += 2 {
			r.lines[node.Content[i].Value] = node.Content[i].Line
		}
	}
	return &r, nil
}

// component returns the component of a package, empty if it has none.
func (r *Rules) component(pkg string) string {
	best, name := -1, ""
	for n, c := range r.Components {
		folder, below := strings.CutSuffix(c.In, "/**")
		if pkg != folder && !(below && strings.HasPrefix(pkg, folder+"/")) {
			continue
		}
		if len(folder) > best {
			best, name = len(folder), n
		}
	}
	return name
}

// agree checks the import rules against the floors: the same packages, and no
// import upwards.
func agree(r *Rules, plan Floors) []Broken {
	var broken []Broken
	say := func(name, format string, args ...any) {
		broken = append(broken, Broken{rulesFile, r.lines[name], fmt.Sprintf(format, args...)})
	}
	for name, c := range r.Components {
		if _, ok := plan[name]; !ok {
			say(name, "%s is on no floor of %s", name, floorsFile)
		}
		if folder := strings.TrimSuffix(c.In, "/**"); folder != name && folder != path.Join("internal", name) {
			say(name, "%s is in %s: name it by its folder", name, c.In)
		}
	}
	for name, floor := range plan {
		if _, ok := r.Components[name]; !ok {
			broken = append(broken, Broken{floorsFile, floor.Line, fmt.Sprintf("%s is no component of %s", name, rulesFile)})
		}
	}
	for name, dep := range r.Deps {
		from := plan[name]
		if dep.AnyProject && from.Number != tests {
			say(name, "%s may import anything: only tests may", name)
		}
		for _, other := range dep.May {
			to, ok := plan[other]
			switch {
			case !ok: // said above
			case to.Number > from.Number:
				say(name, "%s may not import %s of a higher floor", name, other)
			case from.Island && to.Number > 0 && other != name:
				say(name, "%s is an island: it imports floor 0 and itself, not %s", name, other)
			}
		}
	}
	return broken
}

// unused finds what the import rules allow and no file needs.
func unused(r *Rules, t *Tree) []Broken {
	used := map[[2]string]bool{}
	for _, f := range t.Files {
		for _, imported := range f.Imports {
			used[[2]string{r.component(f.Package), r.component(imported)}] = true
		}
	}
	var broken []Broken
	for name, dep := range r.Deps {
		for _, other := range dep.May {
			if !used[[2]string{name, other}] {
				broken = append(broken, Broken{rulesFile, r.lines[name], fmt.Sprintf("%s does not import %s: remove it from the rule", name, other)})
			}
		}
	}
	return broken
}
