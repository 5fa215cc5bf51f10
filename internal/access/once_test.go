package access_test

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

	"samla/internal/access"
	"samla/internal/clock"
	"samla/internal/fault"
	"samla/internal/store"
	"samla/internal/user"
)

var (
	caller = access.Identity{Kind: access.APIKey, ClientID: "a"}
	made   = access.Response{Status: 201, Location: "/users/1", ContentType: "application/json", Body: []byte(`{"userUuid":"1"}`)}
)

func answer(r access.Response) func(context.Context, *access.Claim) (access.Response, error) {
	return func(context.Context, *access.Claim) (access.Response, error) { return r, nil }
}

func never(t testing.TB) func(context.Context, *access.Claim) (access.Response, error) {
	return func(context.Context, *access.Claim) (access.Response, error) {
		t.Error("ran again")
		return access.Response{}, nil
	}
}

func (n *node) do(t testing.TB, key string, run func(context.Context, *access.Claim) (access.Response, error)) (access.Response, bool, error) {
	return n.once.Do(t.Context(), caller, key, "POST /users", []byte(`{}`), run)
}

func TestARepeatIsAnsweredFromMemory(t *testing.T) {
	all := nodes(t, 2)
	for _, first := range []access.Response{made, {Status: 204}, {Status: 409, ContentType: "application/problem+json", Body: []byte(`{"code":"USER_EXISTS"}`)}} {
		key := fmt.Sprint("key-", first.Status)
		got, replayed, err := all[0].do(t, key, answer(first))
		if err != nil || replayed || !reflect.DeepEqual(got, first) {
			t.Fatalf("%v, %v, %v", got, replayed, err)
		}
		for _, n := range all {
			got, replayed, err := n.do(t, key, never(t))
			if err != nil || !replayed || !reflect.DeepEqual(got, first) {
				t.Errorf("%d: %v, %v, %v", first.Status, got, replayed, err)
			}
		}
	}
}

func TestWithoutAKeyEveryCallRuns(t *testing.T) {
	n := nodes(t, 1)[0]
	runs := 0
	for range 2 {
		_, replayed, err := n.do(t, "", func(ctx context.Context, c *access.Claim) (access.Response, error) {
			runs++
			if c != nil {
				t.Error("a claim for nothing")
			}
			return made, c.Complete(ctx, nil, made) // a nil claim is complete
		})
		if replayed || err != nil {
			t.Error(replayed, err)
		}
	}
	if runs != 2 {
		t.Errorf("%d runs", runs)
	}
}

func TestAKeyIsForOneRequest(t *testing.T) {
	n := nodes(t, 1)[0]
	if _, _, err := n.do(t, "key", answer(made)); err != nil {
		t.Fatal(err)
	}
	someone := access.Identity{Kind: access.Session, ClientID: "a", UserID: "u"}
	for name, c := range map[string]struct {
		who         access.Identity
		route, body string
	}{
		"body":              {caller, "POST /users", `{ }`},
		"no body":           {caller, "POST /users", ``},
		"route":             {caller, "POST /consents", `{}`},
		"user":              {someone, "POST /users", `{}`},
		"shift into route":  {caller, "POST /users{", `}`},
		"shift out of body": {caller, "POST /user", `s{}`},
	} {
		_, _, err := n.once.Do(t.Context(), c.who, "key", c.route, []byte(c.body), never(t))
		if fault.CodeOf(err) != fault.IdempotencyKeyReused {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := access.Identity{Kind: access.APIKey, ClientID: "b"}
	if _, replayed, err := n.once.Do(t.Context(), other, "key", "POST /users", []byte(`{}`), answer(made)); err != nil || replayed {
		t.Errorf("another client: %v, %v", replayed, err)
	}
}

func TestARepeatDuringTheFirstCallWaits(t *testing.T) {
	n := nodes(t, 1)[0]
	_, _, err := n.do(t, "key", func(context.Context, *access.Claim) (access.Response, error) {
		if _, _, err := n.do(t, "key", never(t)); fault.CodeOf(err) != fault.IdempotencyInProgress {
			t.Errorf("the same: %v", err)
		}
		_, _, err := n.once.Do(t.Context(), caller, "key", "POST /users", []byte(`[]`), never(t))
		if fault.CodeOf(err) != fault.IdempotencyKeyReused {
			t.Errorf("another: %v", err)
		}
		return made, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// At the same moment, first as new requests and then as the repeats of a call
// whose process died: one runs, the others wait or are answered.
func TestConcurrentRepeatsRunOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		all := nodesOn(t, dsn, 2)
		burst := func(key string) {
			t.Helper()
			var runs atomic.Int32
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					_, _, err := all[i%2].do(t, key, func(context.Context, *access.Claim) (access.Response, error) {
						runs.Add(1)
						return made, nil
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
				_, _, _ = all[0].do(t, dead, func(context.Context, *access.Claim) (access.Response, error) { panic("killed") })
			}()
			all[0].clk.Advance(30 * time.Second)
			burst(dead)
		}
	})
}

func TestFailuresLeaveTheKeyFree(t *testing.T) {
	n := nodes(t, 1)[0]
	for name, run := range map[string]func(context.Context, *access.Claim) (access.Response, error){
		"500": answer(access.Response{Status: 500}), "503": answer(access.Response{Status: 503}),
		"429": answer(access.Response{Status: 429}),
		"error": func(context.Context, *access.Claim) (access.Response, error) {
			return access.Response{}, errors.New("no")
		},
	} {
		if resp, _, err := n.do(t, name, run); (err != nil) != (name == "error") || err == nil && resp.Status < 429 {
			t.Errorf("%s: %v, %v", name, resp, err)
		}
		if _, replayed, err := n.do(t, name, answer(made)); err != nil || replayed {
			t.Errorf("%s: %v, %v", name, replayed, err)
		}
	}
}

func TestACallerWhoHangsUpLeavesTheKeyFree(t *testing.T) {
	n := nodes(t, 1)[0]
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := n.once.Do(ctx, caller, "key", "POST /users", []byte(`{}`), func(context.Context, *access.Claim) (access.Response, error) {
		cancel()
		return access.Response{}, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, replayed, err := n.do(t, "key", answer(made)); err != nil || replayed {
		t.Error(replayed, err)
	}
}

func TestAKeyIsForgottenAfterADay(t *testing.T) {
	n := nodes(t, 1)[0]
	if _, _, err := n.do(t, "key", answer(made)); err != nil {
		t.Fatal(err)
	}
	n.clk.Advance(24*time.Hour - 1000)
	if _, replayed, err := n.do(t, "key", never(t)); err != nil || !replayed {
		t.Error(replayed, err)
	}
	n.clk.Advance(time.Millisecond)
	if _, replayed, err := n.do(t, "key", answer(made)); err != nil || replayed {
		t.Error(replayed, err)
	}
}

func TestKeysAreChecked(t *testing.T) {
	n := nodes(t, 1)[0]
	for _, bad := range []string{strings.Repeat("k", 256), "k\x1f", "k\x7f", "nyckel-å", "\n"} {
		_, _, err := n.do(t, bad, never(t))
		var f *fault.Fault
		if !errors.As(err, &f) || f.Code != fault.InvalidParameter || f.Fields[0].Code != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{strings.Repeat("k", 255), "with space ~!"} {
		if _, _, err := n.do(t, good, answer(made)); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

// create is how a face creates a user for an Idempotency-Key.
func (n *node) create(ctx context.Context, c *access.Claim, dies func(when string)) (access.Response, error) {
	var resp access.Response
	dies("before")
	_, err := n.users.Create(ctx, "a", "customer-4711", func(tx store.Tx, u user.User) error {
		resp = access.Response{Status: 201, Location: "/users/" + u.ID}
		return c.Complete(ctx, tx, resp)
	})
	if err != nil {
		return access.Response{}, err
	}
	dies("after")
	return resp, nil
}

// A process that dies at the worst moments, as seen from its next start.
func TestADeadProcessNeitherRepeatsNorBlocks(t *testing.T) {
	for _, moment := range []string{"before", "after"} {
		n := nodes(t, 1)[0]
		func() {
			defer func() { _ = recover() }()
			_, _, _ = n.do(t, "key", func(ctx context.Context, c *access.Claim) (access.Response, error) {
				return n.create(ctx, c, func(when string) {
					if when == moment {
						panic("killed")
					}
				})
			})
			t.Error("survived")
		}()
		first, err := n.users.ByExternalID(t.Context(), "a", "customer-4711")
		again := func(ctx context.Context, c *access.Claim) (access.Response, error) {
			return n.create(ctx, c, func(string) {})
		}
		if moment == "after" { // the user is there, and so is the answer
			if err != nil {
				t.Fatal(err)
			}
			resp, replayed, err := n.do(t, "key", never(t))
			if err != nil || !replayed || resp.Location != "/users/"+first.ID {
				t.Errorf("%s: %v, %v, %v", moment, resp, replayed, err)
			}
			continue
		}
		if fault.CodeOf(err) != fault.UserNotFound {
			t.Fatal(err)
		}
		n.clk.Advance(30*time.Second - time.Millisecond)
		if _, _, err := n.do(t, "key", never(t)); fault.CodeOf(err) != fault.IdempotencyInProgress {
			t.Errorf("%s: %v", moment, err)
		}
		n.clk.Advance(time.Millisecond)
		if _, replayed, err := n.do(t, "key", again); err != nil || replayed {
			t.Errorf("%s: %v, %v", moment, replayed, err)
		}
		if err := second(n.users.ByExternalID(t.Context(), "a", "customer-4711")); err != nil {
			t.Error(err)
		}
	}
}

// A call that is slower than its lock finds that another one took its place: it
// must not write what the other has written.
func TestASlowCallLosesItsClaim(t *testing.T) {
	n := nodes(t, 1)[0]
	quiet := func(string) {}
	_, _, err := n.do(t, "key", func(ctx context.Context, slow *access.Claim) (access.Response, error) {
		n.clk.Advance(31 * time.Second)
		if _, replayed, err := n.do(t, "key", func(ctx context.Context, c *access.Claim) (access.Response, error) {
			return n.create(ctx, c, quiet)
		}); err != nil || replayed {
			t.Error(replayed, err)
		}
		_, err := n.users.Create(ctx, "a", "another-name", func(tx store.Tx, _ user.User) error {
			return slow.Complete(ctx, tx, made)
		})
		return access.Response{}, err
	})
	if fault.CodeOf(err) != fault.Internal {
		t.Errorf("got %v", err)
	}
	if err := second(n.users.ByExternalID(t.Context(), "a", "another-name")); fault.CodeOf(err) != fault.UserNotFound {
		t.Errorf("written twice: %v", err)
	}
	if resp, replayed, err := n.do(t, "key", never(t)); err != nil || !replayed || resp.Status != 201 {
		t.Errorf("the other's answer is gone: %v, %v, %v", resp, replayed, err)
	}
}

// A transaction that was rolled back after Complete must not leave its answer.
func TestAnAnswerIsRolledBackWithItsDeed(t *testing.T) {
	n := nodes(t, 1)[0]
	refused := access.Response{Status: 409}
	resp, _, err := n.do(t, "key", func(ctx context.Context, c *access.Claim) (access.Response, error) {
		_ = second(n.users.Create(ctx, "a", "customer-4711", func(tx store.Tx, _ user.User) error {
			if err := c.Complete(ctx, tx, made); err != nil {
				t.Error(err)
			}
			return errors.New("conflict")
		}))
		return refused, nil
	})
	if err != nil || resp.Status != 409 {
		t.Fatal(resp, err)
	}
	if resp, replayed, err := n.do(t, "key", never(t)); err != nil || !replayed || resp.Status != 409 {
		t.Errorf("%v, %v, %v", resp, replayed, err)
	}
}

func TestAnswersAndBodiesAreSealed(t *testing.T) {
	dir := t.TempDir()
	n := nodeOn(t, open(t, dir), masterOf(t), clock.NewManual(start))
	const secret = "eyJhbGciOiJFZERTQSJ9"
	if _, _, err := n.do(t, "key", answer(access.Response{Status: 201, Body: []byte(secret)})); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s holds the answer", d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v", made, &made); strings.Contains(text, "userUuid") {
		t.Errorf("printed as %s", text)
	}
}
