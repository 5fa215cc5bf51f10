package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"samla/internal/apiclient"
)

// apiFlags say which server a command talks to.
type apiFlags struct {
	Profile   string `complete:"profiles" placeholder:"NAME" help:"Profile with the server and its API key; without it, the one of samla profile use."`
	Server    string `placeholder:"URL" help:"Address of the server, in place of a profile. Needs --api-key."`
	APIKey    string `name:"api-key" placeholder:"KEY" help:"API key for --server. Pass it as SAMLA_API_KEY, so that it is not in the list of processes."`
	PlainHTTP bool   `help:"Allow http to another machine with --server."`
}

// jsonFlag is of commands that print tables.
type jsonFlag struct {
	JSON bool `help:"Print what the API answers (docs/reference/api.md), for programs."`
}

// apiTimeout is how long a request may take.
const apiTimeout = 30 * time.Second

// api returns the client of the wanted server. The key of a profile goes to no other server
// than its own.
func (f apiFlags) api() (*apiclient.Client, error) {
	if f.Server != "" {
		if f.Profile != "" {
			return nil, errors.New("both a profile and a server are named, so it is not clear which one is meant: leave out --profile (SAMLA_PROFILE), or --server (unset SAMLA_SERVER)")
		}
		server, err := serverAddress(f.Server, f.PlainHTTP)
		if err != nil {
			return nil, err
		}
		if f.APIKey == "" {
			return nil, errors.New("--server needs an API key: set SAMLA_API_KEY, or keep both in a profile with 'samla profile add NAME --server URL'")
		}
		key, err := checkedKey(f.APIKey)
		return remote{Server: server, APIKey: key}.client(), err
	}
	p, err := readProfiles()
	if err != nil {
		return nil, err
	}
	name := f.Profile
	if name == "" {
		name = p.Current
	}
	if name == "" {
		return nil, errors.New("no server is chosen: 'samla profile add NAME --server URL' keeps one with its API key (samla dev prints both); or set SAMLA_SERVER and SAMLA_API_KEY")
	}
	found, err := p.find(name)
	return found.client(), err
}

// client returns a client. It follows no redirect, which would carry the key elsewhere.
func (p remote) client() *apiclient.Client {
	return &apiclient.Client{Base: p.Server, APIKey: p.APIKey, HTTP: &http.Client{Timeout: apiTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

var uuidRE = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// userID returns the id of a user who is named by it, or by the id that the client gave.
func userID(ctx context.Context, api *apiclient.Client, named string) (string, error) {
	if uuidRE.MatchString(named) {
		return named, nil
	}
	u, err := api.FindUser(ctx, named)
	return u.ID, err
}

// session returns a session token of a user who is named as for userID.
func session(ctx context.Context, api *apiclient.Client, named string) (string, error) {
	id, err := userID(ctx, api, named)
	if err != nil {
		return "", err
	}
	return api.CreateSession(ctx, id)
}

// printJSON prints JSON as it came, on a line.
func (a *app) printJSON(data json.RawMessage) error {
	var line bytes.Buffer
	if err := json.Compact(&line, data); err != nil {
		return errors.New("the server's answer is no JSON: is it a server of Samla?")
	}
	line.WriteByte('\n')
	_, err := a.out.Write(line.Bytes())
	return err
}

// show prints what a route answers: as JSON, or as a table of its rows.
func show[T any](a *app, asJSON bool, data json.RawMessage, columns []column, row func(T) []string, empty string) error {
	if asJSON {
		return a.printJSON(data)
	}
	var all []T
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	if len(all) == 0 {
		fmt.Fprintln(a.err, empty)
		return nil
	}
	t := table{columns: columns}
	for _, one := range all {
		t.rows = append(t.rows, row(one))
	}
	return t.print(a.out)
}

// list makes one list of the items of pages.
func list(items []json.RawMessage) json.RawMessage {
	return append(append([]byte{'['}, bytes.Join(raw(items), []byte{','})...), ']')
}

func raw(items []json.RawMessage) [][]byte {
	all := make([][]byte, len(items))
	for i, item := range items {
		all[i] = item
	}
	return all
}

// path joins an id to a route.
func path(route, id string, rest string) string { return route + url.PathEscape(id) + rest }
