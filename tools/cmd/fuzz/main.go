// Command fuzz runs every fuzz target of the module for a short time and prints the
// events of go test -json, one stream for all targets.
//
//	fuzz [-time DURATION] [ROOT]
//
// It finds the targets in the source (func FuzzX in _test.go files). go test fails
// for a name that is not a target.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
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
	targets, err := Find(os.DirFS(root))
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(2)
	}
	if !runAll(root, targets, *each) {
		os.Exit(1)
	}
}

// runAll fuzzes as many targets at a time as there are processors, with one worker
// each: the same work as one after the other, without waiting for each build. It
// reports whether none failed.
func runAll(root string, targets []Target, each time.Duration) bool {
	var (
		mu    sync.Mutex
		group sync.WaitGroup
		good  = true
		slots = make(chan struct{}, runtime.GOMAXPROCS(0))
	)
	for _, t := range targets {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			out, err := run(root, t, each)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				if passed, ok := withoutDeadline(out); ok {
					out, err = passed, nil
				}
			}
			good = good && err == nil
			_, _ = os.Stdout.Write(out)
		})
	}
	group.Wait()
	return good
}

func run(root string, t Target, each time.Duration) ([]byte, error) {
	cmd := exec.Command("go", "test", "-json", "-vet=off", "-timeout", (each + 5*time.Minute).String(),
		"-run", "^$", "-fuzz", "^"+t.Name+"$", "-fuzztime", each.String(), "-fuzzminimizetime", "5s", "-parallel", "1", "./"+t.Dir)
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	return cmd.Output()
}
