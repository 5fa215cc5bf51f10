// Command house checks what the linters of .golangci.yml cannot state:
//
//   - which package may import which, by the floors of .house;
//   - that a package whose files are all tests has a comment;
//   - leftovers and length of files that are not Go.
//
// Usage:
//
//	house [ROOT]
//
// It prints one line for each broken rule (file:line: message) and exits with
// status 1 when there is one.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	broken, err := check(root)
	if err != nil {
		fmt.Fprintln(os.Stderr, "house:", err)
		os.Exit(2)
	}
	for _, b := range broken {
		fmt.Println(b)
	}
	if len(broken) > 0 {
		os.Exit(1)
	}
}

func check(root string) ([]Broken, error) {
	plan, err := os.Open(filepath.Join(root, ".house"))
	if err != nil {
		return nil, err
	}
	defer plan.Close()
	config, err := ReadConfig(plan)
	if err != nil {
		return nil, fmt.Errorf(".house: %w", err)
	}
	tree, err := ReadTree(os.DirFS(root))
	if err != nil {
		return nil, err
	}
	return Check(config, tree), nil
}
