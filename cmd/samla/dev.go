package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"samla/internal/devserver"
	"samla/internal/operator"
	"samla/internal/ratelimit"
	"samla/internal/server"
)

type devCmd struct {
	Listen   string `default:"127.0.0.1:8080" help:"Address of the API; port 0 means a free port."`
	Sandbox  string `default:"127.0.0.1:0" help:"Address of the sandbox; port 0 means the port of the last start with this data, or a free port."`
	Data     string `type:"path" help:"Directory of all files; without it nothing is kept after the process ends, except the keys of a --database."`
	Console  string `default:"127.0.0.1:0" help:"Address of the console of operators; port 0 means a free port; \"off\": none."`
	APIKey   string `name:"api-key" help:"API key to accept; without it a new one is created."`
	Database string `help:"PostgreSQL URL; without it SQLite under the data directory."`
	originFlags
	JSON bool `help:"Print one line of JSON instead of text."`
}

// Validate reports values that the server and the sandbox cannot use, before they start.
func (c *devCmd) Validate() error {
	return errors.Join(checkAddress("--listen", c.Listen), checkAddress("--sandbox", c.Sandbox), c.checkConsole(),
		storeFlags{Database: c.Database}.Validate(), server.Config{AllowOrigins: c.AllowOrigin}.Check())
}

func (c *devCmd) checkConsole() error {
	if c.Console == off {
		return nil
	}
	return errors.Join(checkAddress("--console", c.Console), server.Config{ConsoleListen: c.Console, KeyDir: "keys"}.Check())
}

// Run runs a server and sandbox until the process is asked to stop.
func (c *devCmd) Run(a *app) (err error) {
	if c.Data == "" && c.Database != "" {
		if c.Data, err = keyDirectory(c.Database); err != nil {
			return err
		}
	}
	dir, remove, err := dataDirectory(c.Data)
	if err != nil {
		return err
	}
	defer remove()
	release, err := onlyUser(filepath.Join(dir, "sandbox"))
	if err != nil {
		return err
	}
	defer release()
	console := c.Console
	if console == off {
		console = ""
	}
	l, err := devserver.Start(a.ctx, devserver.Config{Listen: c.Listen, Console: console, SandboxListen: c.Sandbox, Dir: dir, Database: c.Database,
		APIKey: c.APIKey, Rate: devRateLimit, AllowOrigins: c.AllowOrigin, Log: a.log})
	if err != nil {
		return err
	}
	defer a.stop(&err, l.Stop)
	link, err := devLink(a.ctx, l)
	if err != nil {
		return err
	}
	door, err := l.Server.ConsoleDoor(a.ctx, "dev", operator.Admin)
	if err != nil {
		return err
	}
	if err := c.announce(a.out, l, dir, link, door); err != nil {
		return err
	}
	<-a.ctx.Done()
	return nil
}

// devRateLimit is higher than the rate of any test, so that responses have the headers of
// the limit but no test reaches it.
var devRateLimit = ratelimit.Rate{PerSecond: 100_000, Burst: 200_000}

// keyDirectory returns the directory for the keys of a database if there is no data
// directory: a database outlives the process, so its master key must too.
func keyDirectory(database string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: give a directory with --data", err)
	}
	name := sha256.Sum256([]byte(database))
	return filepath.Join(cache, "samla", "dev-"+hex.EncodeToString(name[:8])), nil
}

// dataDirectory returns the wanted directory, or if that is empty a temporary one, which
// the function remove deletes.
func dataDirectory(wanted string) (dir string, remove func(), err error) {
	if wanted != "" {
		return wanted, func() {}, nil
	}
	dir, err = os.MkdirTemp("", "samla-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

func (c *devCmd) announce(w io.Writer, l *devserver.Environment, dir, link, door string) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(struct {
			API       string `json:"api"`
			APIKey    string `json:"apiKey"`
			Sandbox   string `json:"sandbox"`
			SandboxCA string `json:"sandboxCA"`
			Connect   string `json:"connect"`           // a link to the connect page, which opens once
			Console   string `json:"console,omitempty"` // a link that signs an admin in to the console
		}{l.Server.URL(), l.APIKey, l.Sandbox.URL(), l.Sandbox.CAFile(), link, door})
	}
	_, err := fmt.Fprintf(w, devText, l.Server.URL(), l.APIKey, l.Sandbox.URL(), l.Sandbox.CAFile(), shellQuote("authorization-token: "+l.APIKey), link, cmp.Or(door, "not served"), shellQuote(filepath.Join(dir, "apikey")))
	return err
}

// devText's collection from the bank is of another person than the flow of README.md: a
// second order of BankID for one person would end both.
const devText = `API      %[1]s
API key  %[2]s
Sandbox  %[3]s  (certificate authority: %[4]s)
Connect  %[6]s  (opens once)
Docs     %[1]s/docs
Console  %[7]s  (signs you in as an admin)
Phone    %[3]s/sandbox/bankid  (BankID)
Inbox    %[3]s/sandbox/inbox   (e-mails, apps and pages of institutions)

curl -s %[1]s/companies/availability -H %[5]s
curl -s %[1]s/users -H %[5]s -H 'content-type: application/json' -d '{"externalId":"customer-1"}'
curl -s %[1]s/collections -H %[5]s -H 'content-type: application/json' -d '{"company":"se-demo-psd2","loginMethod":"SWEDISH_MOBILE_BANKID_OTHER_DEVICE","parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"192.0.2.1"},{"type":"SWEDISH_BANKID","personalNumber":"198611239883"}]}'
curl -s %[1]s/collections -H %[5]s -H 'content-type: application/json' -d '{"company":"se-demo","loginMethod":"SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK","parameters":[{"type":"SWEDISH_BANKID","personalNumber":"200001040000"}]}'

Open the connect page in a browser with the phone's page beside it: choose an institution, and approve on the phone
(the browser warns about the phone's certificate, which is the sandbox's own). Where a page or the terminal asks for a personal number: 198412099296
at the banks, 200001040000 at Demo.
The first collection is from a bank and waits for a person: approve it on the phone's page within 30 seconds.
The second is from an institution that the person logs in to: its QR code signs itself. README.md has both flows with all their requests,
docs/sandbox.md the persons and companies. The same from the terminal (docs/terminal.md):

samla profile add dev --server %[1]s --key-file %[8]s
samla collect --company se-demo-psd2
`

// shellQuote quotes s as one word of a POSIX shell.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
