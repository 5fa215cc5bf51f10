package main

import (
	"errors"
	"fmt"
	"slices"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

type clientCmd struct {
	ReturnURL returnURLCmd `cmd:"" name:"return-url" help:"Addresses to which a client may have persons sent after they signed on a page of a bank."`
	Origin    originCmd    `cmd:"" help:"Origins of the pages of a client that may frame the connect page."`
}

type returnURLCmd struct {
	Add    returnURLAddCmd    `cmd:"" help:"Register an address. It must be given exactly like this as returnUrl."`
	Remove returnURLRemoveCmd `cmd:"" help:"Take an address back."`
	List   returnURLListCmd   `cmd:"" help:"List the addresses of a client, a line each."`
}

type returnURLAddCmd struct {
	existingStore
	Client string `arg:"" help:"Name of the client, as given to samla key create."`
	URL    string `arg:"" help:"https address, http address of this machine, or address of an app's own scheme with a dot."`
}

type returnURLRemoveCmd struct {
	existingStore
	Client string `arg:"" help:"Name of the client."`
	URL    string `arg:"" help:"The address, from samla client return-url list."`
}

type returnURLListCmd struct {
	existingStore
	Client string `arg:"" help:"Name of the client."`
}

// withClient opens the store, also while a server is running, and calls do with the client
// of a name.
func withClient(a *app, s storeFlags, name string, do func(*sqlstore.Store, client.Client) error) error {
	return withStore(a, s, func(db *sqlstore.Store) error {
		all, err := db.Clients(a.ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(c client.Client) bool { return c.Name == name })
		if i < 0 {
			return fmt.Errorf("there is no client %q: samla key list shows those that there are, samla key create makes one", name)
		}
		return do(db, all[i])
	})
}

// Run registers an address.
func (c *returnURLAddCmd) Run(a *app) error {
	if err := client.CheckReturnURL(c.URL); err != nil {
		return fmt.Errorf("the address %w", err)
	}
	return withClient(a, c.storeFlags, c.Client, func(db *sqlstore.Store, owner client.Client) error {
		err := db.Write(a.ctx, func(tx store.Tx) error { return tx.AddReturnURL(a.ctx, owner.ID, c.URL, clock.System().Now()) })
		if errors.Is(err, store.ErrExists) {
			return errors.New("the address is registered already")
		}
		return err
	})
}

// Run takes an address back.
func (c *returnURLRemoveCmd) Run(a *app) error {
	return withClient(a, c.storeFlags, c.Client, func(db *sqlstore.Store, owner client.Client) error {
		err := db.Write(a.ctx, func(tx store.Tx) error { return tx.DeleteReturnURL(a.ctx, owner.ID, c.URL) })
		if errors.Is(err, store.ErrNotFound) {
			return errors.New("the address is not registered: samla client return-url list shows those that are")
		}
		return err
	})
}

// Run prints the addresses.
func (c *returnURLListCmd) Run(a *app) error {
	return withClient(a, c.storeFlags, c.Client, func(db *sqlstore.Store, owner client.Client) error {
		all, err := db.ReturnURLs(a.ctx, owner.ID)
		for _, url := range all {
			fmt.Fprintln(a.out, url)
		}
		return err
	})
}
