package main

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strconv"
)

// wall are the functions of package time that read or wait on the machine's
// clock; a test or the sandbox could not drive them.
var wall = []string{
	"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until",
}

// handed are the names of math/rand that make a source of the caller's own; all
// other functions of it draw from the global one.
var handed = []string{
	"New", "NewSource", "NewPCG", "NewChaCha8", "NewZipf",
	"Rand", "Source", "Source64", "PCG", "ChaCha8", "Zipf",
}

// clocks finds time and chance that come from the machine instead of the caller.
func clocks(c *Config, f *File) []Broken {
	if f.Test {
		return nil
	}
	times, chances := map[string]bool{}, map[string]bool{}
	for _, spec := range f.Syntax.Imports {
		full, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		switch full {
		case "time":
			times[called(spec, "time")] = true
		case "math/rand", "math/rand/v2":
			chances[called(spec, "rand")] = true
		}
	}
	var broken []Broken
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		// A resolved name is a variable that hides the package.
		if !ok || x.Obj != nil {
			return true
		}
		line := f.Set.Position(sel.Pos()).Line
		switch name := sel.Sel.Name; {
		case times[x.Name] && slices.Contains(wall, name) && !covered(f.Package, c.WallClock):
			broken = append(broken, Broken{f.Path, line, fmt.Sprintf("time.%s: take the time from a clock.Clock that is handed in", name)})
		case chances[x.Name] && !slices.Contains(handed, name) && !covered(f.Package, c.Chance):
			broken = append(broken, Broken{f.Path, line, fmt.Sprintf("rand.%s draws from the global source: take a source that is handed in", name)})
		}
		return true
	})
	return broken
}

// called is the name an import has in its file.
func called(spec *ast.ImportSpec, name string) string {
	if spec.Name != nil {
		return path.Base(spec.Name.Name)
	}
	return name
}
