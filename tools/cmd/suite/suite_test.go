package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

const passing = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"pass","Package":"p","Test":"TestA/sub","Elapsed":0}
{"Action":"output","Package":"p","Test":"TestS","Output":"=== RUN   TestS\n    a_test.go:3: no server\n--- SKIP: TestS\n"}
{"Action":"skip","Package":"p","Test":"TestS","Elapsed":0}
{"Action":"pass","Package":"p","Elapsed":0}
`

const failing = `{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:9: got 1\n"}
{"Action":"fail","Package":"p","Test":"TestB","Elapsed":0}
{"Action":"fail","Package":"p","Elapsed":0}
`

const unbuilt = `{"ImportPath":"q [q.test]","Action":"build-output","Output":"q/a.go:3:1: undefined: X\n"}
{"ImportPath":"q [q.test]","Action":"build-fail"}
{"Action":"start","Package":"q"}
{"Action":"output","Package":"q","Output":"FAIL\tq [build failed]\n"}
{"Action":"fail","Package":"q","Elapsed":0,"FailedBuild":"q [q.test]"}
`

// A package of the product, not of its tests, fails to build under its own name.
const unbuiltItself = `{"ImportPath":"q","Action":"build-output","Output":"q/a.go:3:1: undefined: X\n"}
{"Action":"fail","Package":"q","Elapsed":0,"FailedBuild":"q"}
`

const panicked = `{"Action":"output","Package":"r","Test":"TestC","Output":"panic: out of range\n"}
{"Action":"fail","Package":"r","Elapsed":0}
`

func script(t *testing.T, outputs map[string]string, errs map[string]error) Target {
	return func(_ context.Context, name string, stdout, _ io.Writer) error {
		text, ok := outputs[name]
		if !ok {
			t.Fatalf("no target %q", name)
		}
		// Byte by byte: a pipe may cut a line anywhere.
		for i := range len(text) {
			if _, err := stdout.Write([]byte{text[i]}); err != nil {
				t.Fatal(err)
			}
		}
		return errs[name]
	}
}

func TestCounts(t *testing.T) {
	exit := errors.New("exit status 1")
	cases := []struct {
		name    string
		outputs map[string]string
		errs    map[string]error
		targets string
		last    string
		shows   []string
	}{
		{name: "plain target is one check", outputs: map[string]string{"fmt": ""}, targets: "fmt", last: "1 passed, 0 failed"},
		{name: "test cases and subtests count", outputs: map[string]string{"unit": passing}, targets: "unit",
			last: "2 passed, 0 failed", shows: []string{"1 skipped", "p TestS: a_test.go:3: no server"}},
		{name: "a failure does not stop the rest", outputs: map[string]string{"vet": "a.go:1: wrong", "unit": passing},
			errs: map[string]error{"vet": exit}, targets: "vet unit", last: "2 passed, 1 failed",
			shows: []string{"a.go:1: wrong", "FAILED vet: exit status 1"}},
		{name: "a failing package is not counted twice", outputs: map[string]string{"unit": failing},
			errs: map[string]error{"unit": exit}, targets: "unit", last: "0 passed, 1 failed",
			shows: []string{"b_test.go:9: got 1", "FAILED unit: p TestB"}},
		{name: "a package that does not build", outputs: map[string]string{"unit": passing + unbuilt},
			errs: map[string]error{"unit": exit}, targets: "unit", last: "2 passed, 1 failed",
			shows: []string{"undefined: X", "FAILED unit: q"}},
		{name: "a package that does not build itself", outputs: map[string]string{"unit": unbuiltItself},
			errs: map[string]error{"unit": exit}, targets: "unit", last: "0 passed, 1 failed",
			shows: []string{"undefined: X"}},
		{name: "a panic", outputs: map[string]string{"unit": panicked},
			errs: map[string]error{"unit": exit}, targets: "unit", last: "0 passed, 1 failed",
			shows: []string{"in TestC:", "panic: out of range"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			ok := Run(t.Context(), strings.Fields(c.targets), script(t, c.outputs, c.errs), &out)
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if last := lines[len(lines)-1]; last != c.last {
				t.Errorf("last line %q, want %q", last, c.last)
			}
			if strings.Count(out.String(), "undefined: X") > 1 {
				t.Errorf("told twice:\n%s", &out)
			}
			if want := strings.HasSuffix(c.last, " 0 failed"); ok != want {
				t.Errorf("Run says %v", ok)
			}
			for _, s := range c.shows {
				if !strings.Contains(out.String(), s) {
					t.Errorf("no %q in:\n%s", s, &out)
				}
			}
		})
	}
}

func TestLimitFailsWhatIsLeft(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	var out strings.Builder
	slow := func(ctx context.Context, _ string, _, _ io.Writer) error {
		<-ctx.Done()
		return ctx.Err()
	}
	if Run(ctx, []string{"a", "b"}, slow, &out) || !strings.HasSuffix(out.String(), "0 passed, 2 failed\n") {
		t.Errorf("a run out of time:\n%s", &out)
	}
}
