package crash

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// The flows that workers walk.

// banks are the companies of the sandbox whose instructions have a text to sign
// by, with a login method of theirs.
var banks = []struct{ company, method string }{
	{"se-demo-psd2", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"},
	{"se-demo-psd2", "SWEDISH_MOBILE_BANKID_SAME_DEVICE"},
	{"se-sandbox-autostart", "SWEDISH_MOBILE_BANKID_SAME_DEVICE"},
	{"se-sandbox-short", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"},
}

// flaky fails now and then by design.
const flaky = "se-sandbox-short"

// order is the body of a request for a consent or a one-time collection.
func order(company, method, person string) any {
	return map[string]any{"company": company, "loginMethod": method, "parameters": []any{
		map[string]string{"type": "PSD2_AIS_CONSENT", "psuIpAddress": "192.0.2.1", "psuLocale": "sv-SE"},
		map[string]string{"type": "SWEDISH_BANKID", "personalNumber": person}}}
}

// consent makes a consent and follows it. It reports false unless the person has
// signed, after which the consent must be authorized.
func (w *worker) consent(ctx context.Context, company, method, person, deed string) (id string, authorized bool) {
	key := w.maybe()
	if person != "" {
		key = w.key() // nobody but this flow may have a consent of the person
	}
	a, ok := w.made(ctx, "/consents", w.token, key, func() any {
		if person != "" {
			return order(company, method, person)
		}
		return order(company, method, w.persons.next())
	})
	var c struct{ ConsentID string }
	a.read(&c)
	if !ok {
		return "", false
	}
	entry := &consentEntry{userID: w.userID, status: "INITIATED"}
	w.books.note(func() { w.books.consents[c.ConsentID] = entry })
	s, done, ok := w.follow(ctx, c.ConsentID, "/consents/"+c.ConsentID+"/status", deed)
	w.books.note(func() {
		entry.status = s.Status
		if !done && deed != "" {
			w.books.unsigned++
		}
	})
	if ok && done && deed == "approve" && s.Status != "AUTHORIZED" {
		w.books.fault("consent %s is %s although the person has signed", c.ConsentID, s.Status)
	}
	if key != "" && ok {
		w.onlyOne(ctx, c.ConsentID)
	}
	return c.ConsentID, ok && s.Status == "AUTHORIZED"
}

// onlyOne holds a user's list of consents against the one that was asked for with
// a key, however often.
func (w *worker) onlyOne(ctx context.Context, id string) {
	a, ok := w.must(ctx, request{method: "GET", path: "/consents", token: w.token}, 200)
	var list []struct{ ConsentID string }
	a.read(&list)
	if ok && (len(list) != 1 || list[0].ConsentID != id) {
		w.books.fault("one key has made %d consents", len(list))
	}
}

func (w *worker) revoke(ctx context.Context, id string) {
	a, ok := w.must(ctx, request{method: "DELETE", path: "/consents/" + id, token: w.token}, 200, 409)
	if ok && a.status == 200 {
		w.books.note(func() { w.books.consents[id].status = "REVOKED" })
	}
}

// stored is a consent that is used again.
func (w *worker) stored(ctx context.Context) {
	b := banks[w.chance.IntN(len(banks))]
	id, ok := w.consent(ctx, b.company, b.method, "", "approve")
	if !ok {
		return
	}
	for range 1 + w.chance.IntN(2) {
		if w.books.ended() {
			break
		}
		w.collect(ctx, b.company, id, true)
	}
	if w.chance.IntN(2) == 0 {
		w.revoke(ctx, id)
	}
}

// history collects a long history, and must always find the whole of it.
func (w *worker) history(ctx context.Context, person string) {
	id, ok := w.consent(ctx, banks[0].company, banks[0].method, person, "approve")
	if id == "" {
		return
	}
	if ok {
		// A new day brings new rows, so that only one hour's are compared.
		hour := time.Now().Truncate(time.Hour)
		data := w.collect(ctx, banks[0].company, id, true)
		if data != nil && time.Now().Truncate(time.Hour).Equal(hour) {
			w.books.same(person+hour.Format("T15"), countRows(w, data))
		}
	}
	w.revoke(ctx, id)
}

// countRows counts transactions, each of which must be there once.
func countRows(w *worker, data []byte) (n int) {
	var products []struct {
		Transactions []struct{ AccountID, TransactionID string }
	}
	if err := json.Unmarshal(data, &products); err != nil {
		w.books.fault("the data of a collection is no list of products: %v", err)
	}
	seen := map[string]bool{}
	for _, p := range products {
		for _, t := range p.Transactions {
			if n++; seen[t.AccountID+t.TransactionID] {
				w.books.fault("a transaction is told twice")
			}
			seen[t.AccountID+t.TransactionID] = true
		}
	}
	return n
}

// collect collects with a stored consent and returns the data.
func (w *worker) collect(ctx context.Context, company, consentID string, attended bool) []byte {
	parameter := map[string]string{"type": "STORED_CONSENT", "consentId": consentID}
	key := w.maybe()
	if attended {
		parameter["psuIpAddress"] = "192.0.2.1"
	} else {
		key = w.key() // each try counts
	}
	a, ok := w.made(ctx, "/collections", w.token, key, func() any {
		return map[string]any{"company": company, "parameters": []any{parameter}}
	})
	if !ok {
		return nil
	}
	return w.collected(ctx, a, &collectionEntry{userID: w.userID, consentID: consentID, attended: attended}, company, "none")
}

// collected follows a collection to its end and fetches its data.
func (w *worker) collected(ctx context.Context, a answer, entry *collectionEntry, company, deed string) []byte {
	var c struct{ ID string }
	a.read(&c)
	w.books.note(func() { w.books.collections[c.ID] = entry })
	s, done, ok := w.follow(ctx, c.ID, "/collections/"+c.ID+"/status", deed)
	w.books.note(func() { entry.status = s.Status })
	whole := s.Status == "COMPLETED"
	switch {
	case !ok:
		return nil
	case whole, company == flaky:
	case entry.consentID == "" && !done:
		w.books.note(func() { w.books.unsigned++ })
	case !entry.attended:
		w.books.note(func() { w.books.refreshes[s.Status]++ })
	default:
		w.books.fault("collection %s ended as %s", c.ID, s.Status)
	}
	if !strings.HasPrefix(s.Status, "COMPLETED") {
		return nil
	}
	a, ok = w.must(ctx, request{method: "GET", path: "/collections/" + c.ID + "/wealth/data", token: w.token}, 200)
	if !ok {
		return nil
	}
	w.books.note(func() { entry.data = string(a.body) })
	if w.chance.IntN(4) == 0 {
		if _, ok := w.must(ctx, request{method: "DELETE", path: "/collections/" + c.ID, token: w.token}, 204); ok {
			w.books.note(func() { entry.deleted = true })
		}
	}
	if !whole {
		return nil
	}
	return a.body
}

// oneTime is a collection inside which the person signs.
func (w *worker) oneTime(ctx context.Context) {
	b := banks[w.chance.IntN(len(banks))]
	a, ok := w.made(ctx, "/collections", w.token, w.maybe(), func() any { return order(b.company, b.method, w.persons.next()) })
	if ok {
		w.collected(ctx, a, &collectionEntry{userID: w.userID, attended: true}, b.company, "approve")
	}
}

// declined is a consent that the person declines.
func (w *worker) declined(ctx context.Context) {
	b := banks[w.chance.IntN(len(banks))]
	w.consent(ctx, b.company, b.method, "", "cancel")
}

// withdrawn is a consent that is revoked while it waits for the person.
func (w *worker) withdrawn(ctx context.Context) {
	b := banks[w.chance.IntN(len(banks))]
	if id, _ := w.consent(ctx, b.company, b.method, "", ""); id != "" {
		w.revoke(ctx, id)
	}
}

// dailyLimit is how many background refreshes a consent has in 24 hours.
const dailyLimit = 4

// refreshed uses up a consent's background refreshes; not one more may pass.
func (w *worker) refreshed(ctx context.Context) {
	b := banks[0]
	id, ok := w.consent(ctx, b.company, b.method, "", "approve")
	for range dailyLimit {
		if !ok || w.books.ended() {
			return
		}
		w.collect(ctx, b.company, id, false)
	}
	if !ok {
		return
	}
	w.must(ctx, request{method: "POST", path: "/collections", token: w.token, key: w.key(), body: map[string]any{
		"company": b.company, "parameters": []any{map[string]string{"type": "STORED_CONSENT", "consentId": id}}}}, 429)
}
