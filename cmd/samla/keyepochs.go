package main

import (
	"fmt"
	"strconv"

	"samla/internal/clock"
	"samla/internal/seal"
	"samla/internal/store/sqlstore"
)

type keyEpochsCmd struct {
	existingStore
	masterFlags
	Begin bool `help:"Wrap data keys under epoch keys from now on, so that backups forget. Every node must run this release; the release before does not start any more."`
}

// Run lists the epoch keys as a table, oldest first.
func (c *keyEpochsCmd) Run(a *app) error {
	master, err := c.load()
	if err != nil {
		return err
	}
	ring, err := c.ring(master, c.storeFlags)
	if err != nil {
		return err
	}
	return withStore(a, c.storeFlags, func(db *sqlstore.Store) error {
		if c.Begin {
			if err := db.BeginEpochs(a.ctx, clock.System().Now()); err != nil {
				return err
			}
			fmt.Fprintln(a.err, "running nodes begin within a minute; restart none with the release before")
		}
		ids, err := ring.IDs()
		if err != nil {
			return err
		}
		all := headed("EPOCH", "IN USE", "UNUSED SINCE")
		for _, id := range append([]seal.EpochID{""}, ids...) {
			used, err := db.EpochUsed(a.ctx, id, true)
			if err != nil {
				return err
			}
			name := string(id)
			since := "-"
			if id == "" {
				name = "master key"
			} else if t, err := ring.UnusedSince(id); err != nil {
				return err
			} else {
				since = moment(&t)
			}
			all.add(name, strconv.FormatBool(used), since)
		}
		return all.print(a.out)
	})
}
