package main

import (
	"errors"
	"fmt"
	"time"

	"samla/internal/clock"
	"samla/internal/store/sqlstore"
)

// begunWithin is when the last node has noticed that epochs have begun: until then one
// may wrap by the master key.
const begunWithin = 5 * time.Minute

type keyRotateMasterCmd struct {
	existingStore
	masterFlags
}

// Run replaces the master key in its file, also while servers run. The file's directory
// must be writable.
func (c *keyRotateMasterCmd) Run(a *app) error {
	if c.MasterKeyFile == "" {
		return errors.New("pass --master-key-file: the environment of running servers cannot be changed; write the key to a file first (docs/operate-backup.md)")
	}
	master, err := c.load()
	if err != nil {
		return err
	}
	return withStore(a, c.storeFlags, func(db *sqlstore.Store) error {
		ring, err := c.proven(a.ctx, master, c.storeFlags, db)
		if err != nil {
			return err
		}
		used, err := db.EpochUsed(a.ctx, "", true)
		if err != nil {
			return err
		}
		i, err := db.Installation(a.ctx)
		if err != nil {
			return err
		}
		keep := used || clock.System().Now().Before(i.BegunAt.Add(begunWithin)) || i.BegunAt.IsZero()
		if err := ring.Rotate(c.MasterKeyFile, !keep); err != nil {
			return err
		}
		if keep {
			fmt.Fprintln(a.err, "the old master key is still in the file, because rows of the database are wrapped by it; when 'samla key epochs' says that the master key is not in use, rotate again")
		}
		_, err = fmt.Fprintf(a.out, "%s has a new master key: copy the file to the safe place where you keep it\n", c.MasterKeyFile)
		return err
	})
}
