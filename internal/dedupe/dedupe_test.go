package dedupe_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"samla/internal/dedupe"
	"samla/internal/fault"
	"samla/internal/flowtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var stored = dedupe.Response{Status: 201, Location: "/users/1", ContentType: "application/json", Body: []byte(`{"userUuid":"1"}`)}

type runFunc = func(context.Context, *dedupe.Claim) (dedupe.Response, error)

func answer(r dedupe.Response) runFunc {
	return func(context.Context, *dedupe.Claim) (dedupe.Response, error) { return r, nil }
}

func never(t testing.TB) runFunc {
	return func(context.Context, *dedupe.Claim) (dedupe.Response, error) {
		t.Error("run was called again")
		return dedupe.Response{}, nil
	}
}

// node is one node; nodes may share a database.
type node struct {
	*flowtest.Env
	requests *dedupe.Requests
}

// nodes starts n nodes on one new database.
func nodes(t testing.TB, database string, n int) []*node {
	t.Helper()
	b := flowtest.New(t, database)
	all := make([]*node, n)
	for i := range all {
		b := b.Node()
		all[i] = &node{b, dedupe.New(b.Store, b.Vault, b.Clock)}
	}
	return all
}

func newNode(t testing.TB) *node {
	t.Helper()
	return nodes(t, t.TempDir(), 1)[0]
}

// onBoth runs a test on both engines: PostgreSQL has several writers at once where
// SQLite has one.
func onBoth(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { test(t, flowtest.Postgres(t)) })
}

// request is the request that most tests repeat.
func request(key string) dedupe.Request {
	return dedupe.Request{ClientID: "a", Key: key, Route: "POST /users", Body: []byte(`{}`)}
}

func (n *node) run(key string, run runFunc) (dedupe.Response, bool, error) {
	return n.requests.Run(n.Context(), request(key), run)
}

func TestRun_ReturnsStoredResponseForRepeat(t *testing.T) {
	all := nodes(t, t.TempDir(), 2)
	for _, first := range []dedupe.Response{stored, {Status: 204}, {Status: 409, ContentType: "application/problem+json", Body: []byte(`{"code":"USER_EXISTS"}`)}} {
		key := fmt.Sprint("key-", first.Status)
		got, replayed, err := all[0].run(key, answer(first))
		if err != nil || replayed || !reflect.DeepEqual(got, first) {
			t.Fatalf("%v, %v, %v", got, replayed, err)
		}
		for _, n := range all {
			got, replayed, err := n.run(key, never(t))
			if err != nil || !replayed || !reflect.DeepEqual(got, first) {
				t.Errorf("%d: %v, %v, %v", first.Status, got, replayed, err)
			}
		}
	}
}

func TestRun_RunsEveryCallWithoutKey(t *testing.T) {
	n := newNode(t)
	runs := 0
	for range 2 {
		_, replayed, err := n.run("", func(ctx context.Context, c *dedupe.Claim) (dedupe.Response, error) {
			runs++
			if c != nil {
				t.Error("a claim without a key")
			}
			r, err := c.Prepare(ctx, stored)
			if r != nil {
				t.Error("a record without a key")
			}
			return stored, err
		})
		if replayed || err != nil {
			t.Error(replayed, err)
		}
	}
	if runs != 2 {
		t.Errorf("%d runs", runs)
	}
}

func TestRun_RefusesKeyOfAnotherRequest(t *testing.T) {
	n := newNode(t)
	if _, _, err := n.run("key", answer(stored)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ user, route, body string }{
		"body":                  {"", "POST /users", `{ }`},
		"no body":               {"", "POST /users", ``},
		"route":                 {"", "POST /consents", `{}`},
		"user":                  {"u", "POST /users", `{}`},
		"byte moved into route": {"", "POST /users{", `}`},
		"byte moved into body":  {"", "POST /user", `s{}`},
	} {
		_, _, err := n.requests.Run(t.Context(), dedupe.Request{ClientID: "a", UserID: c.user, Key: "key", Route: c.route, Body: []byte(c.body)}, never(t))
		if fault.CodeOf(err) != fault.IdempotencyKeyReused {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := request("key")
	other.ClientID = "b"
	if _, replayed, err := n.requests.Run(t.Context(), other, answer(stored)); err != nil || replayed {
		t.Errorf("another client: %v, %v", replayed, err)
	}
}

func TestRun_RefusesRepeatDuringFirstCall(t *testing.T) {
	n := newNode(t)
	_, _, err := n.run("key", func(context.Context, *dedupe.Claim) (dedupe.Response, error) {
		if _, _, err := n.run("key", never(t)); fault.CodeOf(err) != fault.IdempotencyInProgress {
			t.Errorf("the same: %v", err)
		}
		other := request("key")
		other.Body = []byte(`[]`)
		_, _, err := n.requests.Run(t.Context(), other, never(t))
		if fault.CodeOf(err) != fault.IdempotencyKeyReused {
			t.Errorf("another: %v", err)
		}
		return stored, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Concurrent requests with one key, first a new key and then the key of a call
// whose process died: one runs, the others get IN_PROGRESS or the stored response.
func TestRun_RunsConcurrentRepeatsOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		all := nodes(t, database, 2)
		burst := func(key string) {
			t.Helper()
			var runs atomic.Int32
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					_, _, err := all[i%2].run(key, func(context.Context, *dedupe.Claim) (dedupe.Response, error) {
						runs.Add(1)
						return stored, nil
					})
					if err != nil && fault.CodeOf(err) != fault.IdempotencyInProgress {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if runs.Load() != 1 {
				t.Errorf("%s: %d runs", key, runs.Load())
			}
		}
		for i := range 5 {
			burst(fmt.Sprint("new-", i))
			dead := fmt.Sprint("dead-", i)
			func() {
				defer func() { _ = recover() }()
				_, _, _ = all[0].run(dead, func(context.Context, *dedupe.Claim) (dedupe.Response, error) { panic("killed") })
			}()
			all[0].Clock.Advance(30 * time.Second)
			burst(dead)
		}
	})
}

func TestRun_ReleasesKeyAfterFailure(t *testing.T) {
	n := newNode(t)
	for name, run := range map[string]runFunc{
		"500": answer(dedupe.Response{Status: 500}), "503": answer(dedupe.Response{Status: 503}),
		"429": answer(dedupe.Response{Status: 429}),
		"error": func(context.Context, *dedupe.Claim) (dedupe.Response, error) {
			return dedupe.Response{}, errors.New("no")
		},
	} {
		if resp, _, err := n.run(name, run); (err != nil) != (name == "error") || err == nil && resp.Status < 429 {
			t.Errorf("%s: %v, %v", name, resp, err)
		}
		if _, replayed, err := n.run(name, answer(stored)); err != nil || replayed {
			t.Errorf("%s: %v, %v", name, replayed, err)
		}
	}
}

func TestRun_ReleasesKeyWhenCallerDisconnects(t *testing.T) {
	n := newNode(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := n.requests.Run(ctx, request("key"), func(context.Context, *dedupe.Claim) (dedupe.Response, error) {
		cancel()
		return dedupe.Response{}, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, replayed, err := n.run("key", answer(stored)); err != nil || replayed {
		t.Error(replayed, err)
	}
}

func TestRun_ForgetsKeyAfterADay(t *testing.T) {
	n := newNode(t)
	if _, _, err := n.run("key", answer(stored)); err != nil {
		t.Fatal(err)
	}
	n.Clock.Advance(24*time.Hour - 1000)
	if _, replayed, err := n.run("key", never(t)); err != nil || !replayed {
		t.Error(replayed, err)
	}
	n.Clock.Advance(time.Millisecond)
	if _, replayed, err := n.run("key", answer(stored)); err != nil || replayed {
		t.Error(replayed, err)
	}
}

func TestRun_ValidatesKey(t *testing.T) {
	n := newNode(t)
	for _, bad := range []string{strings.Repeat("k", 256), "k\x1f", "k\x7f", "nyckel-å", "\n"} {
		_, _, err := n.run(bad, never(t))
		var f *fault.Fault
		if !errors.As(err, &f) || f.Code != fault.InvalidParameter || f.Fields[0].Code != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{strings.Repeat("k", 255), "with space ~!"} {
		if _, _, err := n.run(good, answer(stored)); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestRun_SealsResponses(t *testing.T) {
	dir := t.TempDir()
	n := nodes(t, dir, 1)[0]
	const secret = "eyJhbGciOiJFZERTQSJ9"
	if _, _, err := n.run("key", answer(dedupe.Response{Status: 201, Body: []byte(secret)})); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s contains the response", d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v", stored, &stored); strings.Contains(text, "userUuid") {
		t.Errorf("printed as %s", text)
	}
}
