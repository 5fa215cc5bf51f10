// Command fuzz runs every fuzz target of the module for a short while and prints
// go test -json events, one stream for all targets.
//
//	fuzz [-time DURATION] [ROOT]
//
// Targets are found in the source (func FuzzX in _test.go files) and confirmed by
// go test, which fails for a name it does not know.
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

// runAll fuzzes as many targets at a time as there are processors, each with one
// worker: the same work as one after the other, without waiting for each build.
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
				if forgiven, ok := forgive(out); ok {
					out, err = forgiven, nil
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
