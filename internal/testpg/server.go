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

// ErrNoBinaries tells that this machine has no PostgreSQL server program.
var ErrNoBinaries = errors.New("no PostgreSQL server programs found (Debian package: postgresql)")

// role is the superuser of a test server; the server trusts whoever reaches its
// socket, and the socket lies in a directory of its own.
const role = "samla"

// settings make a server that is small but honest: fsync and full page writes
// stay on, so that a crash test on it means something.
var settings = []string{
	"listen_addresses = ''",
	"unix_socket_permissions = 0777",
	"max_connections = 200",
	"shared_buffers = 64MB",
	"fsync = on",
	"synchronous_commit = on",
	"full_page_writes = on",
	"max_wal_size = 512MB",
	"autovacuum_naptime = 10s",
	"jit = off",
	"timezone = 'UTC'",
	"log_min_messages = warning",
}

// supervisor owns the server process and its directory. It lives exactly as long
// as its standard input is open: when the program that started it ends, however
// it ends, the server stops and the directory is removed.
const supervisor = `
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

// Server is a PostgreSQL server of our own, reached over a Unix socket in its
// own directory. It uses no TCP port and touches no other cluster.
type Server struct {
	dir   string
	sh    *exec.Cmd
	verbs io.WriteCloser
	says  *bufio.Reader
}

// Start makes a new cluster in a temporary directory and starts it. A caller who
// is root gets a server of the user postgres or nobody, since the server refuses
// to be root. The error is ErrNoBinaries when there is nothing to start.
func Start() (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	who, err := owner()
	if err != nil {
		return nil, err
	}
	dir, err := directory(who)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.create(bin, who); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.supervise(bin, who); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.tell("start"); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return nil, errors.Join(fmt.Errorf("%w: %s", err, log), s.Close())
	}
	return s, nil
}

// URL names the maintenance database of the server.
func (s *Server) URL() string {
	return "postgres://" + role + "@/postgres?host=" + url.QueryEscape(s.dir)
}

// Kill stops the server at once, as a crash would: no checkpoint, every
// connection cut. Restart brings it back through crash recovery.
func (s *Server) Kill() error { return s.tell("kill") }

// Stop ends the server in good order: open transactions are rolled back.
func (s *Server) Stop() error { return s.tell("stop") }

// Restart starts the server again after Kill or Stop, on the same data.
func (s *Server) Restart() error { return s.tell("start") }

// Close stops the server and removes its data. It returns when both are done.
func (s *Server) Close() error {
	if err := s.verbs.Close(); err != nil {
		return fmt.Errorf("close the server's supervisor: %w", err)
	}
	return s.sh.Wait()
}

func (s *Server) create(bin string, who *syscall.Credential) error {
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
	lines := append([]string{"unix_socket_directories = '" + s.dir + "'"}, settings...)
	_, err = conf.WriteString("\n" + strings.Join(lines, "\n") + "\n")
	return errors.Join(err, conf.Close())
}

func (s *Server) supervise(bin string, who *syscall.Credential) error {
	s.sh = exec.Command("/bin/sh", "-c", supervisor, "testpg", bin, s.dir)
	// A session of its own keeps a Ctrl-C in the terminal away from the server
	// until the tests have had their end.
	s.sh.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setsid: true}
	s.sh.Dir = "/"
	s.sh.Env = environment()
	var err error
	if s.verbs, err = s.sh.StdinPipe(); err != nil {
		return err
	}
	says, err := s.sh.StdoutPipe()
	if err != nil {
		return err
	}
	s.says = bufio.NewReader(says)
	return s.sh.Start()
}

func (s *Server) tell(verb string) error {
	if _, err := io.WriteString(s.verbs, verb+"\n"); err != nil {
		return fmt.Errorf("%s the PostgreSQL server: %w", verb, err)
	}
	answer, err := s.says.ReadString('\n')
	if err != nil {
		return fmt.Errorf("%s the PostgreSQL server: %w", verb, err)
	}
	if answer != "ok\n" {
		return fmt.Errorf("%s the PostgreSQL server: pg_ctl says no", verb)
	}
	return nil
}

// environment keeps the caller's PGDATA, PGPORT and the like out of the server.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// binaries is the directory of the newest server programs: Debian keeps them off
// the PATH, one directory a version.
func binaries() (string, error) {
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

// owner is whom the server runs as: nil for the caller, who is not root.
func owner() (*syscall.Credential, error) {
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

// directory makes the server's home. It lies in /tmp where the name must stay
// short (a socket's path ends at 107 bytes) or another user must reach it.
func directory(who *syscall.Credential) (string, error) {
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

// limit bounds one administrative statement: generous, for a busy machine.
const limit = 2 * time.Minute

func bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), limit)
}
