// Command fuzz runs every fuzz target of the module for a short time and prints the
// events of go test -json, one stream for all targets.
//
//	fuzz [-time DURATION] [ROOT]
//
// It finds the targets in the source (func FuzzX in _test.go files). A name that is not a
// target fails.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	each := flag.Duration("time", 3*time.Second, "how long each target is fuzzed")
	flag.Parse()
	root := "."
	if flag.NArg() > 0 {
		root = flag.Arg(0)
	}
	good, err := all(root, *each, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(2)
	}
	if !good {
		os.Exit(1)
	}
}

// all fuzzes each target below root and writes the events. It reports whether none failed.
func all(root string, each time.Duration, events io.Writer) (good bool, err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return false, err
	}
	targets, err := Find(os.DirFS(root))
	if err != nil {
		return false, err
	}
	f := fuzzer{root: root, each: each, events: events, good: true}
	if f.module, err = f.ask("list", "-m"); err != nil {
		return false, err
	}
	if f.cache, err = f.ask("env", "GOCACHE"); err != nil {
		return false, err
	}
	if f.heavy, err = f.carrying(heavyPackage, targets); err != nil {
		return false, err
	}
	if f.programs, err = os.MkdirTemp("", "samla-fuzz-"); err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(f.programs) }()
	f.runAll(targets)
	return f.good, nil
}

type fuzzer struct {
	root, module string
	cache        string          // GOCACHE
	programs     string          // folder of the programs of the packages' tests
	heavy        map[string]bool // the folders of packages whose tests carry heavyPackage
	each         time.Duration

	mu     sync.Mutex
	events io.Writer
	good   bool
}

// ask returns what a go command prints.
func (f *fuzzer) ask(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Stderr = f.root, os.Stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// runAll fuzzes as many targets at a time as there are processors, with one worker each.
// The program of a package is built once for all its targets, and while those of others
// run.
func (f *fuzzer) runAll(targets []Target) {
	var group sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for len(targets) > 0 {
		dir := targets[0].Dir
		n := slices.IndexFunc(targets, func(t Target) bool { return t.Dir != dir })
		if n < 0 {
			n = len(targets)
		}
		ofPackage := targets[:n]
		targets = targets[n:]
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			program, out, err := f.build(dir, ofPackage)
			if err != nil {
				f.report(out, err)
				return
			}
			for _, t := range ofPackage {
				f.report(f.run(program, t))
			}
		})
	}
	group.Wait()
}

func (f *fuzzer) report(out []byte, err error) {
	if err != nil {
		if passed, ok := withoutDeadline(out); ok {
			out, err = passed, nil
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.good = f.good && err == nil
	_, _ = f.events.Write(out)
}

// build builds the program of a package's tests, with what guides the fuzzing. If that
// fails, it returns the events that say so.
func (f *fuzzer) build(dir string, targets []Target) (program string, events []byte, err error) {
	program = filepath.Join(f.programs, strings.ReplaceAll(dir, "/", "_"))
	of := []string{"./" + dir}
	if f.heavy[dir] {
		if of, err = f.alone(dir, targets); err != nil {
			return "", nil, err
		}
	}
	cmd := exec.Command("go", append([]string{"test", "-c", "-json", "-vet=off", "-fuzz=.", "-ldflags=-s -w", "-o", program}, of...)...)
	cmd.Dir, cmd.Stderr = f.root, os.Stderr
	events, err = cmd.Output()
	if err != nil {
		name := path.Join(f.module, dir)
		events = fmt.Appendf(events, `{"Action":"output","Package":%q,"Output":"FAIL\t%s [build failed]\n"}`+"\n"+`{"Action":"fail","Package":%q,"FailedBuild":%q}`+"\n", name, name, name, name)
	}
	return program, events, err
}

// run runs one target of a program as go test does, and returns its events.
func (f *fuzzer) run(program string, t Target) ([]byte, error) {
	name := path.Join(f.module, t.Dir)
	cmd := exec.Command("go", "tool", "test2json", "-t", "-p", name, program, "-test.v=test2json", "-test.paniconexit0",
		"-test.timeout="+(f.each+5*time.Minute).String(), "-test.run=^$", "-test.fuzz=^"+t.Name+"$", "-test.fuzztime="+f.each.String(),
		"-test.fuzzminimizetime=5s", "-test.parallel=1", "-test.fuzzcachedir="+filepath.Join(f.cache, "fuzz", name))
	cmd.Dir, cmd.Stderr = filepath.Join(f.root, t.Dir), os.Stderr
	out, err := cmd.Output()
	if err == nil && !bytes.Contains(out, []byte(`"Test":"`+t.Name+`"`)) {
		err = fmt.Errorf("%s has no target %s", name, t.Name)
		fmt.Fprintln(os.Stderr, "fuzz:", err)
	}
	return out, err
}
