package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"samla/internal/backup"
	"samla/internal/clock"
	"samla/internal/store/sqlstore"
	"samla/internal/uuid7"
)

type backupCmd struct {
	existingStore
	masterFlags
	Out string `arg:"" type:"path" help:"File to create; it must not exist."`
}

// Run makes a backup, also while a server is running, and prints its manifest as a line
// of JSON.
func (c *backupCmd) Run(a *app) error {
	master, err := c.load()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(c.Out)); err != nil {
		return fmt.Errorf("the directory of %s: %w: create it first", c.Out, err)
	}
	return withStore(a, c.storeFlags, func(db *sqlstore.Store) error {
		ring, err := c.proven(a.ctx, master, c.storeFlags, db)
		if err != nil {
			return err
		}
		clk := clock.System()
		m, err := backup.Write(a.ctx, c.Out, uuid7.NewGenerator(clk, nil).New(), clk.Now(), db, ring)
		if err != nil {
			return err
		}
		return json.NewEncoder(a.out).Encode(m)
	})
}
