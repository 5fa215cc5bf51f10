package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blakesmith/ar"
)

const projectRoot = "../../.."

// build returns the program as it is released, with the file of licences beside it.
func build(t *testing.T) release {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "samla")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./cmd/samla")
	cmd.Dir, cmd.Env = projectRoot, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "licences.txt"), []byte("licences"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := releaseOf(program, projectRoot)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unpack writes the files of a tar archive below a directory and returns their modes.
func unpack(t *testing.T, r io.Reader, root string) map[string]os.FileMode {
	t.Helper()
	modes := map[string]os.FileMode{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return modes
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, filepath.Clean("/"+h.Name))
		modes[strings.TrimPrefix(h.Name, "./")] = h.FileInfo().Mode()
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o755)
		} else {
			content, readErr := io.ReadAll(tr)
			err = errors.Join(readErr, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, h.FileInfo().Mode()))
		}
		if err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() == 0 {
			if err := os.Chown(path, h.Uid, h.Gid); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// inside returns a command in a root that has nothing but what was unpacked there.
func inside(ctx context.Context, root string, uid uint32, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = "/", []string{"SAMLA_DATA=/var/lib/samla", "SAMLA_MASTER_KEY_FILE=/var/lib/samla-keys/master.json"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: uid}
		return cmd
	}
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	return cmd
}

// start starts a command, and returns what the first group of a pattern matches in what it
// prints, which ends with white space: a read may end within a word. The command is killed at
// the end of the test, if it has not ended.
func start(t *testing.T, cmd *exec.Cmd, pattern string) string {
	t.Helper()
	log, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var text bytes.Buffer
	for buffer, want := make([]byte, 4096), regexp.MustCompile(pattern); ; {
		n, err := log.Read(buffer)
		text.Write(buffer[:n])
		if found := want.FindSubmatch(text.Bytes()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return string(found[1])
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, text.String())
		}
	}
}

// serves runs what was unpacked: a master key, an API key, and the server until it answers
// and is asked to stop.
func serves(t *testing.T, root string, uid uint32) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	run := func(args ...string) string {
		out, err := inside(ctx, root, uid, args...).CombinedOutput()
		if errors.Is(err, syscall.EPERM) {
			t.Skip("this machine allows no new root directory: ", err)
		}
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if out := run("/usr/bin/samla", "version"); !strings.Contains(out, "2026-04-01") {
		t.Error(out)
	}
	run("/usr/bin/samla", "master-key", "/var/lib/samla-keys/master.json")
	key := strings.TrimSpace(run("/usr/bin/samla", "key", "create", "test"))
	start(t, inside(ctx, root, uid, "/usr/bin/samla", "sandbox", "--data", "/var/lib/samla/sandbox", "--listen", "127.0.0.1:0"), `Banks file\s+(\S+)\s`)
	serve := inside(ctx, root, uid, "/usr/bin/samla", "serve", "--banks", "/var/lib/samla/sandbox/banks.json", "--listen", "127.0.0.1:0")
	address := start(t, serve, `msg=serving address=(\S+)\s`)
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/companies/availability", nil)
	r.Header.Set("Authorization-Token", key)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Error(res.Status)
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Error(err)
	}
}

func TestDeb_RunsInAnEmptyRoot(t *testing.T) {
	r := build(t)
	path, err := writeDeb(r, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	root, control := t.TempDir(), t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	var modes map[string]os.FileMode
	for members := ar.NewReader(f); ; {
		h, err := members.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		to := map[string]string{"data.tar.gz": root, "control.tar.gz": control}[strings.TrimSuffix(h.Name, "/")]
		if to == "" {
			continue
		}
		z, err := gzip.NewReader(members)
		if err != nil {
			t.Fatal(err)
		}
		if got := unpack(t, z, to); to == root {
			modes = got
		}
	}
	for name, want := range map[string]os.FileMode{"usr/bin/samla": 0o755, "etc/samla/samla.env": 0o640,
		"usr/lib/systemd/system/samla.service": 0o644, "usr/lib/sysusers.d/samla.conf": 0o644,
		"usr/share/doc/samla/operate.md": 0o644, "usr/share/doc/samla/operate-backup.md": 0o644, "usr/share/doc/samla/licences.txt": 0o644, "usr/share/doc/samla/copyright": 0o644} {
		if modes[name] != want {
			t.Errorf("%s has mode %v", name, modes[name])
		}
	}
	if text, err := os.ReadFile(filepath.Join(control, "conffiles")); err != nil || strings.TrimSpace(string(text)) != "/etc/samla/samla.env" {
		t.Errorf("configuration files: %q, %v", text, err)
	}
	if err := os.MkdirAll(filepath.Join(root, "var/lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"var/lib/samla", "var/lib/samla-keys"} { // as postinst makes them
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() == 0 {
			if err := os.Chown(filepath.Join(root, dir), 10001, 10001); err != nil {
				t.Fatal(err)
			}
		}
	}
	serves(t, root, 10001)
}

func TestImage_RunsInAnEmptyRoot(t *testing.T) {
	r := build(t)
	path, err := writeImage(r, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	dir, root := t.TempDir(), t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	unpack(t, f, dir)
	blob := func(digest string, into any) []byte {
		content, err := os.ReadFile(filepath.Join(dir, "blobs", strings.Replace(digest, ":", "/", 1)))
		if err == nil && into != nil {
			err = json.Unmarshal(content, into)
		}
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	type descriptor struct{ MediaType, Digest string }
	var index struct{ Manifests []descriptor }
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err == nil {
		err = json.Unmarshal(text, &index)
	}
	if err != nil || len(index.Manifests) != 1 {
		t.Fatalf("%s: %v", text, err)
	}
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	blob(index.Manifests[0].Digest, &manifest)
	var config struct {
		OS, Architecture string
		Config           struct {
			User            string
			Entrypoint, Cmd []string
		}
	}
	blob(manifest.Config.Digest, &config)
	if config.OS != "linux" || config.Architecture != r.arch || config.Config.User != "10001:10001" || config.Config.Entrypoint[0] != "/usr/bin/samla" ||
		len(manifest.Layers) != 1 || manifest.Layers[0].MediaType != "application/vnd.oci.image.layer.v1.tar+gzip" {
		t.Errorf("%+v, %+v", config, manifest)
	}
	z, err := gzip.NewReader(bytes.NewReader(blob(manifest.Layers[0].Digest, nil)))
	if err != nil {
		t.Fatal(err)
	}
	unpack(t, z, root)
	serves(t, root, 10001)
}

func TestPack_SameProgramGivesSameBytes(t *testing.T) {
	r := build(t)
	for name, write := range map[string]func(release, string) (string, error){"deb": writeDeb, "image": writeImage} {
		var files [2][]byte
		for i := range files {
			path, err := write(r, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if files[i], err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(files[0], files[1]) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestVersionOf_OrdersAsDebianDoes(t *testing.T) {
	at := time.Date(2026, 11, 27, 1, 2, 3, 0, time.UTC)
	for _, c := range []struct {
		module, revision string
		modified         bool
		want             string
	}{
		{"v1.2.3", "0123456789abcdef", false, "1.2.3"},
		{"v1.2.3-rc.1", "", false, "1.2.3~rc.1"},
		{"(devel)", "0123456789abcdef", false, "0.0.0~git20261127010203.0123456789ab"},
		{"v0.0.0-20261127010203-0123456789ab", "0123456789abcdef", false, "0.0.0~git20261127010203.0123456789ab"},
		{"v1.2.3", "0123456789abcdef", true, "0.0.0~git20261127010203.0123456789ab+modified"},
		{"", "", false, "0.0.0~git20261127010203"},
	} {
		if got := versionOf(c.module, c.revision, c.modified, at); got != c.want {
			t.Errorf("%+v gave %q", c, got)
		}
	}
}
