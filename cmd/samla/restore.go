package main

import (
	"encoding/json"

	"samla/internal/backup"
	"samla/internal/clock"
	"samla/internal/server"
)

type restoreCmd struct {
	storeFlags
	masterFlags
	In    string `arg:"" type:"existingfile" help:"File that samla backup has made."`
	Check bool   `help:"Only read the whole file and print what is in it."`
}

// Run restores a backup into a new database and prints what was done as a line of JSON.
func (c *restoreCmd) Run(a *app) error {
	master, err := c.load()
	if err != nil {
		return err
	}
	if c.Check {
		ring, err := c.ring(master, c.storeFlags)
		if err != nil {
			return err
		}
		m, err := backup.Verify(c.In, ring)
		if err != nil {
			return err
		}
		return json.NewEncoder(a.out).Encode(m)
	}
	r, err := server.Restore(a.ctx, server.Config{Database: c.dsn(), KeyDir: c.dir(c.storeFlags)},
		server.Parts{Clock: clock.System(), Log: a.log, Master: master, ReloadMaster: c.reload()}, c.In)
	if err != nil {
		return err
	}
	return json.NewEncoder(a.out).Encode(r)
}
