package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is the number of the user that the image runs as. It has no name outside of it.
const user = "10001"

// writeImage writes an image layout of the Open Container Initiative in a tar file: the
// program, a user, the directories, and the certificates of public authorities of the
// machine that packs. There is no shell in it.
func writeImage(r release, dir string) (string, error) {
	files, err := imageFiles(r)
	if err != nil {
		return "", err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return "", err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "pack image", Created: v1.Time{Time: r.time}}})
	if err != nil {
		return "", err
	}
	config := &v1.ConfigFile{OS: "linux", Architecture: r.arch, Created: v1.Time{Time: r.time}, Config: v1.Config{
		Entrypoint: []string{"/usr/bin/samla"}, Cmd: []string{"serve"}, User: user + ":" + user, WorkingDir: "/var/lib/samla",
		Env: []string{"PATH=/usr/bin", "SAMLA_DATA=/var/lib/samla", "SAMLA_MASTER_KEY_FILE=/var/lib/samla-keys/master.json",
			"SAMLA_BANKS=/etc/samla/banks.json", "SAMLA_LISTEN=0.0.0.0:8080"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Volumes:      map[string]struct{}{"/var/lib/samla": {}, "/var/lib/samla-keys": {}},
		StopSignal:   "SIGTERM",
		Labels: map[string]string{"org.opencontainers.image.title": "samla", "org.opencontainers.image.version": r.version,
			"org.opencontainers.image.licenses": "Apache-2.0"},
	}}
	layers, err := image.ConfigFile()
	if err != nil {
		return "", err
	}
	config.RootFS, config.History = layers.RootFS, layers.History
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "samla_"+r.version+"_"+r.arch+".oci.tar")
	return path, writeLayout(image, "samla:"+strings.NewReplacer("~", "-", "+", "-").Replace(r.version), path, r)
}

// authorities are the places where distributions keep the certificates of public
// authorities.
var authorities = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"}

// imageFiles returns the only layer.
func imageFiles(r release) ([]byte, error) {
	program, err := os.ReadFile(r.program)
	if err != nil {
		return nil, err
	}
	var certificates []byte
	for _, path := range authorities {
		if certificates, err = os.ReadFile(path); err == nil {
			break
		}
	}
	if err != nil {
		return nil, errors.New("this machine has no certificates of public authorities: install ca-certificates")
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	add := func(name string, mode int64, owner int, content []byte) {
		h := &tar.Header{Name: name, Mode: mode, Uid: owner, Gid: owner, ModTime: r.time, Size: int64(len(content)), Typeflag: tar.TypeReg}
		if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		err = errors.Join(err, w.WriteHeader(h))
		_, writeErr := w.Write(content)
		err = errors.Join(err, writeErr)
	}
	const owner = 10001
	for _, dir := range []string{"etc/", "etc/samla/", "etc/ssl/", "etc/ssl/certs/", "usr/", "usr/bin/", "var/", "var/lib/"} {
		add(dir, 0o755, 0, nil)
	}
	add("tmp/", 0o1777, 0, nil)
	add("var/lib/samla/", 0o700, owner, nil)
	add("var/lib/samla-keys/", 0o700, owner, nil)
	add("etc/passwd", 0o644, 0, []byte("root:x:0:0:root:/:/sbin/nologin\nsamla:x:"+user+":"+user+":Samla:/var/lib/samla:/sbin/nologin\n"))
	add("etc/group", 0o644, 0, []byte("root:x:0:\nsamla:x:"+user+":\n"))
	add("etc/ssl/certs/ca-certificates.crt", 0o644, 0, certificates)
	add("usr/bin/samla", 0o755, 0, program)
	return out.Bytes(), errors.Join(err, w.Close())
}

// writeLayout writes an image layout as a tar file.
func writeLayout(image v1.Image, name, path string, r release) (err error) {
	dir, err := os.MkdirTemp("", "samla-image")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	if err := l.AppendImage(image, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": name})); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := tar.NewWriter(f)
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(inside), Mode: 0o644, Size: int64(len(content)), ModTime: r.time, Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	return errors.Join(err, w.Close())
}
