package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"samla/internal/audit"
	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/institution"
	"samla/internal/institution/families"
	"samla/internal/record"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/uuid7"
)

type recordCmd struct {
	existingStore
	masterFlags
	Collection string `arg:"" help:"Id of a completed collection of a bank (family xs2a)."`
	Banks      string `type:"existingfile" required:"" help:"The server's file with the banks. None of them is called."`
	Out        string `type:"path" required:"" placeholder:"FILE" help:"Case file to write; it must not exist."`
	Yes        bool   `help:"Write it without asking."`
}

const passAnother = "pass the id of one that has completed and whose data is still kept"

// Run shows a case and writes it if the operator agrees.
func (c *recordCmd) Run(a *app) error {
	master, err := c.load()
	if err != nil {
		return err
	}
	file, err := families.All().Load(c.Banks)
	if err != nil {
		return err
	}
	institutions, err := file.Open(institution.Deps{Clock: clock.System(), Log: a.log})
	if err != nil {
		return err
	}
	defer institutions.Close()
	return withStore(a, c.storeFlags, func(db *sqlstore.Store) error {
		vault, err := c.vault(a.ctx, master, c.storeFlags, db)
		if err != nil {
			return err
		}
		clk := clock.System()
		ids := uuid7.NewGenerator(clk, nil)
		// Only ids of ours may be in the audit log: what was typed may be anything.
		of, err := db.Collection(a.ctx, c.Collection)
		if errors.Is(err, store.ErrNotFound) {
			return errors.New("there is no collection with this id: " + passAnother)
		}
		if err != nil {
			return err
		}
		if err := recordEntry(a, db, audit.OfCommandAbout(ids, of, "record", clk.Now())); err != nil {
			return err
		}
		rereader := collect.NewRereader(collect.RereaderDeps{Store: db, Vault: vault, Institutions: institutions, Clock: clk, IDs: ids})
		all, err := rereader.Recorded(a.ctx, c.Collection)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, collect.ErrGone) || errors.Is(err, collect.ErrNotRereadable) {
			return errors.New("the collection has no stored answers: " + passAnother)
		}
		if err != nil {
			return err
		}
		if i, known := institutions.Find(all.Collection.Company); !known || i.Opener == nil {
			return errors.New("only collections of banks can be recorded: cases have no form for logins by dialogue")
		}
		bank, err := bankOf(c.Banks, all.Collection.Company)
		if err != nil {
			return err
		}
		made, err := record.Make(a.ctx, rereader, all, bank)
		if err != nil {
			return err
		}
		return c.write(a, made)
	})
}

// write shows the case and writes it.
func (c *recordCmd) write(a *app, made record.Made) error {
	if !c.Yes {
		if _, err := a.out.Write(made.Text); err != nil {
			return err
		}
		fmt.Fprintf(a.err, "\n%s\nRead it to its end: is anything of the person in it? Write it to %s? [y/N] ", made.Summary(), c.Out)
		answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		if !strings.EqualFold(strings.TrimSpace(answer), "y") {
			return errors.New("nothing was written")
		}
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already", c.Out)
	} else if err != nil {
		return err
	}
	_, err = f.Write(made.Text)
	return errors.Join(err, f.Close())
}

// bankOf returns the entry of a company in a banks file that was checked before.
func bankOf(path, companyID string) (of record.Bank, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return of, err
	}
	var file struct {
		Banks []struct {
			Company string `json:"company"`
			record.Bank
		} `json:"banks"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return of, err
	}
	for _, b := range file.Banks {
		if b.Company == companyID {
			return b.Bank, nil
		}
	}
	return of, nil
}
