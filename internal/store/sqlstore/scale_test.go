package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/testpg"
	"samla/internal/user"
)

const (
	collectionsEach = 10 // of a user
	seedBatch       = 5000
	scaleCallers    = 64 // of creates that share commits
)

// manyRows is the larger number of collections, from SAMLA_BENCH_ROWS if it is set.
func manyRows(b *testing.B) int {
	text := os.Getenv("SAMLA_BENCH_ROWS")
	if text == "" {
		return 1_000_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkScale compares a store with ten thousand collections with one of a million:
// the start of a server, creates, and each kind of list. Its operations alternate between
// the two, and the ratio is that of the median times, so that other work of the machine
// changes it little.
func BenchmarkScale(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkScale(b, b.TempDir(), b.TempDir()) })
	b.Run("postgres", func(b *testing.B) { benchmarkScale(b, testpg.URL(b), testpg.URL(b)) })
}

// filled is a store with collections.
type filled struct {
	*sqlstore.Store
	dsn    string
	users  []string
	stored int
}

const scaleClient = "client"

func benchmarkScale(b *testing.B, few, many string) {
	small, large := fill(b, few, 10_000), fill(b, many, manyRows(b))
	compare := func(name string, do func(context.Context, *filled) error) {
		b.Run(name, func(b *testing.B) {
			var took [2][]time.Duration
			for b.Loop() {
				for i, f := range []*filled{small, large} {
					start := time.Now()
					if err := do(b.Context(), f); err != nil {
						b.Fatal(err)
					}
					took[i] = append(took[i], time.Since(start))
				}
			}
			a, z := middle(took[0]), middle(took[1])
			b.ReportMetric(float64(a.Microseconds()), "µs-few")
			b.ReportMetric(float64(z.Microseconds()), "µs-many")
			b.ReportMetric(float64(z)/float64(a), "ratio")
		})
	}
	compare("start", func(ctx context.Context, f *filled) error {
		again, err := sqlstore.Open(ctx, sqlstore.Config{DSN: f.dsn})
		if err != nil {
			return err
		}
		return errors.Join(again.Reclaim(ctx, began, 0), again.Close())
	})
	compare("create", func(ctx context.Context, f *filled) error {
		f.stored++
		return f.Write(ctx, func(tx store.Tx) error {
			return tx.AddCollection(ctx, collectionOf(f.users[f.stored%len(f.users)], f.stored))
		})
	})
	compare("creates-shared", func(ctx context.Context, f *filled) error {
		var callers sync.WaitGroup
		errs := make([]error, scaleCallers)
		for i := range errs {
			f.stored++
			c := collectionOf(f.users[f.stored*7919%len(f.users)], f.stored) // 7919: of users far apart
			callers.Go(func() { errs[i] = f.Write(ctx, func(tx store.Tx) error { return tx.AddCollection(ctx, c) }) })
		}
		callers.Wait()
		return errors.Join(errs...)
	})
	statuses := []collection.Status{collection.Running, collection.Collecting, collection.Failed}
	filters := []struct {
		name string
		store.CollectionFilter
	}{
		{"all", store.CollectionFilter{}}, {"status", store.CollectionFilter{In: statuses[:1]}}, {"statuses", store.CollectionFilter{In: statuses}},
		{"unused-status", store.CollectionFilter{In: []collection.Status{collection.TwoFactorPending}}},
		{"latest", store.CollectionFilter{Latest: true}}, {"latest-statuses", store.CollectionFilter{Latest: true, In: statuses}},
	}
	for _, owner := range []string{"client", "user"} {
		of := func(f *filled) string {
			if owner == "client" {
				return ""
			}
			return f.users[len(f.users)/2]
		}
		for _, filter := range filters {
			compare("list/"+owner+"/"+filter.name, func(ctx context.Context, f *filled) error {
				asked := filter.CollectionFilter
				asked.ClientID, asked.UserID = scaleClient, of(f)
				_, err := f.CollectionsOf(ctx, asked, store.Page{Limit: 51})
				return err
			})
		}
		compare("list/"+owner+"/running", func(ctx context.Context, f *filled) error {
			_, err := f.RunningCollections(ctx, scaleClient, of(f), 51)
			return err
		})
	}
}

func middle(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// collectionOf returns the n-th collection. Few of them have not ended.
func collectionOf(user string, n int) collection.Collection {
	k := collection.Collection{ID: newID(), ClientID: scaleClient, UserID: user, ConsentID: "consent", Company: fmt.Sprintf("se-bank-%d", n%20), LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE",
		Mode: collection.Stored, Attended: true, Status: collection.Completed, CreatedAt: began, StatusChangedAt: began, PolledAt: began}
	switch {
	case n%150 == 0:
		k.Status, k.WakeAt = collection.Running, began.AddDate(1, 0, 0)
	case n%50 == 1:
		k.Status = collection.Failed
	}
	return k
}

// fill opens a store and stores users with their collections.
func fill(b *testing.B, dsn string, rows int) *filled {
	ctx := context.Background()
	f := &filled{Store: open(b, sqlstore.Config{DSN: dsn}), dsn: dsn, users: make([]string, rows/collectionsEach), stored: rows}
	for first := 0; first < rows; first += seedBatch {
		if err := f.Write(ctx, func(tx store.Tx) error {
			for n := first; n < min(first+seedBatch, rows); n++ {
				u := n / collectionsEach
				if n%collectionsEach == 0 {
					f.users[u] = newID()
					if err := tx.AddUser(ctx, user.User{ID: f.users[u], ClientID: scaleClient, ExternalID: f.users[u], CreatedAt: began}); err != nil {
						return err
					}
				}
				if err := tx.AddCollection(ctx, collectionOf(f.users[u], n)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	return f
}
