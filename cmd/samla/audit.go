package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"samla/internal/audit"
	"samla/internal/audit/chain"
	"samla/internal/auditing"
	"samla/internal/clock"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/uuid7"
)

type auditCmd struct {
	Export    auditExportCmd    `cmd:"" help:"Write the audit log, or the entries of one user with their proofs, as JSON Lines."`
	Verify    auditVerifyCmd    `cmd:"" help:"Verify an export. It needs the file and the public key only."`
	Head      auditHeadCmd      `cmd:"" help:"Print a signed head of the audit log, to keep outside."`
	PublicKey auditPublicKeyCmd `cmd:"" help:"Print the public key that verifies exports and heads."`
}

type auditExportCmd struct {
	existingStore
	masterFlags
	From time.Time `placeholder:"YYYY-MM-DD" help:"Begin with the last signed head of this day's beginning (UTC); default: all."`
	To   time.Time `placeholder:"YYYY-MM-DD" help:"End with the first signed head of this day's end or later (UTC); default: all."`
	User string    `placeholder:"ID" help:"Write the entries of this user (userUuid) only, with the proof that they belong to the log and that none is missing."`
	Out  string    `type:"path" placeholder:"FILE" help:"File to write, readable by its owner only; default: standard output."`
}

// Validate reports flags that exclude each other.
func (c *auditExportCmd) Validate() error {
	if c.User != "" && (!c.From.IsZero() || !c.To.IsZero()) {
		return errors.New("--user cannot be used with --from and --to: that nothing is missing is proved for all entries of the user")
	}
	if !c.From.IsZero() && !c.To.IsZero() && c.To.Before(c.From) {
		return errors.New("--to must not be before --from")
	}
	return c.existingStore.Validate()
}

type auditVerifyCmd struct {
	File      string   `arg:"" type:"existingfile" help:"Export to verify."`
	PublicKey string   `type:"existingfile" required:"" help:"File with the public key, from samla audit public-key."`
	Head      []string `type:"existingfile" help:"File with heads that were kept outside: lines of samla audit head, or an earlier export (repeatable)."`
	Part      bool     `help:"Accept an export of a part of the log (--from)."`
}

type auditHeadCmd struct {
	existingStore
	masterFlags
}

type auditPublicKeyCmd struct {
	existingStore
	masterFlags
}

// withAudit opens the store, also while a server is running, and calls do.
func withAudit(a *app, s storeFlags, m masterFlags, do func(*auditing.Service) error) error {
	master, err := m.load()
	if err != nil {
		return err
	}
	return withStore(a, s, func(db *sqlstore.Store) error {
		vault, err := m.vault(a.ctx, master, s, db)
		if err != nil {
			return err
		}
		return do(auditing.New(auditing.Deps{Store: db, Vault: vault, Clock: clock.System(), Log: a.log}))
	})
}

// recordCommand writes an operator's command to the audit log before it is carried out.
func recordCommand(a *app, db store.AccessRecorder, command string, about map[string]string) error {
	clk := clock.System()
	return recordEntry(a, db, audit.OfCommand(uuid7.NewGenerator(clk, nil), command, about, clk.Now()))
}

func recordEntry(a *app, db store.AccessRecorder, e audit.Entry) error {
	if err := db.RecordAccess(a.ctx, e); err != nil {
		return fmt.Errorf("the command could not be written to the audit log and was not carried out: %w", err)
	}
	return nil
}

// Run writes an export.
func (c *auditExportCmd) Run(a *app) (err error) {
	out := a.out
	if c.Out != "" {
		f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s exists already: name another file", c.Out)
		}
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = f
	}
	return withAudit(a, c.storeFlags, c.masterFlags, func(s *auditing.Service) error {
		if c.User != "" {
			return s.ExportUser(a.ctx, out, c.User)
		}
		r := auditing.Range{From: c.From, To: c.To}
		if !r.To.IsZero() {
			r.To = r.To.AddDate(0, 0, 1)
		}
		return s.Export(a.ctx, out, r)
	})
}

// Run prints a head as one line of JSON.
func (c *auditHeadCmd) Run(a *app) error {
	return withAudit(a, c.storeFlags, c.masterFlags, func(s *auditing.Service) error {
		head, err := s.Head(a.ctx)
		if err != nil {
			return err
		}
		_, err = a.out.Write(append(head.AppendJSON(nil), '\n'))
		return err
	})
}

// Run prints the key in PEM (RFC 8410).
func (c *auditPublicKeyCmd) Run(a *app) error {
	return withAudit(a, c.storeFlags, c.masterFlags, func(s *auditing.Service) error {
		public, err := s.PublicKey(a.ctx)
		if err != nil {
			return err
		}
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return err
		}
		return pem.Encode(a.out, &pem.Block{Type: "PUBLIC KEY", Bytes: der})
	})
}

// Run verifies an export and says what it proves.
func (c *auditVerifyCmd) Run(a *app) error {
	public, err := readPublicKey(c.PublicKey)
	if err != nil {
		return err
	}
	o := chain.Options{Public: public, Part: c.Part}
	for _, name := range c.Head {
		heads, err := readHeads(name)
		if err != nil {
			return err
		}
		o.Kept = append(o.Kept, heads...)
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	report, err := chain.Verify(f, o)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return printReport(a.out, report)
}

func printReport(out io.Writer, r chain.Report) error {
	what := "entries"
	if r.Format == chain.FormatUser {
		what = "entries of user " + r.Head.User
	}
	if _, err := fmt.Fprintf(out, "ok: %d %s, complete up to the head of %s (%d entries in the log, hash %s), key %s\n",
		r.Entries, what, r.Head.At.Format(time.RFC3339), r.Head.Count, r.Head.Hash, r.Head.KeyID); err != nil {
		return err
	}
	if r.Begin > 0 {
		why := "not part of this export (--from)"
		if r.Removed {
			why = "removed because their time was over, as a signed head says"
		}
		if _, err := fmt.Fprintf(out, "the first %d: %s\n", r.Begin, why); err != nil {
			return err
		}
	}
	if r.Older > 0 {
		if _, err := fmt.Fprintf(out, "heads kept outside that say nothing about these entries, and were not compared: %d\n", r.Older); err != nil {
			return err
		}
	}
	return nil
}

func readPublicKey(name string) (ed25519.PublicKey, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is no public key in PEM; 'samla audit public-key' prints one", name)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if public, ok := key.(ed25519.PublicKey); err == nil && ok {
		return public, nil
	}
	return nil, fmt.Errorf("%s is no Ed25519 public key", name)
}

// readHeads reads the heads of a file: one a line, or that of an export.
func readHeads(name string) ([]chain.Signed, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	var first struct {
		Format string       `json:"format"`
		Head   chain.Signed `json:"head"`
	}
	if json.Unmarshal(line, &first) == nil && first.Format != "" {
		return []chain.Signed{first.Head}, nil
	}
	var heads []chain.Signed
	for ; len(line) > 0; line, rest, _ = bytes.Cut(rest, []byte("\n")) {
		var head chain.Signed
		if err := json.Unmarshal(line, &head); err != nil {
			return nil, fmt.Errorf("%s has no head; 'samla audit head' prints one", name)
		}
		heads = append(heads, head)
	}
	return heads, nil
}
