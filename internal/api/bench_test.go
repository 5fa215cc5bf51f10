package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	v20260401 "samla/internal/api/v20260401"
	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/seal/keyset"
	"samla/internal/server"
	"samla/internal/store"
	"samla/internal/user"
	"samla/internal/uuid7"
)

// polled is a server with one consent and one collection, and the requests that
// poll them.
type polled struct {
	server              *server.Server
	consent, collection *http.Request
}

func newPolled(b *testing.B) polled {
	b.Helper()
	ctx := context.Background()
	master, err := keyset.NewMaster()
	if err != nil {
		b.Fatal(err)
	}
	s, err := server.New(ctx, server.Config{Listen: "127.0.0.1:0", Database: b.TempDir()},
		server.Parts{Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Master: master})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Stop(ctx); err != nil {
			b.Error(err)
		}
	})
	key, secret, err := s.Authn.CreateKey(ctx, "bench", "bench", "")
	if err != nil {
		b.Fatal(err)
	}
	ids, now := uuid7.NewGenerator(clock.System(), nil), clock.System().Now()
	u := user.User{ID: ids.New(), ClientID: key.ClientID, ExternalID: "a", CreatedAt: now, UpdatedAt: now}
	if err := s.Store().CreateUser(ctx, u); err != nil {
		b.Fatal(err)
	}
	token, _, err := s.Authn.IssueToken(ctx, key.ClientID, u.ID)
	if err != nil {
		b.Fatal(err)
	}
	c := consent.Consent{ID: consent.ID(ids.New()), ClientID: key.ClientID, UserID: u.ID, Company: "se-demo-psd2", Status: consent.Authorized,
		Step: consent.StepKeep, Requested: consent.Scope{Balances: true, Transactions: true}, CreatedAt: now, StatusChangedAt: now,
		AuthorizeBy: now, ExpiresAt: now.Add(time.Hour)}
	k := collection.Collection{ID: ids.New(), ClientID: key.ClientID, UserID: u.ID, ConsentID: c.ID, Company: c.Company,
		Mode: collection.Stored, Attended: true, Status: collection.Collecting, CreatedAt: now, StatusChangedAt: now, PolledAt: now}
	err = s.Store().Write(ctx, func(tx store.Tx) error {
		if err := tx.AddConsent(ctx, c); err != nil {
			return err
		}
		return tx.AddCollection(ctx, k)
	})
	if err != nil {
		b.Fatal(err)
	}
	p := polled{server: s}
	p.consent, _ = http.NewRequest(http.MethodGet, "/consents/"+string(c.ID)+"/status", nil)
	p.consent.Header.Set("Authorization", "Bearer "+token)
	p.collection, _ = http.NewRequest(http.MethodGet, "/collections/"+k.ID+"/status", nil)
	p.collection.Header.Set("Authorization-Token", secret)
	for _, r := range []*http.Request{p.consent, p.collection} {
		r.Header.Set("Insurely-Version", v20260401.Version)
	}
	return p
}

// sink is a response writer that costs next to nothing.
type sink struct {
	header http.Header
	status int
	body   []byte
}

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(n int)   { s.status = n }
func (s *sink) Write(p []byte) (int, error) {
	s.body = append(s.body[:0], p...)
	return len(p), nil
}

func run(b *testing.B, h http.Handler, r *http.Request) *sink {
	b.Helper()
	b.ReportAllocs()
	w := &sink{header: http.Header{}}
	for b.Loop() {
		clear(w.header)
		h.ServeHTTP(w, r)
	}
	if w.status != http.StatusOK {
		b.Fatalf("%d %s", w.status, w.body)
	}
	return w
}

// The cost of a status poll without the network: whole, and that of a bare
// handler that writes the same bytes.
func BenchmarkStatus(b *testing.B) {
	p := newPolled(b)
	for name, r := range map[string]*http.Request{"consent": p.consent, "collection": p.collection} {
		var got *sink
		b.Run(name, func(b *testing.B) { got = run(b, p.server.Handler(), r) })
		if got == nil {
			continue
		}
		b.Run(name+"/read", func(b *testing.B) {
			b.ReportAllocs()
			id := r.URL.Path[len("/"+name+"s/") : len("/"+name+"s/")+36]
			for b.Loop() {
				var err error
				if name == "consent" {
					_, err = p.server.Store().ConsentStatus(r.Context(), consent.ID(id))
				} else {
					_, err = p.server.Store().CollectionStatus(r.Context(), id)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		body := append([]byte(nil), got.body...)
		mux := http.NewServeMux()
		mux.HandleFunc("GET /"+name+"s/{id}/status", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body)
		})
		b.Run(name+"/bare", func(b *testing.B) {
			b.ReportAllocs()
			w := &sink{header: http.Header{}}
			for b.Loop() {
				clear(w.header)
				mux.ServeHTTP(w, r)
			}
		})
	}
}
