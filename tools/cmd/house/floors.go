package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// floors checks the imports of a file.
func floors(c *Config, t *Tree, f *File) []Broken {
	var broken []Broken
	for _, spec := range f.Syntax.Imports {
		full, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		target, ours := strings.CutPrefix(full, t.Module+"/")
		if !ours {
			continue
		}
		if why := forbidden(c, f, target); why != "" {
			line := f.Set.Position(spec.Pos()).Line
			broken = append(broken, Broken{f.Path, line, why})
		}
	}
	return broken
}

// forbidden returns why a file may not import a package, or the empty text.
func forbidden(c *Config, f *File, target string) string {
	from := f.Package
	if f.Test || covered(from, c.TestOnly) && covered(target, c.TestOnly) {
		return ""
	}
	if covered(target, c.TestOnly) {
		return fmt.Sprintf("%s is for tests only", target)
	}
	mine, planned := c.room(from)
	if !planned { // a package of the tests, or one that packages() reports
		return ""
	}
	theirs, planned := c.room(target)
	switch {
	case !planned:
		return fmt.Sprintf("%s has no floor in .house", target)
	case mine == theirs:
		return ""
	}
	if island, ok := islandOf(c, from); ok {
		if covered(target, []string{island}) || c.Floors[theirs] == 0 {
			return ""
		}
		return fmt.Sprintf("%s is an island: it imports floor 0 and itself, not %s", island, target)
	}
	switch {
	case slices.Contains(c.Arrows[mine], theirs):
		return ""
	case c.Floors[theirs] == c.Floors[mine]:
		return fmt.Sprintf("%s and %s are on the same floor (%d) and no arrow leads from one to the other", from, target, c.Floors[mine])
	case c.Floors[theirs] > c.Floors[mine]:
		return fmt.Sprintf("%s (floor %d) imports upwards: %s is on floor %d", from, c.Floors[mine], target, c.Floors[theirs])
	}
	return ""
}

func islandOf(c *Config, pkg string) (string, bool) {
	for _, island := range c.Islands {
		if covered(pkg, []string{island}) {
			return island, true
		}
	}
	return "", false
}
