package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"samla/internal/devserver"
	"samla/internal/durable"
	"samla/internal/institution"
	"samla/internal/sandbox"
	"samla/internal/sandbox/aspsp"
)

type sandboxCmd struct {
	Listen string `default:"127.0.0.1:8443" help:"Address of the sandbox; port 0 means the port of the last start with this data, or a free port."`
	Data   string `type:"path" help:"Directory of certificates and state; without it nothing is kept after the process ends."`
	JSON   bool   `help:"Print one line of JSON instead of text."`

	Crowd      bool          `hidden:"" help:"Run the banks of samla bench crowd."`
	Patience   time.Duration `hidden:"" help:"How long BankID's orders wait for the app; 0 = 30s, as those of BankID."`
	UntilStdin bool          `hidden:"" help:"Stop when standard input ends, as it does when the process that started this one ends."`
}

// onlyUser makes the directory of a sandbox, and keeps other processes out of it until it is
// released: two would write the same journals, and the second would take another port than
// the one in the links that the banks returned.
func onlyUser(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := durable.Lock(filepath.Join(dir, "sandbox.lock"), false)
	if errors.Is(err, durable.ErrLocked) {
		return nil, fmt.Errorf("another samla dev or samla sandbox uses the directory %s: stop it, or pass --data with another one", dir)
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// Run runs the sandbox until the process is asked to stop. It writes a banks file with
// which samla serve can use the sandbox.
func (c *sandboxCmd) Run(a *app) (err error) {
	dir, remove, err := dataDirectory(c.Data)
	if err != nil {
		return err
	}
	defer remove()
	release, err := onlyUser(dir)
	if err != nil {
		return err
	}
	defer release()
	config := sandbox.Config{Logger: a.log, Dir: dir, Listen: c.Listen, Patience: c.Patience}
	if c.Crowd {
		config.Banks = aspsp.CrowdBanks(c.Patience)
	}
	s, err := sandbox.New(config)
	if err != nil {
		return err
	}
	defer a.stop(&err, s.Stop)
	if err := s.Start(a.ctx); err != nil {
		return err
	}
	file, err := filepath.Abs(filepath.Join(dir, "banks.json"))
	if err != nil {
		return err
	}
	if err := devserver.WriteBanks(a.ctx, file, s, institution.Deps{Log: a.log}); err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(a.out).Encode(struct {
			Sandbox   string `json:"sandbox"`
			SandboxCA string `json:"sandboxCA"`
			Banks     string `json:"banks"`
		}{s.URL(), s.CAFile(), file})
	} else {
		_, err = fmt.Fprintf(a.out, "Sandbox     %[1]s\nPhone       %[1]s/sandbox/bankid\nInbox       %[1]s/sandbox/inbox\nCA          %[2]s\nBanks file  %[3]s  (for samla serve --banks)\n",
			s.URL(), s.CAFile(), file)
	}
	if err != nil {
		return err
	}
	ctx := a.ctx
	if c.UntilStdin {
		untilEnd, cancel := context.WithCancel(ctx)
		go func() {
			defer cancel()
			_, _ = io.Copy(io.Discard, os.Stdin)
		}()
		ctx = untilEnd
	}
	<-ctx.Done()
	return nil
}
