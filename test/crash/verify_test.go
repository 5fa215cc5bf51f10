package crash

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// verify checks that the servers still have everything that they acknowledged.
func (r *crashTest) verify() {
	r.Helper()
	w := &worker{crashTest: r}
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Minute)
	defer cancel()
	r.checkUnfinished()
	r.noteJobs(ctx)
	for id, u := range r.recorder.users {
		w.checkUser(ctx, id, u)
	}
	for token, userID := range r.recorder.sessions {
		w.checkSession(ctx, token, userID)
	}
	for id, c := range r.recorder.collections {
		w.checkCollection(ctx, id, c)
	}
	rows := r.readConsents(ctx)
	for id, c := range r.recorder.consents {
		row, ok := rows[id]
		want := c.status
		if r.recorder.users[c.userID].deleted && want == "AUTHORIZED" {
			want = "REVOKED"
		}
		if !ok || row.status != want {
			r.addLost("consent %s is %q, acknowledged as %s", id, row.status, want)
		}
	}
	r.checkBanks(ctx, rows)
	r.checkSource(ctx)
	r.checkEvents(ctx)
	r.checkSecrets()
}

// addLost records that an acknowledged write is missing.
func (r *crashTest) addLost(format string, args ...any) {
	r.recorder.update(func() { r.recorder.lost++ })
	r.recorder.addFault("lost: "+format, args...)
}

// checkUnfinished records flows that did not reach a final status as stuck.
func (r *crashTest) checkUnfinished() {
	for id, c := range r.recorder.consents {
		if c.status == "INITIATED" {
			r.recorder.update(func() { r.recorder.stuck[id], r.recorder.odd[id] = true, true })
		}
	}
	for id, c := range r.recorder.collections {
		if c.status == "" || unfinished[c.status] {
			r.recorder.update(func() { r.recorder.stuck[id], r.recorder.odd[id] = true, true })
		}
	}
}

func (w *worker) checkUser(ctx context.Context, id string, want *userEntry) {
	type user struct {
		UserUUID, ExternalID string
		Anonymized           bool
	}
	var byID, byName user
	a, err := w.do(ctx, request{method: "GET", path: "/users/" + id})
	a.decode(&byID)
	if err != nil || a.status != 200 || byID.Anonymized != want.deleted || !want.deleted && byID.ExternalID != want.externalID {
		w.addLost("user %s (deleted %v): %d %s", id, want.deleted, a.status, a.body)
	}
	a, err = w.do(ctx, request{method: "GET", path: "/users?externalId=" + want.externalID})
	a.decode(&byName)
	switch {
	case err != nil, want.deleted && a.status != 404, !want.deleted && byName.UserUUID != id:
		w.addLost("user %s by external id (deleted %v): %d %s", id, want.deleted, a.status, a.body)
	}
}

// checkSession checks that a session is valid on every server, unless its user was deleted.
func (w *worker) checkSession(ctx context.Context, token, userID string) {
	want := http.StatusOK
	if w.recorder.users[userID].deleted {
		want = http.StatusUnauthorized
	}
	for _, n := range w.nodes {
		a, err := w.send(ctx, n.currentAddress(), request{method: "GET", path: "/users/" + userID, token: token})
		if err != nil || a.status != want {
			w.addLost("a session of user %s: %d %s, want %d", userID, a.status, a.body, want)
		}
	}
}

func (w *worker) checkCollection(ctx context.Context, id string, want *collectionEntry) {
	var s flowState
	a, err := w.do(ctx, request{method: "GET", path: "/collections/" + id + "/status"})
	a.decode(&s)
	if err != nil || s.Status != want.status {
		w.addLost("collection %s: %d %s, acknowledged as %s", id, a.status, a.body, want.status)
	}
	if want.data == "" {
		return
	}
	a, err = w.do(ctx, request{method: "GET", path: "/collections/" + id + "/wealth/data"})
	switch deleted := want.deleted || w.recorder.users[want.userID].deleted; {
	case err != nil, deleted && a.status != http.StatusGone, !deleted && string(a.body) != want.data:
		w.addLost("the data of collection %s (deleted %v): %d, %d bytes of %d", id, deleted, a.status, len(a.body), len(want.data))
	}
}

// bankConsent is a consent in the list of the sandbox's operator.
type bankConsent struct{ ConsentID, ConsentStatus, XRequestID string }

// checkBanks compares the banks' consents with ours: each of theirs belongs to one of
// ours, none of ours has two, and a consent that has ended here has ended at the bank.
func (r *crashTest) checkBanks(ctx context.Context, rows map[string]consentRow) {
	ours := map[string]consentRow{} // by X-Request-ID
	for _, c := range rows {
		if _, twice := ours[c.request]; twice {
			r.recorder.addFault("two consents share a request id")
		}
		ours[c.request] = c
	}
	for {
		var theirs struct{ Consents []bankConsent }
		r.operator(ctx, "/sandbox/consents", &theirs)
		seen, open := map[string]bool{}, []string{}
		for _, b := range theirs.Consents {
			c, known := ours[b.XRequestID]
			if !known || seen[b.XRequestID] {
				r.duplicates++
			}
			seen[b.XRequestID] = true
			ended, endedAtBank := c.status == "REVOKED" || c.status == "FAILED" || c.status == "EXPIRED", b.ConsentStatus != "received" && b.ConsentStatus != "valid"
			switch {
			case ended && !endedAtBank:
				open = append(open, c.id+" "+b.ConsentStatus)
			case c.status == "AUTHORIZED" && b.ConsentStatus != "valid":
				r.recorder.addFault("consent %s is authorized here and %s at the bank", c.id, b.ConsentStatus)
			}
		}
		for _, c := range ours {
			if c.status == "AUTHORIZED" && !seen[c.request] {
				r.recorder.addFault("consent %s is authorized and unknown to the bank", c.id)
			}
		}
		if len(open) == 0 {
			r.atBanks = len(theirs.Consents)
			return
		}
		if since := time.Since(r.recorder.lastKill); since > resumeTimeout {
			r.recorder.addFault("%d consents that have ended are open at a bank %v after the last kill, such as %s",
				len(open), since, open[0])
			return
		}
		r.duplicates = 0
		if !pause(ctx, time.Second) {
			return
		}
	}
}

// operator gets an operator endpoint of the sandbox.
func (r *crashTest) operator(ctx context.Context, path string, into any) {
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

// summary logs the counts in one line and fails the test if there are faults.
func (r *crashTest) summary(store string, kills int) {
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
	b := r.recorder
	for i, f := range b.faults {
		if i == maxFaults {
			r.Errorf("and %d more", len(b.faults)-i)
			break
		}
		r.Error(f)
	}
	if r.duplicates > 0 {
		r.Errorf("%d duplicate consents at the banks", r.duplicates)
	}
	for id := range b.odd {
		r.Log(r.report(id))
	}
	for _, id := range slices.Sorted(maps.Keys(b.stuck)) {
		r.Errorf("flow %s was stuck", id)
	}
	r.Logf("%d users, %d sessions, %d consents, %d collections; at the banks %d consents, %d opened by a repeated request; "+
		"%d flows ended before the person could sign; background refreshes: %d reads, not completed: %v",
		len(b.users), len(b.sessions), len(b.consents), len(b.collections), r.atBanks, replays,
		b.unsigned, all.UnattendedReads, b.refreshes)
	r.Logf("%d events in order", len(r.followed))
	r.source.mu.Lock()
	r.Logf("at the recording source: %d collections, %d logins, %d answers acknowledged, %d requests repeated with their id, %d answers of the source lost on purpose, %d duplicate effects",
		len(b.logins), len(r.source.sessions), r.acknowledged, r.source.repeats, len(r.source.lost), r.duplicateEffects)
	r.source.mu.Unlock()
	r.Logf("%s: %d kills, %d acknowledged writes, %d lost, %d stuck > %v (longest %.1f s after the last kill, %.1f s through kills), %d duplicate bank consents",
		store, b.kills, b.acks, b.lost, len(b.stuck), resumeTimeout, b.longestStallAfterKill.Seconds(), b.longestStall.Seconds(), r.duplicates)
	if b.kills < kills || b.acks == 0 {
		r.Errorf("%d kills over %d acknowledged writes: there was no load", b.kills, b.acks)
	}
}
