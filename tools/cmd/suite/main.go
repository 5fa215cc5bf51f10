// Command suite runs make targets one after the other and counts what they show.
//
//	suite [-limit DURATION] TARGET...
//
// A target that prints a go test -json stream counts one check per test case; any
// other target is one check by its exit status. No failure stops the run: what
// failed is printed readably when its target ends and named again at the end. The
// last line is always "N passed, N failed"; the exit status tells whether N is 0.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	limit := flag.Duration("limit", 18*time.Minute, "end the running target and skip the rest after this long")
	program := flag.String("make", "make", "program that runs a target")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	if !Run(ctx, flag.Args(), makeTarget(*program), os.Stdout) {
		os.Exit(1)
	}
}

// Target runs one target: standard output and standard error to the writers.
type Target func(ctx context.Context, name string, stdout, stderr io.Writer) error

// Run runs all targets in order, reports on out, and tells whether nothing failed.
func Run(ctx context.Context, names []string, run Target, out io.Writer) bool {
	var total Count
	var failed []string
	for _, name := range names {
		start := time.Now()
		tally := NewTally()
		var noise strings.Builder
		err := ctx.Err()
		if err == nil {
			err = run(ctx, name, tally, &noise)
		}
		if ctx.Err() != nil {
			err = fmt.Errorf("not finished: %w", context.Cause(ctx))
		}
		count := tally.Close(err)
		report(out, name, tally, count, noise.String(), err, time.Since(start))
		for _, f := range tally.Failures {
			failed = append(failed, name+": "+f.Name)
		}
		total = total.Plus(count)
	}
	fmt.Fprintln(out)
	if total.Skipped > 0 {
		fmt.Fprintf(out, "%d skipped\n", total.Skipped)
	}
	for _, name := range failed {
		fmt.Fprintln(out, "FAILED", name)
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", total.Passed, total.Failed)
	return total.Failed == 0
}

func report(out io.Writer, name string, t *Tally, c Count, noise string, err error, took time.Duration) {
	for _, f := range t.Failures {
		fmt.Fprintf(out, "\n--- %s: %s\n%s", name, f.Name, indent(f.Output))
	}
	if noise = withoutMake(noise); err != nil && noise != "" {
		fmt.Fprintf(out, "\n--- %s: standard error\n%s", name, indent(noise))
	}
	for _, s := range t.Skips {
		fmt.Fprintf(out, "skipped %s: %s\n", s.Name, s.Output)
	}
	verdict := "ok"
	if c.Failed > 0 {
		verdict = "FAIL"
	}
	fmt.Fprintf(out, "%-4s %-12s %5d passed %3d failed %7.1fs\n", verdict, name, c.Passed, c.Failed, took.Seconds())
}

// withoutMake leaves out make's own remark that a target failed.
func withoutMake(noise string) string {
	var b strings.Builder
	for line := range strings.Lines(noise) {
		if !strings.HasPrefix(line, "make") || !strings.Contains(line, ": *** ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		b.WriteString("\n")
	}
	return b.String()
}

// makeTarget runs a target with make, in a process group of its own, so that the
// time limit ends the test binaries too and not only make.
func makeTarget(program string) Target {
	return func(ctx context.Context, name string, stdout, stderr io.Writer) error {
		cmd := exec.CommandContext(ctx, program, "--no-print-directory", "-s", name)
		cmd.Stdout, cmd.Stderr = stdout, stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
		cmd.WaitDelay = 20 * time.Second
		return cmd.Run()
	}
}
