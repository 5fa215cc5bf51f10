package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"samla/internal/durable"
	"samla/internal/export"
	"samla/internal/product"
)

// outFlags say where the products of a collection go.
type outFlags struct {
	Out    string          `type:"path" placeholder:"DIR" help:"Write files to this directory, in place of tables."`
	Format []export.Format `default:"json" enum:"json,csv,ofx,camt053,beancount" placeholder:"FORMAT" help:"Of the files: json, csv, ofx, camt053 or beancount; several with commas."`
}

// delivered are the products of a collection.
type delivered struct {
	id, company string
	partial     bool
	readAt      time.Time // zero: not known
	data        []byte    // as the API returns it
	// lasting are the lasting ids of transactions by their transactionId.
	lasting map[string]string
}

// deliver prints products as tables, or writes them to files.
func (c outFlags) deliver(a *app, d delivered) error {
	if c.Out == "" {
		if d.partial {
			fmt.Fprintln(a.err, "INCOMPLETE: the institution could not be read wholly.")
		}
		return printProducts(a.out, d.data)
	}
	products, err := product.ReadAll(d.data)
	if err != nil {
		return err
	}
	unknown := 0
	for _, p := range products {
		account, is := p.(*product.Psd2Account)
		if !is {
			continue
		}
		for i := range account.Transactions {
			t := &account.Transactions[i]
			if id := d.lasting[t.TransactionID]; id != "" {
				t.TransactionID = id
			} else if t.Status == product.Booked {
				unknown++
			}
		}
	}
	if unknown > 0 {
		fmt.Fprintf(a.err, "%s without a lasting id: the files have transactionId for it, which changes when the bank changes the day or a text\n", counted(unknown, "transaction"))
	}
	return writeFiles(a, c.Out, export.Batch{ID: d.id, Company: d.company, ReadAt: d.readAt, Partial: d.partial, Raw: d.data, Products: products}, c.Format)
}

// writeFiles writes a batch in each format, and prints the paths of the files. A file that
// exists is never replaced.
func writeFiles(a *app, dir string, b export.Batch, formats []export.Format) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	said := map[string]bool{}
	var failed error
	for _, f := range formats {
		files, notes, err := export.Write(b, f)
		for _, note := range notes {
			if !said[note] {
				fmt.Fprintln(a.err, plain(note))
			}
			said[note] = true
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", f, err))
			continue
		}
		for _, file := range files {
			path := filepath.Join(dir, file.Name)
			switch err := durable.Create(path, file.Content); {
			case errors.Is(err, fs.ErrExist):
				failed = errors.Join(failed, fmt.Errorf("%s exists already", path))
			case err != nil:
				return err
			default:
				fmt.Fprintln(a.out, path)
			}
		}
	}
	return failed
}

// confirm asks whether something is meant. Without a terminal there is nobody to ask, so yes
// must be set.
func (a *app) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !isTerminal(os.Stdin) || !isTerminal(os.Stderr) {
		return errors.New("there is no terminal to ask on: pass --yes if it is meant")
	}
	fmt.Fprintf(a.err, "%s [y/N] ", question)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}

// printMembers prints an object, a line for each member that is no object or list itself.
// What is in a list has its number, from 1.
func printMembers(out io.Writer, data json.RawMessage) error {
	t := table{columns: []column{{head: "WHAT"}, {head: "VALUE", most: 2 * lineWidth}}}
	var walk func(prefix string, data json.RawMessage) error
	walk = func(prefix string, data json.RawMessage) error {
		var members map[string]json.RawMessage
		var items []json.RawMessage
		if json.Unmarshal(data, &items) == nil && len(items) > 0 {
			for i, item := range items {
				if err := walk(fmt.Sprintf("%s %d", prefix, i+1), item); err != nil {
					return err
				}
			}
			return nil
		}
		if json.Unmarshal(data, &members) != nil {
			var text string
			if json.Unmarshal(data, &text) != nil {
				text = string(data)
			}
			t.rows = append(t.rows, []string{prefix, text})
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if err := walk(strings.TrimPrefix(prefix+" "+name, " "), members[name]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk("", data); err != nil {
		return err
	}
	return t.print(out)
}
