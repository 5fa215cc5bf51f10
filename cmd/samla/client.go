package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

type clientCmd struct {
	ReturnURL returnURLCmd `cmd:"" name:"return-url" help:"Addresses to which a client may have persons sent after they signed on a page of a bank."`
	Origin    originCmd    `cmd:"" help:"Origins of the pages of a client that may frame the connect page."`
	Identity  identityCmd  `cmd:"" help:"Who a client is by law, for the persons whom it asks."`
}

type returnURLCmd struct {
	Add    returnURLAddCmd    `cmd:"" help:"Register an address. It must be given exactly like this as returnUrl."`
	Remove returnURLRemoveCmd `cmd:"" help:"Take an address back."`
	List   returnURLListCmd   `cmd:"" help:"List the addresses of a client, a line each."`
}

type originCmd struct {
	Add    originAddCmd    `cmd:"" help:"Register an origin."`
	Remove originRemoveCmd `cmd:"" help:"Take an origin back. Links that name it cannot be framed any more."`
	List   originListCmd   `cmd:"" help:"List the origins of a client, a line each."`
}

// ofClient is of commands about what is registered for a client.
type ofClient struct {
	existingStore
	Client string `arg:"" help:"Name of the client, as given to samla key create."`
}

type returnURLAddCmd struct {
	ofClient
	URL string `arg:"" help:"https address, http address of this machine, or address of an app's own scheme with a dot."`
}

type returnURLRemoveCmd struct {
	ofClient
	URL string `arg:"" help:"The address, from samla client return-url list."`
}

type returnURLListCmd struct{ ofClient }

type originAddCmd struct {
	ofClient
	Origin string `arg:"" help:"https origin, such as https://app.example.com, or http origin of this machine."`
}

type originRemoveCmd struct {
	ofClient
	Origin string `arg:"" help:"The origin, from samla client origin list."`
}

type originListCmd struct{ ofClient }

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

// registered is a kind of text that operators register for clients.
type registered struct {
	noun, command string // such as "the origin", and the command with those about it, such as "client origin"
	check         func(string) error
	add           func(tx store.Tx, ctx context.Context, clientID, text string, at time.Time) error
	remove        func(tx store.Tx, ctx context.Context, clientID, text string) error
	all           func(db *sqlstore.Store, ctx context.Context, clientID string) ([]string, error)
}

var (
	returnURLs = registered{"the address", "client return-url", client.CheckReturnURL,
		store.Tx.AddReturnURL, store.Tx.DeleteReturnURL, (*sqlstore.Store).ReturnURLs}
	origins = registered{"the origin", "client origin", client.CheckOrigin,
		store.Tx.AddFrameOrigin, store.Tx.DeleteFrameOrigin, (*sqlstore.Store).FrameOrigins}
)

func (c ofClient) add(a *app, of registered, text string) error {
	if err := of.check(text); err != nil {
		return fmt.Errorf("%s %w", of.noun, err)
	}
	return withClient(a, c.storeFlags, c.Client, func(db *sqlstore.Store, owner client.Client) error {
		if err := recordCommand(a, db, of.command+" add", map[string]string{"client": owner.ID}); err != nil {
			return err
		}
		err := db.Write(a.ctx, func(tx store.Tx) error { return of.add(tx, a.ctx, owner.ID, text, clock.System().Now()) })
		if errors.Is(err, store.ErrExists) {
			return fmt.Errorf("%s is registered already", of.noun)
		}
		return err
	})
}

func (c ofClient) remove(a *app, of registered, text string) error {
	return withClient(a, c.storeFlags, c.Client, func(db *sqlstore.Store, owner client.Client) error {
		if err := recordCommand(a, db, of.command+" remove", map[string]string{"client": owner.ID}); err != nil {
			return err
		}
		err := db.Write(a.ctx, func(tx store.Tx) error { return of.remove(tx, a.ctx, owner.ID, text) })
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("%s is not registered: samla %s list shows those that are", of.noun, of.command)
		}
		return err
	})
}

func (c ofClient) print(a *app, of registered) error {
	return withClient(a, c.storeFlags, c.Client, func(db *sqlstore.Store, owner client.Client) error {
		all, err := of.all(db, a.ctx, owner.ID)
		for _, text := range all {
			fmt.Fprintln(a.out, text)
		}
		return err
	})
}

// Run registers an address.
func (c *returnURLAddCmd) Run(a *app) error { return c.add(a, returnURLs, c.URL) }

// Run takes an address back.
func (c *returnURLRemoveCmd) Run(a *app) error { return c.remove(a, returnURLs, c.URL) }

// Run prints the addresses.
func (c *returnURLListCmd) Run(a *app) error { return c.print(a, returnURLs) }

// Run registers an origin.
func (c *originAddCmd) Run(a *app) error { return c.add(a, origins, c.Origin) }

// Run takes an origin back.
func (c *originRemoveCmd) Run(a *app) error { return c.remove(a, origins, c.Origin) }

// Run prints the origins.
func (c *originListCmd) Run(a *app) error { return c.print(a, origins) }
