package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
)

// contents lists the files of the package. etc/samla is readable by the service only
// (etc/postinst): the entries of banks name their keys.
func contents(r release) (files.Contents, error) {
	at := func(from, to string, mode os.FileMode) *files.Content {
		return &files.Content{Source: from, Destination: to, FileInfo: &files.ContentFileInfo{Mode: mode}}
	}
	file := func(from, to string, mode os.FileMode) *files.Content {
		return at(filepath.Join(r.root, from), to, mode)
	}
	env := file("packaging/etc/samla.env", "/etc/samla/samla.env", 0o640)
	env.Type = files.TypeConfigNoReplace
	list := files.Contents{
		env,
		at(r.program, "/usr/bin/samla", 0o755),
		at(filepath.Join(filepath.Dir(r.program), "licences.txt"), "/usr/share/doc/samla/licences.txt", 0o644),
		file("packaging/etc/samla.service", "/usr/lib/systemd/system/samla.service", 0o644),
		file("packaging/etc/samla.sysusers", "/usr/lib/sysusers.d/samla.conf", 0o644),
		file("LICENSE", "/usr/share/doc/samla/copyright", 0o644),
	}
	pages, err := filepath.Glob(filepath.Join(r.root, "docs/*.md")) // all, because they name each other
	for _, page := range pages {
		list = append(list, at(page, "/usr/share/doc/samla/"+filepath.Base(page), 0o644))
	}
	return list, err
}

// writeDeb writes a Debian package into a directory. The licences of what the program
// carries (make licences) lie beside the program.
func writeDeb(r release, dir string) (path string, err error) {
	script := func(name string) string { return filepath.Join(r.root, "packaging/etc", name) }
	carried, err := contents(r)
	if err != nil {
		return "", err
	}
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: "samla", Arch: r.arch, Platform: "linux", Version: r.version, VersionSchema: "none", Section: "net", Priority: "optional",
		Maintainer: "The Samla authors <samla@localhost>", License: "Apache-2.0", MTime: r.time, DisableGlobbing: true,
		Description: "Server that collects financial data with the person's consent\nSQLite is inside; PostgreSQL is for several nodes.",
		Overridables: nfpm.Overridables{
			Contents:   carried,
			Recommends: []string{"ca-certificates"},
			Suggests:   []string{"postgresql"},
			Scripts:    nfpm.Scripts{PostInstall: script("postinst"), PreRemove: script("prerm"), PostRemove: script("postrm")},
			Deb:        nfpm.Deb{Compression: "gzip"},
		},
	})
	if err := nfpm.PrepareForPackager(info, "deb"); err != nil {
		return "", err
	}
	path = filepath.Join(dir, deb.Default.ConventionalFileName(info))
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return path, deb.Default.Package(info, f)
}
