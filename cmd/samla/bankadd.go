package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"samla/internal/durable"
	"samla/internal/profile"
)

type bankAddCmd struct {
	Company string `arg:"" help:"The company, as samla bank list shows it."`
	File    string `help:"Banks file; it is created if there is none." default:"banks.json" type:"path"`
}

// Run adds the entry, and prints what the operator has to do.
func (c *bankAddCmd) Run(a *app) error {
	p, found := profile.Find(c.Company)
	if !found {
		return fmt.Errorf("there is no profile of %q: samla bank list shows those that there are; docs/adding-a-bank.md says how to write an entry by hand", c.Company)
	}
	if short, why := p.Today(familyNames()); p.Entry == nil || why != "" {
		if short == "through a gateway" {
			why += "; samla gateway enablebanking setup opens it, with all banks of the gateway"
		}
		return fmt.Errorf("%s cannot be added: %s", p.Company, why)
	}
	switch err := addTo(c.File, p); {
	case errors.Is(err, profile.ErrThere):
		fmt.Fprintf(a.out, "%s has an entry of %s already, which stays as it is. ", c.File, p.Company)
		if todo, err := unfilled(c.File, p.Company); err != nil || len(todo) == 0 {
			fmt.Fprintf(a.out, "Next: samla bank check %s\n", c.File)
			return err
		}
		fmt.Fprintln(a.out, "To begin again, remove it and run this once more.")
	case err != nil:
		return fmt.Errorf("%s: %w", c.File, err)
	default:
		fmt.Fprintf(a.out, "%s has an entry of %s, family %s.\n", c.File, p.Company, p.Family)
	}
	if len(p.Needs) > 0 {
		if err := printNeeds(a, "\nIt still needs:", p.Needs, c.File); err != nil {
			return err
		}
	}
	if p.Capabilities["redirect"].Value == "yes" {
		fmt.Fprintf(a.out, "\nPersons come back from the bank's page to URL/callback/%s, where URL is --public-url of samla serve: register it with the bank.\n", p.Company)
	}
	if doubtful := p.Doubtful(); len(doubtful) > 0 {
		fmt.Fprintln(a.out, "\nCompare these with the bank's documentation; they are not from the bank itself:")
		t := table{columns: make([]column, 2)}
		for _, f := range doubtful {
			t.rows = append(t.rows, []string{"  " + strings.Join(f.Sets, " "), fmt.Sprintf("%s: %s (%s)", f.About, f.Text, f.Mark.Words())})
		}
		if err := t.print(a.out); err != nil {
			return err
		}
	}
	if len(p.Open) > 0 {
		fmt.Fprintf(a.out, "\nNot known: %s.\n", strings.Join(p.Open, "; "))
	}
	fmt.Fprintf(a.out, "\nNothing was tried against the real bank. Then: samla bank check %s\n", c.File)
	return nil
}

// printNeeds prints what entries of a banks file need.
func printNeeds(a *app, head string, needs []profile.Need, file string) error {
	fmt.Fprintln(a.out, head)
	t := table{columns: make([]column, 2)}
	for _, n := range needs {
		t.rows = append(t.rows, []string{"  " + n.At, n.What})
	}
	if err := t.print(a.out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.out, "Put the files into %s, or write their paths into the entry.\n", filepath.Dir(file))
	return err
}

// addTo writes the file with one more entry. It can hold secrets, such as headers: a new
// one is for its owner only.
func addTo(path string, p profile.Profile) error {
	return change(path, func(old []byte) ([]byte, error) { return profile.Add(old, p) })
}

// unfilled returns the pointers of what is not filled in in the entry of a company.
func unfilled(path, company string) ([]string, error) {
	text, err := os.ReadFile(path)
	return profile.Unfilled(profile.EntryOf(text, company)), err
}

// change writes the file as by makes it of what it is.
func change(path string, by func(old []byte) ([]byte, error)) error {
	old, err := os.ReadFile(path)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err != nil && !isNew {
		return errors.New("it cannot be read")
	}
	text, err := by(old)
	if err != nil {
		return err
	}
	if isNew {
		return durable.Create(path, text)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := durable.Replace(path, text); err != nil {
		return err
	}
	return os.Chmod(path, info.Mode().Perm())
}
