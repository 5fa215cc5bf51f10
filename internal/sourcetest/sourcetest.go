// Package sourcetest starts the example sources of examples/, each in a process of its own,
// for tests of what speaks to sources. Only tests import it.
package sourcetest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Secret is the secret of the examples.
const Secret = "not-a-real-secret-0123456789"

// The test person of the examples: one of Skatteverket's test numbers, and the code.
const (
	PersonalNumber = "198412099296"
	Code           = "123456"
	Institution    = "se-example"
	LoginMethod    = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"
)

// startTime is how long an example may take to start on a busy machine.
const startTime = time.Minute

// Go builds and starts the example in Go. It returns its URL. The process ends with the test.
func Go(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "source-go")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "samla/examples/source-go")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as the program of users: what both need is compiled once
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return start(t, exec.Command(program, "--listen", "127.0.0.1:0"))
}

// Node starts the example in Node. The test is skipped if there is no Node, or fails if
// SAMLA_TEST_REQUIRE_GENERATORS is set.
func Node(t testing.TB) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("SAMLA_TEST_REQUIRE_GENERATORS") != "" {
			t.Fatal("there is no node: see tools/deps.sh")
		}
		t.Skip("there is no node")
	}
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	return start(t, exec.Command(node, filepath.Join(strings.TrimSpace(string(root)), "examples", "source-node", "source.mjs")))
}

// start starts a source that prints its URL.
func start(t testing.TB, c *exec.Cmd) string {
	t.Helper()
	c.Env = append(os.Environ(), "SOURCE_SECRET="+Secret, "PORT=0")
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(out).ReadString('\n')
		line <- strings.TrimSpace(text)
	}()
	select {
	case url := <-line:
		if !strings.HasPrefix(url, "http://") {
			t.Fatalf("the source has ended, or printed %q", url)
		}
		return url
	case <-time.After(startTime):
		t.Fatal("the source does not start")
	}
	return ""
}
