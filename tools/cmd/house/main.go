// Command house checks the rules of the house that no compiler knows: which floor
// may import which, how long a file may be, what a package must say about itself,
// and where the time of day may come from. The plan is data: the file .house at
// the module's root.
//
//	house [ROOT]
//
// It prints one line for each broken rule (file:line: message) and ends with
// status 1 when there is any.
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
