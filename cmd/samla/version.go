package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"samla/internal/server"
	"samla/internal/store/sqlstore"
)

type versionCmd struct {
	JSON bool `help:"Print one line of JSON instead of text."`
}

// version describes this program.
type version struct {
	Version  string   `json:"version"`            // of the module; "devel" for a build of a working tree
	Revision string   `json:"revision,omitempty"` // of the repository, if the build knew it
	Time     string   `json:"time,omitempty"`     // of the revision
	Modified bool     `json:"modified"`           // files differed from the revision
	Go       string   `json:"go"`
	Platform string   `json:"platform"`
	API      []string `json:"api"`    // versions of the API that the server runs
	Schema   int64    `json:"schema"` // of the database: number of the newest migration
}

// Run prints the version.
func (c *versionCmd) Run(a *app) error {
	info, _ := debug.ReadBuildInfo()
	v := versionOf(info)
	if c.JSON {
		return json.NewEncoder(a.out).Encode(v)
	}
	return v.print(a.out)
}

// versionOf returns what a build says about itself. A nil info has no module.
func versionOf(info *debug.BuildInfo) version {
	v := version{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, API: server.APIVersions(),
		Schema: sqlstore.NewestMigration()}
	if info == nil {
		return v
	}
	if info.Main.Version != "" {
		v.Version = strings.Trim(info.Main.Version, "()")
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (v version) print(out io.Writer) error {
	text := "samla " + v.Version
	if v.Revision != "" {
		text += ", revision " + v.Revision[:min(12, len(v.Revision))] + " of " + v.Time
	}
	if v.Modified {
		text += ", modified"
	}
	_, err := fmt.Fprintf(out, "%s\nAPI     %s\nschema  %d\nbuilt with %s for %s\n", text, strings.Join(v.API, ", "), v.Schema, v.Go, v.Platform)
	return err
}
