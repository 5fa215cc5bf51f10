package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"samla/internal/durable"
)

// profileCmd keeps which servers the user of the terminal works with, and their keys.
type profileCmd struct {
	Add    profileAddCmd    `cmd:"" help:"Add a server with an API key, or change one. The key is read from standard input or a file, never from the command line."`
	List   profileListCmd   `cmd:"" help:"List the profiles; * marks the one in use. Keys are not shown."`
	Use    profileUseCmd    `cmd:"" help:"Use a profile from now on."`
	Remove profileRemoveCmd `cmd:"" help:"Remove a profile and its key."`
}

type profileAddCmd struct {
	Name      string `arg:"" help:"Name of the profile, such as dev or live."`
	Server    string `required:"" placeholder:"URL" help:"Address of the server, such as https://samla.example.com."`
	KeyFile   string `type:"path" placeholder:"FILE" help:"File with the API key; without it, the key is read from standard input."`
	PlainHTTP bool   `help:"Allow http to another machine, which sends the key without encryption."`
	NoCheck   bool   `help:"Do not ask the server whether it knows the key."`
}

type profileListCmd struct {
	JSON bool `help:"Print JSON."`
}

type profileUseCmd struct {
	Name string `arg:"" complete:"profiles" help:"Name of the profile."`
}

type profileRemoveCmd struct {
	Name string `arg:"" complete:"profiles" help:"Name of the profile."`
}

// remote is a server and the key for it.
type remote struct {
	Server    string `json:"server"`
	APIKey    string `json:"apiKey"`
	PlainHTTP bool   `json:"plainHTTP,omitempty"`
}

// profiles is the file of them.
type profiles struct {
	Current  string            `json:"current"`
	Profiles map[string]remote `json:"profiles"`
}

// maxProfiles is the size of the file in bytes, at most.
const maxProfiles = 1 << 20

// profileFile returns the path of the file: samla/profiles.json in the directory of the
// user's settings (XDG_CONFIG_HOME or ~/.config on Linux).
func profileFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no place for settings: %w", err)
	}
	return filepath.Join(dir, "samla", "profiles.json"), nil
}

// readProfiles returns the profiles; none if there is no file. A file that others can read
// is refused.
func readProfiles() (profiles, error) {
	p := profiles{Profiles: map[string]remote{}}
	path, err := profileFile()
	if err != nil {
		return p, err
	}
	text, err := durable.Read(path, maxProfiles)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, nil
	case errors.Is(err, durable.ErrMode):
		return p, fmt.Errorf("%w: others may have read the keys in it. Run: chmod 600 %s", err, shellQuote(path))
	case err != nil:
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil || p.Profiles == nil {
		return p, fmt.Errorf("%s cannot be read: remove it and add the profiles again", path)
	}
	return p, nil
}

// changeProfiles reads the profiles, lets change change them, and writes them, while no
// other process does.
func changeProfiles(change func(*profiles) error) error {
	path, err := profileFile()
	if err != nil {
		return err
	}
	if err := durable.Private(filepath.Dir(path)); err != nil {
		return err
	}
	lock, err := durable.Lock(path+".lock", true)
	if err != nil {
		return err
	}
	defer lock.Close()
	p, err := readProfiles()
	if err != nil {
		return err
	}
	if err := change(&p); err != nil {
		return err
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return durable.Replace(path, append(text, '\n'))
}

// find returns a profile by its name.
func (p profiles) find(name string) (remote, error) {
	found, is := p.Profiles[name]
	switch {
	case is:
		return found, nil
	case len(p.Profiles) == 0:
		return found, fmt.Errorf("there is no profile %q: make it with 'samla profile add %s --server URL'", name, name)
	default:
		return found, fmt.Errorf("there is no profile %q: there are %s", name, strings.Join(slices.Sorted(maps.Keys(p.Profiles)), ", "))
	}
}

var profileNameRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Run adds a profile, or changes it. The first one is used from then on.
func (c *profileAddCmd) Run(a *app) error {
	if !profileNameRE.MatchString(c.Name) {
		return errors.New("the name of a profile has letters, digits, points and hyphens, at most 64")
	}
	server, err := serverAddress(c.Server, c.PlainHTTP)
	if err != nil {
		return err
	}
	key, err := readKey(a, c.KeyFile)
	if err != nil {
		return err
	}
	added := remote{Server: server, APIKey: key, PlainHTTP: c.PlainHTTP}
	if !c.NoCheck {
		if _, err := added.client().Companies(a.ctx); err != nil {
			return fmt.Errorf("the profile was not added: %w", err)
		}
	}
	used := false
	err = changeProfiles(func(p *profiles) error {
		p.Profiles[c.Name] = added
		if _, is := p.Profiles[p.Current]; !is {
			p.Current = c.Name
		}
		used = p.Current == c.Name
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "added %s for %s\n", c.Name, server)
	if !used {
		fmt.Fprintf(a.err, "samla profile use %s makes it the one in use\n", c.Name)
	}
	return nil
}

// readKey reads an API key from a file, or from standard input: without showing it, if that
// is a terminal.
func readKey(a *app, file string) (string, error) {
	var text []byte
	var err error
	switch {
	case file != "":
		text, err = os.ReadFile(file)
	case isTerminal(os.Stdin):
		text, err = readHidden(a.ctx, a.err, "API key: ")
	default:
		text, err = io.ReadAll(io.LimitReader(os.Stdin, 1<<12))
	}
	if err != nil {
		return "", fmt.Errorf("the API key: %w", err)
	}
	return checkedKey(string(text))
}

// checkedKey returns a key without the white space around it. What no header can carry is
// not shown in the error.
func checkedKey(text string) (string, error) {
	key := strings.TrimSpace(text)
	if key == "" || len(key) > 512 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("what was given is no API key: samla key create prints one")
	}
	return key, nil
}

// serverAddress returns the address of a server as clients use it. http is for servers on
// this machine, if it is not allowed.
func serverAddress(text string, plainHTTP bool) (string, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q is no address of a server: write it as https://samla.example.com", text)
	}
	local := u.Hostname() == "localhost"
	if ip := net.ParseIP(u.Hostname()); ip != nil {
		local = ip.IsLoopback()
	}
	if u.Scheme == "http" && !local && !plainHTTP {
		return "", errors.New("http would send the API key without encryption: use https, or --plain-http if the way there is safe")
	}
	return u.String(), nil
}

// Run lists the profiles.
func (c *profileListCmd) Run(a *app) error {
	p, err := readProfiles()
	if err != nil {
		return err
	}
	type row struct {
		Name    string `json:"name"`
		Server  string `json:"server"`
		Current bool   `json:"current"`
	}
	rows := []row{}
	for _, name := range slices.Sorted(maps.Keys(p.Profiles)) {
		rows = append(rows, row{name, p.Profiles[name].Server, name == p.Current})
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(rows)
	}
	if len(rows) == 0 {
		fmt.Fprintln(a.err, "there is no profile: samla profile add NAME --server URL makes one")
		return nil
	}
	t := table{columns: []column{{}, {head: "PROFILE"}, {head: "SERVER"}}}
	for _, r := range rows {
		mark := " "
		if r.Current {
			mark = "*"
		}
		t.rows = append(t.rows, []string{mark, r.Name, r.Server})
	}
	return t.print(a.out)
}

// Run makes a profile the one in use.
func (c *profileUseCmd) Run(a *app) error {
	err := changeProfiles(func(p *profiles) error {
		_, err := p.find(c.Name)
		p.Current = c.Name
		return err
	})
	if err == nil {
		fmt.Fprintf(a.out, "using %s\n", c.Name)
	}
	return err
}

// Run removes a profile.
func (c *profileRemoveCmd) Run(a *app) error {
	err := changeProfiles(func(p *profiles) error {
		if _, err := p.find(c.Name); err != nil {
			return err
		}
		delete(p.Profiles, c.Name)
		if p.Current == c.Name {
			p.Current = ""
		}
		return nil
	})
	if err == nil {
		fmt.Fprintf(a.out, "removed %s; the key works until samla key revoke\n", c.Name)
	}
	return err
}
