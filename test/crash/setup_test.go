package crash

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/test/process"
)

// crashTest is one crash test: the servers, the sandbox, and the recorder.
type crashTest struct {
	*testing.T
	dir      string
	database string // PostgreSQL URL; empty: SQLite
	apiKey   string
	sandbox  *process.Process
	phone    *apiclient.Phone
	source   *source
	nodes    []*node
	recorder *recorder
	persons  *persons
	http     *http.Client

	atBanks, duplicates int // numbers of consents at the banks

	cursor   string  // of the follower of the events
	followed []event // what it has got

	jobs map[string][]string // rows of odd flows, by id

	acknowledged, duplicateEffects int // of answers in logins, and at the recording source
}

// node is one server: its current process and the previous ones, which were killed.
type node struct {
	t    *testing.T
	args []string

	process  *process.Process
	previous []*process.Process
	mu       sync.Mutex
	address  string // empty while it is not serving
}

func setUp(t *testing.T, database string, nodes int) *crashTest {
	dir := t.TempDir()
	r := &crashTest{T: t, dir: dir, database: database, recorder: newRecorder(), persons: newPersons(), jobs: map[string][]string{},
		http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: workers}}}
	r.sandbox = process.Start(t, program, "sandbox", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "sandbox"),
		"--json", "--log-level", "debug")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	line, err := r.sandbox.Out.Await(ctx, regexp.MustCompile(`\{.*\}`))
	if err != nil {
		t.Fatalf("the sandbox does not start: %v\n%s", err, r.sandbox.Log.Tail())
	}
	var sandbox struct{ Sandbox, SandboxCA, Banks string }
	if err := json.Unmarshal([]byte(line[0]), &sandbox); err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(sandbox.SandboxCA)
	if err != nil {
		t.Fatal(err)
	}
	r.phone = apiclient.NewPhone(sandbox.Sandbox, ca)
	r.source = startSource(t)
	institutions := r.addInstitution(sandbox.Banks)
	master := r.masterFile()
	r.command("master-key", master)
	store := []string{"--master-key-file", master, "--data", r.dataDir()}
	if database != "" {
		store = append(store, "--database", database)
	}
	r.apiKey = strings.TrimSpace(r.command(append([]string{"key", "create", "crash"}, store...)...))
	for range nodes {
		n := &node{t: t, args: append([]string{"serve", "--banks", institutions, "--listen", "127.0.0.1:0",
			"--log-level", "debug", "--rate-limit", "0"}, store...)}
		r.nodes = append(r.nodes, n)
		n.start()
		if err := n.await(ctx); err != nil {
			t.Fatalf("the server does not start: %v\n%s", err, n.process.Log.Tail())
		}
	}
	return r
}

// addInstitution writes the institutions file of the sandbox with the recording source
// beside it, and returns its path.
func (r *crashTest) addInstitution(sandboxFile string) string {
	r.Helper()
	var file map[string]any
	text, err := os.ReadFile(sandboxFile)
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	secret := filepath.Join(r.dir, "source-secret")
	if err == nil {
		err = os.WriteFile(secret, []byte(sourceSecret), 0o600)
	}
	if err != nil {
		r.Fatal(err)
	}
	banks, _ := file["banks"].([]any)
	file["banks"] = append(banks, r.source.entry(secret))
	path := filepath.Join(filepath.Dir(sandboxFile), "with-source.json")
	if text, err = json.Marshal(file); err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		r.Fatal(err)
	}
	return path
}

func (r *crashTest) masterFile() string { return filepath.Join(r.dir, "master.json") }

func (r *crashTest) dataDir() string { return filepath.Join(r.dir, "data") }

// command runs a command that must succeed and returns what it prints.
func (r *crashTest) command(args ...string) string {
	r.Helper()
	out, log, status := process.Run(r, program, args...)
	if status != 0 {
		r.Fatalf("samla %s: exit status %d:\n%s", args[0], status, log)
	}
	return out
}

func (n *node) start() { n.process = process.Start(n.t, program, n.args...) }

// await waits until the node is serving.
func (n *node) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, resumeTimeout)
	defer cancel()
	address, err := n.process.Address(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.address = address
	return err
}

// kill kills the node and returns the time.
func (n *node) kill() time.Time {
	n.mu.Lock()
	n.address = ""
	n.mu.Unlock()
	n.process.Kill()
	n.previous = append(n.previous, n.process)
	return time.Now()
}

// currentAddress returns the URL of the node, or "" while it is not serving.
func (n *node) currentAddress() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.address
}

// logs returns the logs of all processes of all nodes, and of the sandbox.
func (r *crashTest) logs() []*process.Output {
	all := []*process.Output{r.sandbox.Log}
	for _, n := range r.nodes {
		for _, p := range append(n.previous, n.process) {
			all = append(all, p.Log)
		}
	}
	return all
}
