package main

import (
	"fmt"

	"samla/internal/client"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

type identityCmd struct {
	Set  identitySetCmd  `cmd:"" help:"Store who a client is by law. What is left out is forgotten."`
	Show identityShowCmd `cmd:"" help:"Print what is stored, a line each."`
}

type identitySetCmd struct {
	ofClient
	LegalName string `help:"Its name in the register of companies."`
	Number    string `help:"Its number there, such as 556000-0001."`
	Authority string `help:"The authority that has licensed it to read accounts, if it has a licence of its own."`
	Contact   string `help:"For persons: an e-mail address, or an https address."`
}

type identityShowCmd struct{ ofClient }

// Run stores the identity.
func (c *identitySetCmd) Run(a *app) error {
	i := client.Identity{LegalName: c.LegalName, Number: c.Number, Authority: c.Authority, Contact: c.Contact}
	if err := i.Check(); err != nil {
		return err
	}
	return withClient(a, c.storeFlags, c.Client, func(db *sqlstore.Store, owner client.Client) error {
		if err := recordCommand(a, db, "client identity set", map[string]string{"client": owner.ID}); err != nil {
			return err
		}
		return db.Write(a.ctx, func(tx store.Tx) error { return tx.PutIdentity(a.ctx, owner.ID, i) })
	})
}

// Run prints the identity.
func (c *identityShowCmd) Run(a *app) error {
	return withClient(a, c.storeFlags, c.Client, func(_ *sqlstore.Store, owner client.Client) error {
		i := owner.Identity
		for _, line := range [][2]string{{"legal name", i.LegalName}, {"number", i.Number}, {"authority", i.Authority}, {"contact", i.Contact}} {
			if line[1] != "" {
				fmt.Fprintf(a.out, "%s: %s\n", line[0], line[1])
			}
		}
		return nil
	})
}
