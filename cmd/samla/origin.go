package main

import (
	"errors"
	"fmt"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

type originCmd struct {
	Add    originAddCmd    `cmd:"" help:"Register an origin."`
	Remove originRemoveCmd `cmd:"" help:"Take an origin back. Links that name it cannot be framed any more."`
	List   originListCmd   `cmd:"" help:"List the origins of a client, a line each."`
}

type originAddCmd struct {
	existingStore
	Client string `arg:"" help:"Name of the client, as given to samla key create."`
	Origin string `arg:"" help:"https origin, such as https://app.example.com, or http origin of this machine."`
}

type originRemoveCmd struct {
	existingStore
	Client string `arg:"" help:"Name of the client."`
	Origin string `arg:"" help:"The origin, from samla client origin list."`
}

type originListCmd struct {
	existingStore
	Client string `arg:"" help:"Name of the client."`
}

// Run registers an origin.
func (c *originAddCmd) Run(a *app) error {
	if err := client.CheckOrigin(c.Origin); err != nil {
		return fmt.Errorf("the origin %w", err)
	}
	return withClient(a, c.storeFlags, c.Client, func(db *sqlstore.Store, owner client.Client) error {
		err := db.Write(a.ctx, func(tx store.Tx) error { return tx.AddFrameOrigin(a.ctx, owner.ID, c.Origin, clock.System().Now()) })
		if errors.Is(err, store.ErrExists) {
			return errors.New("the origin is registered already")
		}
		return err
	})
}

// Run takes an origin back.
func (c *originRemoveCmd) Run(a *app) error {
	return withClient(a, c.storeFlags, c.Client, func(db *sqlstore.Store, owner client.Client) error {
		err := db.Write(a.ctx, func(tx store.Tx) error { return tx.DeleteFrameOrigin(a.ctx, owner.ID, c.Origin) })
		if errors.Is(err, store.ErrNotFound) {
			return errors.New("the origin is not registered: samla client origin list shows those that are")
		}
		return err
	})
}

// Run prints the origins.
func (c *originListCmd) Run(a *app) error {
	return withClient(a, c.storeFlags, c.Client, func(db *sqlstore.Store, owner client.Client) error {
		all, err := db.FrameOrigins(a.ctx, owner.ID)
		for _, origin := range all {
			fmt.Fprintln(a.out, origin)
		}
		return err
	})
}
