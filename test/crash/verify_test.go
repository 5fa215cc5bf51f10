package crash

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// verify holds the servers, which have come through the storm, against the
// books.
func (r *run) verify() {
	r.Helper()
	w := &worker{run: r}
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Minute)
	defer cancel()
	r.noRestless()
	for id, u := range r.books.users {
		w.keptUser(ctx, id, u)
	}
	for token, userID := range r.books.sessions {
		w.keptSession(ctx, token, userID)
	}
	for id, c := range r.books.collections {
		w.keptCollection(ctx, id, c)
	}
	rows := r.rows(ctx)
	for id, c := range r.books.consents {
		row, ok := rows[id]
		want := c.status
		if r.books.users[c.userID].deleted && want == "AUTHORIZED" {
			want = "REVOKED"
		}
		if !ok || row.status != want {
			r.lost("consent %s is %q, acknowledged as %s", id, row.status, want)
		}
	}
	r.atTheBanks(ctx, rows)
	r.quiet()
}

// lost tells of an acknowledged write that is missing.
func (r *run) lost(format string, args ...any) {
	r.books.note(func() { r.books.lost++ })
	r.books.fault("lost: "+format, args...)
}

// noRestless tells of flows that were left before their end.
func (r *run) noRestless() {
	for id, c := range r.books.consents {
		if c.status == "INITIATED" {
			r.books.note(func() { r.books.stuck[id] = true })
		}
	}
	for id, c := range r.books.collections {
		if c.status == "" || pending[c.status] {
			r.books.note(func() { r.books.stuck[id] = true })
		}
	}
}

func (w *worker) keptUser(ctx context.Context, id string, want *userEntry) {
	type user struct {
		UserUUID, ExternalID string
		Anonymized           bool
	}
	var byID, byName user
	a, err := w.ask(ctx, request{method: "GET", path: "/users/" + id})
	a.read(&byID)
	if err != nil || a.status != 200 || byID.Anonymized != want.deleted || !want.deleted && byID.ExternalID != want.externalID {
		w.lost("user %s (deleted %v): %d %s", id, want.deleted, a.status, a.body)
	}
	a, err = w.ask(ctx, request{method: "GET", path: "/users?externalId=" + want.externalID})
	a.read(&byName)
	switch {
	case err != nil, want.deleted && a.status != 404, !want.deleted && byName.UserUUID != id:
		w.lost("user %s by external id (deleted %v): %d %s", id, want.deleted, a.status, a.body)
	}
}

// keptSession holds every session against its user, on every server.
func (w *worker) keptSession(ctx context.Context, token, userID string) {
	want := http.StatusOK
	if w.books.users[userID].deleted {
		want = http.StatusUnauthorized
	}
	for _, n := range w.nodes {
		a, err := w.send(ctx, n.at(), request{method: "GET", path: "/users/" + userID, token: token})
		if err != nil || a.status != want {
			w.lost("a session of user %s: %d %s, want %d", userID, a.status, a.body, want)
		}
	}
}

func (w *worker) keptCollection(ctx context.Context, id string, want *collectionEntry) {
	var s state
	a, err := w.ask(ctx, request{method: "GET", path: "/collections/" + id + "/status"})
	a.read(&s)
	if err != nil || s.Status != want.status {
		w.lost("collection %s: %d %s, acknowledged as %s", id, a.status, a.body, want.status)
	}
	if want.data == "" {
		return
	}
	a, err = w.ask(ctx, request{method: "GET", path: "/collections/" + id + "/wealth/data"})
	switch gone := want.deleted || w.books.users[want.userID].deleted; {
	case err != nil, gone && a.status != http.StatusGone, !gone && string(a.body) != want.data:
		w.lost("the data of collection %s (deleted %v): %d, %d bytes of %d", id, gone, a.status, len(a.body), len(want.data))
	}
}

// listed is a consent as the sandbox tells it.
type listed struct{ ConsentID, ConsentStatus, XRequestID string }

// atTheBanks holds the banks' consents against ours: each of theirs was made by
// one of ours, and none of ours has made two; what is over here is over there. A
// consent that nobody was told of may be the exception: when it ends before the
// server has written down what the bank calls it, it lapses at the bank unsigned.
func (r *run) atTheBanks(ctx context.Context, rows map[string]row) {
	ours := map[string]row{} // by the id of the request that opens it
	for _, c := range rows {
		if _, twice := ours[c.request]; twice {
			r.books.fault("two consents share a request id")
		}
		ours[c.request] = c
	}
	for {
		var theirs struct{ Consents []listed }
		r.operator(ctx, "/sandbox/consents", &theirs)
		seen, untold, lapsing := map[string]bool{}, []string{}, 0
		for _, b := range theirs.Consents {
			c, known := ours[b.XRequestID]
			if !known || seen[b.XRequestID] {
				r.duplicates++
			}
			seen[b.XRequestID] = true
			over, overThere := c.status == "REVOKED" || c.status == "FAILED", b.ConsentStatus != "received" && b.ConsentStatus != "valid"
			switch {
			case over && b.ConsentStatus == "received" && !r.books.knows(c):
				lapsing++
			case over && !overThere:
				untold = append(untold, c.id+" "+b.ConsentStatus)
			case c.status == "AUTHORIZED" && b.ConsentStatus != "valid":
				r.books.fault("consent %s is authorized here and %s at the bank", c.id, b.ConsentStatus)
			}
		}
		for _, c := range ours {
			if c.status == "AUTHORIZED" && !seen[c.request] {
				r.books.fault("consent %s is authorized and unknown to the bank", c.id)
			}
		}
		if len(untold) == 0 {
			r.atBanks, r.lapsing = len(theirs.Consents), lapsing
			return
		}
		if since := time.Since(r.books.lastKill); since > resumeWithin {
			r.books.fault("%d of the consents that are over are open at a bank %v after the last kill, such as %s",
				len(untold), since, untold[0])
			return
		}
		r.duplicates = 0
		if !pause(ctx, time.Second) {
			return
		}
	}
}

// operator reads one of the sandbox's faces for its operator.
func (r *run) operator(ctx context.Context, path string, into any) {
	r.Helper()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.phone.Sandbox+path, nil)
	if err != nil {
		r.Fatal(err)
	}
	resp, err := r.phone.HTTP.Do(q)
	if err != nil {
		r.Fatalf("the sandbox does not answer: %v", err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		r.Fatal(err)
	}
}

// summary says in one line what came of it, and fails on what must not be.
func (r *run) summary(store string, kills int) {
	r.Helper()
	replays := 0
	var all struct {
		DuplicateConsents, UnattendedReads int
		Banks                              map[string]struct{ ConsentReplays int }
	}
	r.operator(r.Context(), "/sandbox/stats", &all)
	r.duplicates += all.DuplicateConsents
	for _, b := range all.Banks {
		replays += b.ConsentReplays
	}
	b := r.books
	for i, f := range b.faults {
		if i == mostFaults {
			r.Errorf("and %d more", len(b.faults)-i)
			break
		}
		r.Error(f)
	}
	if r.duplicates > 0 {
		r.Errorf("%d duplicate consents at the banks", r.duplicates)
	}
	for _, id := range slices.Sorted(maps.Keys(b.stuck)) {
		r.Errorf("flow %s was stuck", id)
	}
	r.Logf("%d users, %d sessions, %d consents, %d collections; at the banks %d consents, %d opened by a repeated request, %d left to lapse; "+
		"%d flows ended before the person could sign; background refreshes: %d reads, not completed: %v",
		len(b.users), len(b.sessions), len(b.consents), len(b.collections), r.atBanks, replays, r.lapsing,
		b.unsigned, all.UnattendedReads, b.refreshes)
	r.Logf("%s: %d kills, %d acknowledged writes, %d lost, %d stuck > %v (longest %.1f s after the last kill, %.1f s through kills), %d duplicate bank consents",
		store, b.kills, b.acks, b.lost, len(b.stuck), resumeWithin, b.stillestCalm.Seconds(), b.stillest.Seconds(), r.duplicates)
	if b.kills < kills || b.acks == 0 {
		r.Errorf("%d kills over %d acknowledged writes: there was no load", b.kills, b.acks)
	}
}
