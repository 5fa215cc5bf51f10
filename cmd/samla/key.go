package main

import (
	"errors"
	"fmt"

	"samla/internal/authn"
	"samla/internal/clock"
	"samla/internal/journal"
	"samla/internal/server"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

type keyCmd struct {
	Create       keyCreateCmd       `cmd:"" help:"Create an API key and print it. It cannot be shown again."`
	List         keyListCmd         `cmd:"" help:"List API keys."`
	RotateMaster keyRotateMasterCmd `cmd:"" help:"Replace the master key in its file, while servers run."`
	Epochs       keyEpochsCmd       `cmd:"" help:"List the epoch keys; --begin starts to use them in a database of the release before."`
	Revoke       keyRevokeCmd       `cmd:"" help:"Revoke an API key; running servers stop accepting it within five seconds."`
}

type keyCreateCmd struct {
	storeFlags
	masterFlags
	Client string `arg:"" help:"Name of the client; it is created if it does not exist."`
	Name   string `default:"" help:"Name of the key, to distinguish several keys."`
}

type keyListCmd struct {
	existingStore
	masterFlags
}

type keyRevokeCmd struct {
	existingStore
	masterFlags
	ID string `arg:"" help:"Id of the key, from samla key list."`
}

// withAuthenticator opens the store, also while a server is running, and calls do.
func withAuthenticator(a *app, s storeFlags, m masterFlags, do func(*authn.Authenticator, *sqlstore.Store) error) error {
	master, err := m.load()
	if err != nil {
		return err
	}
	return withStore(a, s, func(db *sqlstore.Store) error {
		vault, err := m.vault(a.ctx, master, s, db)
		if err != nil {
			return err
		}
		j, err := journal.Open(server.JournalDir(m.dir(s)), clock.System())
		if err != nil {
			return err
		}
		defer j.Close()
		auth, err := authn.New(a.ctx, authn.Config{Store: db, Vault: vault, Clock: clock.System(), Issuer: "samla", Audience: "samla", Journal: j})
		if err != nil {
			return err
		}
		return do(auth, db)
	})
}

// Run creates a key and prints nothing else, so that a script can read it.
func (c *keyCreateCmd) Run(a *app) error {
	return withAuthenticator(a, c.storeFlags, c.masterFlags, func(auth *authn.Authenticator, _ *sqlstore.Store) error {
		_, secret, err := auth.CreateKey(a.ctx, c.Client, c.Name, "")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.out, secret)
		return err
	})
}

// Run lists the keys as a table.
func (c *keyListCmd) Run(a *app) error {
	return withAuthenticator(a, c.storeFlags, c.masterFlags, func(auth *authn.Authenticator, db *sqlstore.Store) error {
		keys, err := auth.ListKeys(a.ctx)
		if err != nil {
			return err
		}
		clients, err := db.Clients(a.ctx)
		if err != nil {
			return err
		}
		names := map[string]string{}
		for _, client := range clients {
			names[client.ID] = client.Name
		}
		t := headed("ID", "CLIENT", "NAME", "CREATED", "REVOKED")
		for _, k := range keys {
			t.add(k.ID, names[k.ClientID], k.Name, moment(&k.CreatedAt), moment(&k.RevokedAt))
		}
		return t.print(a.out)
	})
}

// Run revokes one key.
func (c *keyRevokeCmd) Run(a *app) error {
	return withAuthenticator(a, c.storeFlags, c.masterFlags, func(auth *authn.Authenticator, _ *sqlstore.Store) error {
		err := auth.RevokeKey(a.ctx, c.ID)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("there is no API key with id %s; 'samla key list' lists the ids", c.ID)
		}
		return err
	})
}
