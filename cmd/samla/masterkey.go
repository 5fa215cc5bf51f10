package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"samla/internal/authn"
	"samla/internal/clock"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/store/sqlstore"
)

// masterFlags configure the master key and the key directory.
type masterFlags struct {
	MasterKeyFile string `type:"path" help:"File with the master key, readable by its owner only; or set SAMLA_MASTER_KEY."`
	KeyDir        string `type:"path" help:"Key directory: epoch keys, and the journal that a restore needs (docs/operate-backup.md). Outside of the database; its nodes share it. By default the directory keys beside the master key's file, or in the data directory without such a file."`
}

// masterText is the master key of the environment.
func masterText() string { return os.Getenv("SAMLA_MASTER_KEY") }

func (f masterFlags) load() (*keyset.Master, error) {
	master, err := keyset.LoadMaster(f.MasterKeyFile, masterText())
	if errors.Is(err, keyset.ErrNoMasterKey) || errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w\ncreate one with 'samla master-key FILE' and pass it with --master-key-file", err)
	}
	return master, err
}

// reload returns the function that reads the master key again after a rotation.
func (f masterFlags) reload() func() (*keyset.Master, error) {
	if f.MasterKeyFile == "" {
		return nil // the environment of a process does not change
	}
	return func() (*keyset.Master, error) { return keyset.LoadMaster(f.MasterKeyFile, "") }
}

// dir returns the key directory; "" if there is no default.
func (f masterFlags) dir(s storeFlags) string {
	switch {
	case f.KeyDir != "":
		return f.KeyDir
	case f.MasterKeyFile != "":
		return filepath.Join(filepath.Dir(f.MasterKeyFile), "keys")
	case s.Database == "":
		return filepath.Join(s.Data, "keys")
	}
	return ""
}

// warn says that a backup of the data directory has the keys too.
func (f masterFlags) warn(log *slog.Logger, s storeFlags) {
	if f.KeyDir == "" && f.MasterKeyFile == "" && s.Database == "" {
		log.Warn("the key directory is in the data directory: a copy of the data directory contains the epoch keys, and does not forget",
			"directory", f.dir(s), "remedy", "pass --key-dir with a directory elsewhere")
	}
}

// ring opens the key directory of the database s.
func (f masterFlags) ring(master *keyset.Master, s storeFlags) (*keyset.Ring, error) {
	dir := f.dir(s)
	if dir == "" {
		return nil, errors.New("pass --key-dir: without a master key's file there is no default with --database")
	}
	return keyset.OpenRing(keyset.RingConfig{Dir: dir, Master: master, Reload: f.reload(), Clock: clock.System()})
}

// vault returns the vault of an open database, also while a server is running.
func (f masterFlags) vault(ctx context.Context, master *keyset.Master, s storeFlags, db *sqlstore.Store) (*keyset.Vault, error) {
	ring, err := f.owned(ctx, master, s, db)
	if err != nil {
		return nil, err
	}
	return keyset.NewEpochs(ring, db, clock.System()), nil
}

// owned opens the key directory, which must be that of an open database.
func (f masterFlags) owned(ctx context.Context, master *keyset.Master, s storeFlags, db *sqlstore.Store) (*keyset.Ring, error) {
	ring, err := f.ring(master, s)
	if err != nil {
		return nil, err
	}
	i, err := db.Installation(ctx)
	if err != nil {
		return nil, err
	}
	if i.ID != "" {
		if err := ring.Own(i.ID); err != nil {
			return nil, err
		}
	}
	if !i.BegunAt.IsZero() {
		ring.Begin()
	}
	return ring, nil
}

// proven is owned for commands that wrap by the keys of the directory: it also opens
// something of the database with them. A directory that is not that of the database, such
// as the default one beside the master key's file where the server has another, can be
// empty: a backup would then need that directory, and a rotation would end the master key
// by which the true directory is wrapped.
func (f masterFlags) proven(ctx context.Context, master *keyset.Master, s storeFlags, db *sqlstore.Store) (*keyset.Ring, error) {
	ring, err := f.owned(ctx, master, s, db)
	if err != nil {
		return nil, err
	}
	clk := clock.System()
	_, err = authn.New(ctx, authn.Config{Store: db, Vault: keyset.NewEpochs(ring, db, clk), Clock: clk, Issuer: "samla", Audience: "samla"})
	if errors.Is(err, seal.ErrDecryption) {
		err = fmt.Errorf("%s does not open the keys of this database, and nothing was done: pass the --key-dir of the server: %w", f.dir(s), err)
	}
	return ring, err
}

type masterKeyCmd struct {
	File string `arg:"" type:"path" help:"File to create; it must not exist."`
}

// Run creates a master key.
func (c *masterKeyCmd) Run(a *app) error {
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already, and a master key is never overwritten: name another file", c.File)
	} else if err != nil {
		return err
	}
	if err := keyset.GenerateMaster(f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s has a new master key. Keep a copy elsewhere: without it, the encrypted data cannot be read.\n", c.File)
	return nil
}
