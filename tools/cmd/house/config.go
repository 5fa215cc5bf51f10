package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Config is the content of .house. Package names in it are paths below the module
// ("internal/clock", "cmd/samla").
type Config struct {
	Floors   map[string]int
	Arrows   map[string][]string
	Islands  []string
	TestOnly []string
}

// ReadConfig reads .house: one rule a line, a word and its arguments; # begins a
// comment. An unknown word is an error, so that a misspelled rule is not skipped,
// and so is a package on two floors.
func ReadConfig(r io.Reader) (*Config, error) {
	c := &Config{Floors: map[string]int{}, Arrows: map[string][]string{}}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if len(words) < 2 {
			return nil, fmt.Errorf("line %d: %q needs an argument", n, words[0])
		}
		if err := c.rule(words[0], words[1:]); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return c, lines.Err()
}

func (c *Config) rule(word string, args []string) error {
	switch word {
	case "floor":
		return c.floor(args[0], args[1:])
	case "arrow":
		from := place(args[0])
		c.Arrows[from] = append(c.Arrows[from], places(args[1:])...)
	case "island":
		c.Islands = append(c.Islands, places(args)...)
	case "testonly":
		c.TestOnly = append(c.TestOnly, places(args)...)
	default:
		return fmt.Errorf("unknown rule %q", word)
	}
	return nil
}

func (c *Config) floor(number string, names []string) error {
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 {
		return fmt.Errorf("floor %q is not a number", number)
	}
	for _, p := range places(names) {
		if had, ok := c.Floors[p]; ok {
			return fmt.Errorf("%s is on floor %d already", p, had)
		}
		c.Floors[p] = n
	}
	return nil
}

// place turns a name of .house into a path below the module.
func place(name string) string {
	if rest, ok := strings.CutPrefix(name, "/"); ok {
		return rest
	}
	return "internal/" + name
}

func places(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = place(n)
	}
	return out
}

// room returns the longest name with a floor that is the package or a folder above
// it.
func (c *Config) room(pkg string) (name string, ok bool) {
	for p := pkg; p != ""; p = parent(p) {
		if _, ok := c.Floors[p]; ok {
			return p, true
		}
	}
	return "", false
}

// covered reports whether one of the names is the package or a folder above it.
func covered(pkg string, names []string) bool {
	for p := pkg; p != ""; p = parent(p) {
		if slices.Contains(names, p) {
			return true
		}
	}
	return false
}

func parent(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return ""
}
