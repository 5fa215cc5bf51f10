package renormalise_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/flowtest"
	"samla/internal/renormalise"
	"samla/internal/seal/keyset"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/user"
	"samla/internal/uuid7"
	"samla/test/process"
)

// envLarge is how many collections TestLarge renormalises; envChild is the folder of the
// process that does it.
const (
	envLarge = "SAMLA_RENORMALISE"
	envChild = "SAMLA_RENORMALISE_IN"
)

// largeEnv opens the store of a folder, with its master key and its user.
func largeEnv(t *testing.T, dir string) *env {
	t.Helper()
	name := filepath.Join(dir, "master")
	if f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		if err := keyset.GenerateMaster(f); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	master, err := keyset.LoadMaster(name, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: filepath.Join(dir, "store"), Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := &flowtest.Env{TB: t, Store: s, Clock: clock.NewManual(flowtest.Start)}
	if b.Vault, err = keyset.New(master, s, b.Clock); err != nil {
		t.Fatal(err)
	}
	b.IDs = uuid7.NewGenerator(b.Clock, rand.Reader)
	b.User = user.User{ID: "00000000-0000-7000-8000-000000000001", ClientID: "00000000-0000-7000-8000-000000000002", ExternalID: "customer",
		CreatedAt: flowtest.Start, UpdatedAt: flowtest.Start}
	e := envOf(t, b)
	e.under.ID = "00000000-0000-7000-8000-000000000003"
	return e
}

// TestLarge renormalises many collections of 20 transactions each in a process of its own,
// which is killed half-way and started again. The size is small unless the environment says
// more:
//
//	SAMLA_RENORMALISE=100000 go test ./internal/renormalise -run TestLarge -v -timeout 2h
func TestLarge(t *testing.T) {
	if dir := os.Getenv(envChild); dir != "" {
		child(t, dir)
		return
	}
	n := 600
	if text := os.Getenv(envLarge); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	t.Run("generate", func(t *testing.T) { generate(t, largeEnv(t, dir), n) })

	begun := time.Now()
	killed := 0
	run(t, dir, func(p *os.Process, done int) {
		if done >= n/2 && killed == 0 {
			killed = done
			_ = p.Kill()
		}
	})
	if killed == 0 {
		t.Fatal("the process was not killed")
	}
	t.Logf("killed after %d of %d collections and %s", killed, n, time.Since(begun).Round(time.Millisecond))
	begun = time.Now()
	var most, last int
	var first []int
	said := run(t, dir, func(p *os.Process, done int) {
		rss := memoryOf(p.Pid)
		if most = max(most, rss); len(first) < 20 {
			first = append(first, rss)
		}
		last = rss
	})
	changed, up, _ := strings.Cut(said, " ")
	c, _ := strconv.Atoi(changed)
	u, _ := strconv.Atoi(up)
	if c+u != n || u < killed || c == 0 {
		t.Errorf("after the kill %q: %d of %d, %d before", said, c+u, n, killed)
	}
	took := time.Since(begun)
	t.Logf("%d collections in %s: %.0f a second; resident memory %v KiB at the begin, %d at most, %d at the end", c, took.Round(time.Millisecond),
		float64(c)/took.Seconds(), first[len(first)-1], most, last)
}

func generate(t *testing.T, e *env, n int) {
	e.Write(func(tx store.Tx) error {
		if err := tx.AddClient(t.Context(), client.Client{ID: e.User.ClientID, Name: "acme", CreatedAt: flowtest.Start}); err != nil {
			return err
		}
		return tx.AddUser(t.Context(), e.User)
	})
	e.Write(func(tx store.Tx) error { return tx.AddConsent(t.Context(), e.under) })
	said := answers(20, "2026-01-01")
	for n > 0 {
		many := make([]func(store.Tx) error, min(n, 500))
		for i := range many {
			many[i] = e.writes(e.collection(e.User.ID), said)
		}
		e.Write(func(tx store.Tx) error {
			for _, write := range many {
				if err := write(tx); err != nil {
					return err
				}
			}
			return nil
		})
		n -= len(many)
	}
}

// run starts the process and calls at for each line of its progress. It returns its last
// line.
func run(t *testing.T, dir string, at func(p *os.Process, done int)) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestLarge$", "-test.timeout=2h")
	cmd.Env = append(os.Environ(), envChild+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	process.StartChild(t, cmd)
	end := ""
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if text, is := strings.CutPrefix(lines.Text(), "done "); is {
			n, _ := strconv.Atoi(text)
			at(cmd.Process, n)
		} else if text, is := strings.CutPrefix(lines.Text(), "end "); is {
			end = text
		}
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait() // it may have been killed
	return end
}

// child is the process that renormalises.
func child(t *testing.T, dir string) {
	e := largeEnv(t, dir)
	done, err := e.runner(true).Run(context.Background(), renormalise.Options{Parallel: 2,
		Progress: func(s renormalise.Summary) { fmt.Println("done", s.Of(renormalise.Changed)) }})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("end", done.Of(renormalise.Changed), done.Of(renormalise.UpToDate))
}

// memoryOf returns the resident memory of a process in KiB; 0 if the system does not tell.
func memoryOf(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, is := strings.CutPrefix(line, "VmRSS:"); is {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n
		}
	}
	return 0
}
