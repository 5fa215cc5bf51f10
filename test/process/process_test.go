package process_test

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"samla/test/process"
)

// envLost makes the test program start a child and end without its cleanups.
const envLost = "SAMLA_PROCESS_LOST"

// forever is a program that does not end by itself as long as it is needed here.
func forever() *exec.Cmd { return exec.Command("sleep", "3600") }

func TestMain(m *testing.M) {
	if os.Getenv(envLost) != "" {
		cmd := forever()
		cmd.Stdout = os.Stdout
		process.StartChild(lost{}, cmd)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// lost is a test whose process ends before its cleanups.
type lost struct{ testing.TB }

func (lost) Helper()           {}
func (lost) Cleanup(func())    {}
func (lost) Fatal(args ...any) { panic(args) }

// A test that ends before it has waited leaves no child.
func TestStartChild_EndsWithItsTest(t *testing.T) {
	cmd := forever()
	t.Run("test", func(t *testing.T) { process.StartChild(t, cmd) })
	if cmd.ProcessState == nil {
		t.Fatal("the child lives on")
	}
}

// A test program that is killed runs no cleanup. The output of its child ends with the child.
func TestStartChild_EndsWithTheProgramOfItsTest(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux kills a child with its parent")
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), envLost+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	process.StartChild(t, parent)
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Fatal(err)
	}
}
