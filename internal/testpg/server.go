package testpg

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrNoBinaries means that this machine has no PostgreSQL server programs.
var ErrNoBinaries = errors.New("no PostgreSQL server programs found (Debian package: postgresql)")

// role is the superuser of a test server. The server trusts every connection to its
// socket, which is in a directory of its own.
const role = "samla"

// EnvFsync is an environment variable. If it is off, servers leave it to the operating
// system when files are written to the disk. Tests kill processes, and no machines, so
// nothing that they see differs; figures do.
const EnvFsync = "SAMLA_TEST_POSTGRES_FSYNC"

// settings keep the server small. Full page writes stay on, so that crash tests are valid.
var settings = []string{
	"listen_addresses = ''",
	"unix_socket_permissions = 0777",
	"max_connections = 200",
	"shared_buffers = 64MB",
	"synchronous_commit = on",
	"full_page_writes = on",
	"max_wal_size = 512MB",
	"autovacuum_naptime = 10s",
	"jit = off",
	"timezone = 'UTC'",
	"log_min_messages = warning",
}

// supervisorScript starts and stops the server as its standard input says. When standard
// input is closed, which happens when the process that started it ends for any reason,
// it stops the server and removes the directory.
const supervisorScript = `
trap '' INT TERM HUP
up() { "$1/pg_ctl" -D "$2/data" -l "$2/log" -w -t 60 start >/dev/null 2>&1; }
down() { "$1/pg_ctl" -D "$2/data" -m "$3" -w -t 60 stop >/dev/null 2>&1; }
while read -r verb; do
	case $verb in
	start) up "$1" "$2" && echo ok || echo failed ;;
	stop) down "$1" "$2" fast && echo ok || echo failed ;;
	kill) down "$1" "$2" immediate && echo ok || echo failed ;;
	esac
done
down "$1" "$2" immediate
rm -rf "$2"
`

// Server is a PostgreSQL server with its own cluster in a temporary directory. It
// listens on a Unix socket in that directory, and on no TCP port.
type Server struct {
	dir        string
	supervisor *exec.Cmd
	commands   io.WriteCloser
	replies    *bufio.Reader
}

// Start creates a cluster in a temporary directory and starts a server on it. If the
// caller is root, the server runs as the user postgres or nobody, because it cannot run
// as root. The error is ErrNoBinaries if there are no server programs.
func Start() (*Server, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	who, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := makeDirectory(who)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.initialize(bin, who); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.startSupervisor(bin, who); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.command("start"); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return nil, errors.Join(fmt.Errorf("%w: %s", err, log), s.Close())
	}
	return s, nil
}

// URL returns the URL of the server's maintenance database.
func (s *Server) URL() string {
	return "postgres://" + role + "@/postgres?host=" + url.QueryEscape(s.dir)
}

// Kill stops the server immediately, as a crash would: without a checkpoint, and with all
// connections closed. Restart starts it again with crash recovery.
func (s *Server) Kill() error { return s.command("kill") }

// Stop shuts the server down; open transactions are rolled back.
func (s *Server) Stop() error { return s.command("stop") }

// Restart starts the server again after Kill or Stop, on the same data.
func (s *Server) Restart() error { return s.command("start") }

// Close stops the server and removes its data.
func (s *Server) Close() error {
	if err := s.commands.Close(); err != nil {
		return fmt.Errorf("close the server's supervisor: %w", err)
	}
	return s.supervisor.Wait()
}

func (s *Server) initialize(bin string, who *syscall.Credential) error {
	initdb := exec.Command(filepath.Join(bin, "initdb"),
		"-D", filepath.Join(s.dir, "data"), "-U", role, "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	initdb.Dir = s.dir
	initdb.Env = environment()
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	conf, err := os.OpenFile(filepath.Join(s.dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	fsync := "on"
	if os.Getenv(EnvFsync) == "off" {
		fsync = "off"
	}
	lines := append([]string{"unix_socket_directories = '" + s.dir + "'", "fsync = " + fsync}, settings...)
	_, err = conf.WriteString("\n" + strings.Join(lines, "\n") + "\n")
	return errors.Join(err, conf.Close())
}

func (s *Server) startSupervisor(bin string, who *syscall.Credential) error {
	s.supervisor = exec.Command("/bin/sh", "-c", supervisorScript, "testpg", bin, s.dir)
	// In its own session the server does not get the terminal's Ctrl-C, so it runs until
	// the tests have ended.
	s.supervisor.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setsid: true}
	s.supervisor.Dir = "/"
	s.supervisor.Env = environment()
	var err error
	if s.commands, err = s.supervisor.StdinPipe(); err != nil {
		return err
	}
	says, err := s.supervisor.StdoutPipe()
	if err != nil {
		return err
	}
	s.replies = bufio.NewReader(says)
	return s.supervisor.Start()
}

func (s *Server) command(verb string) error {
	if _, err := io.WriteString(s.commands, verb+"\n"); err != nil {
		return fmt.Errorf("%s the PostgreSQL server: %w", verb, err)
	}
	answer, err := s.replies.ReadString('\n')
	if err != nil {
		return fmt.Errorf("%s the PostgreSQL server: %w", verb, err)
	}
	if answer != "ok\n" {
		return fmt.Errorf("%s the PostgreSQL server: pg_ctl failed", verb)
	}
	return nil
}

// environment returns the server's environment, without the caller's PGDATA, PGPORT and
// similar variables.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// findBinaries returns the directory of the newest server programs. On Debian they are
// not on the PATH, but in one directory per version.
func findBinaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if err != nil {
		return "", err
	}
	sort.Slice(found, func(i, j int) bool { return version(found[i]) > version(found[j]) })
	if onPath, err := exec.LookPath("pg_ctl"); err == nil {
		found = append(found, onPath)
	}
	for _, pgctl := range found {
		dir := filepath.Dir(pgctl)
		_, err := os.Stat(filepath.Join(dir, "initdb"))
		_, err2 := os.Stat(filepath.Join(dir, "postgres"))
		if err == nil && err2 == nil {
			return dir, nil
		}
	}
	return "", ErrNoBinaries
}

func version(pgctl string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(pgctl))))
	if err != nil {
		return 0
	}
	return n
}

// serverUser returns the user that the server runs as; nil means the current one.
func serverUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("the PostgreSQL server cannot run as root, and there is no user postgres or nobody")
}

// makeDirectory creates the server's directory. It is in /tmp if os.TempDir is too long
// for a socket path (107 bytes) or if another user must access it.
func makeDirectory(who *syscall.Credential) (string, error) {
	parent := os.TempDir()
	if who != nil || len(parent) > 60 {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "samla-pg-")
	if err != nil {
		return "", err
	}
	if who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			return "", errors.Join(err, os.RemoveAll(dir))
		}
	}
	return dir, nil
}

// statementTimeout is the timeout of one administrative statement on a busy machine.
const statementTimeout = 2 * time.Minute

func withTimeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), statementTimeout)
}
