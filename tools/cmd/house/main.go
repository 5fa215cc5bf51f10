// Command house checks what the linters cannot state (.golangci.yml) and what the
// import rules cannot say of themselves (.go-arch-lint.yml):
//
//   - that the import rules and the floors of ARCHITECTURE.md agree: each package
//     is on one floor, and the rules allow no import of a higher floor;
//   - that the import rules allow nothing that no file uses;
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
	"io/fs"
	"os"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	broken, err := check(os.DirFS(root))
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

const (
	rulesFile  = ".go-arch-lint.yml"
	floorsFile = "ARCHITECTURE.md"
)

func check(root fs.FS) ([]Broken, error) {
	text, err := fs.ReadFile(root, rulesFile)
	if err != nil {
		return nil, err
	}
	rules, err := ReadRules(text)
	if err != nil {
		return nil, err
	}
	text, err = fs.ReadFile(root, floorsFile)
	if err != nil {
		return nil, err
	}
	floors, err := ReadFloors(string(text))
	if err != nil {
		return nil, err
	}
	tree, err := ReadTree(root)
	if err != nil {
		return nil, err
	}
	return Check(rules, floors, tree), nil
}
