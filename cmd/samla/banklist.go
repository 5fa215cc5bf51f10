package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"samla/internal/institution/families"
	"samla/internal/profile"
)

type bankListCmd struct {
	Country string `help:"Show the banks of this country only, such as SE, and the gateways."`
}

// Run prints the profiles.
func (c *bankListCmd) Run(a *app) error {
	t := table{columns: []column{{head: "COMPANY"}, {head: "NAME", most: 30}, {head: "FAMILY"}, {head: "SURE"}, {head: "TODAY"}}}
	known := familyNames()
	for _, p := range profile.All() {
		if c.Country != "" && !strings.EqualFold(p.Country, c.Country) && p.Kind != "gateway" {
			continue
		}
		short, _ := p.Today(known)
		t.rows = append(t.rows, []string{p.Company, p.Name, cmp.Or(p.Family, "-"), p.Sure().Words(), short})
	}
	if !slices.ContainsFunc(t.rows, func(row []string) bool { return !strings.HasPrefix(row[0], "eu-") }) {
		return fmt.Errorf("no bank of %s has a profile: --country is a code of two letters, such as SE", strings.ToUpper(c.Country))
	}
	slices.SortFunc(t.rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	if err := t.print(a.out); err != nil {
		return err
	}
	_, err := fmt.Fprint(a.out, "\nSURE is how sure its entry is: seen in the bank's own words, third party, or unconfirmed.\n"+
		"Nothing was tried against a real bank. What each can do: docs/coverage.md. To add one: samla bank add COMPANY\n")
	return err
}

// familyNames returns the names of the families that this program has.
func familyNames() []string {
	var names []string
	for _, f := range families.All() {
		names = append(names, f.Name)
	}
	return names
}
