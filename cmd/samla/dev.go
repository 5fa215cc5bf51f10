package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"samla/internal/api"
	"samla/internal/devserver"
)

type devCmd struct {
	Listen   string `default:"127.0.0.1:8080" help:"Address of the API; port 0 takes a free one."`
	Sandbox  string `default:"127.0.0.1:0" help:"Address of the sandbox; port 0 takes the one of the last start with this data, or a free one."`
	Data     string `type:"path" help:"Directory that keeps everything between starts; without it nothing is kept, but for the keys to a --database."`
	APIKey   string `name:"api-key" help:"API key to let in; without it one is made."`
	Database string `help:"PostgreSQL URL; without it SQLite under the data directory."`
	JSON     bool   `help:"Print one line of JSON instead of text."`
}

// Run keeps a local set running until the process is asked to stop.
func (c *devCmd) Run(a *app) (err error) {
	if c.Data == "" && c.Database != "" {
		if c.Data, err = directoryOf(c.Database); err != nil {
			return err
		}
	}
	dir, forget, err := directory(c.Data)
	if err != nil {
		return err
	}
	defer forget()
	l, err := devserver.Start(a.ctx, devserver.Config{Listen: c.Listen, Sandbox: c.Sandbox, Dir: dir, Database: c.Database,
		APIKey: c.APIKey, Rate: devRate, Log: a.log})
	if err != nil {
		return err
	}
	defer a.stop(&err, l.Stop)
	if err := c.announce(a.out, l); err != nil {
		return err
	}
	<-a.ctx.Done()
	return nil
}

// devRate is above what one machine's tests reach, so that the headers about the
// limit are there and the limit is not met by chance.
var devRate = api.Rate{PerSecond: 100_000, Burst: 200_000}

// directoryOf is where the keys to a database are kept when no data directory is
// named: a database outlives the process, so what opens it must too.
func directoryOf(database string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: name a directory with --data", err)
	}
	name := sha256.Sum256([]byte(database))
	return filepath.Join(cache, "samla", "dev-"+hex.EncodeToString(name[:8])), nil
}

// directory is the data directory: the one that was asked for, or one that is
// deleted at the end.
func directory(wanted string) (dir string, forget func(), err error) {
	if wanted != "" {
		return wanted, func() {}, nil
	}
	dir, err = os.MkdirTemp("", "samla-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

func (c *devCmd) announce(w io.Writer, l *devserver.Set) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(struct {
			API       string `json:"api"`
			APIKey    string `json:"apiKey"`
			Sandbox   string `json:"sandbox"`
			SandboxCA string `json:"sandboxCA"`
		}{l.Server.URL(), l.APIKey, l.Sandbox.URL(), l.Sandbox.CAFile()})
	}
	_, err := fmt.Fprintf(w, devText, l.Server.URL(), l.APIKey, l.Sandbox.URL(), l.Sandbox.CAFile(), quoted(l.APIKey))
	return err
}

const devText = `API      %[1]s
API key  %[2]s
Sandbox  %[3]s  (certificate authority: %[4]s)
Phone    %[3]s/sandbox/bankid

curl -s %[1]s/companies/availability -H 'authorization-token: '%[5]s
curl -s %[1]s/users -H 'authorization-token: '%[5]s -H 'content-type: application/json' -d '{"externalId":"customer-1"}'
curl -s %[1]s/collections -H 'authorization-token: '%[5]s -H 'content-type: application/json' -d '{"company":"se-demo-psd2","loginMethod":"SWEDISH_MOBILE_BANKID_OTHER_DEVICE","parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"192.0.2.1"}]}'

The last line starts a collection that waits for a person: approve it on the phone's page.
`

// quoted writes a text so that a shell takes it as it is.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
