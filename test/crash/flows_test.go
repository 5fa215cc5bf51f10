package crash

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// banks are companies and login methods whose instructions have a QR text or an autostart
// token. The remaining bank of the sandbox has only an image.
var banks = []struct{ company, method string }{
	{"se-demo-psd2", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"},
	{"se-demo-psd2", "SWEDISH_MOBILE_BANKID_SAME_DEVICE"},
	{"se-sandbox-autostart", "SWEDISH_MOBILE_BANKID_SAME_DEVICE"},
	{"se-sandbox-short", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"},
}

// scriptedFailuresBank fails some requests by configuration.
const scriptedFailuresBank = "se-sandbox-short"

// requestBody returns the body for a consent or a one-time collection.
func requestBody(company, method, person string) any {
	return map[string]any{"company": company, "loginMethod": method, "parameters": []any{
		map[string]string{"type": "PSD2_AIS_CONSENT", "psuIpAddress": "192.0.2.1", "psuLocale": "sv-SE"},
		map[string]string{"type": "SWEDISH_BANKID", "personalNumber": person}}}
}

// consent creates a consent and follows it. person is empty for a new person. If the
// person has approved, the consent must become AUTHORIZED.
func (w *worker) consent(ctx context.Context, company, method, person, action string) (id string, authorized bool) {
	key := w.optionalKey()
	if person != "" {
		key = w.newKey() // a second consent of the person would end the first one
	}
	a, ok := w.create(ctx, "/consents", w.token, key, func() any {
		if person != "" {
			return requestBody(company, method, person)
		}
		return requestBody(company, method, w.persons.next())
	})
	var c struct{ ConsentID string }
	a.decode(&c)
	if !ok {
		return "", false
	}
	entry := &consentEntry{userID: w.userID, status: "INITIATED"}
	w.recorder.update(func() { w.recorder.consents[c.ConsentID] = entry })
	s, done, ok := w.follow(ctx, c.ConsentID, "/consents/"+c.ConsentID+"/status", action)
	w.recorder.update(func() {
		entry.status = s.Status
		if !done && action != "" {
			w.recorder.unsigned++
		}
	})
	if ok && done && action == "approve" && s.Status != "AUTHORIZED" {
		w.recorder.addFault("consent %s is %s although the person has signed", c.ConsentID, s.Status)
	}
	if key != "" && ok {
		w.checkSingleConsent(ctx, c.ConsentID)
	}
	return c.ConsentID, ok && s.Status == "AUTHORIZED"
}

// checkSingleConsent checks that the user has only this consent, which was requested with
// an Idempotency-Key and possibly repeated.
func (w *worker) checkSingleConsent(ctx context.Context, id string) {
	a, ok := w.want(ctx, request{method: "GET", path: "/consents", token: w.token}, 200)
	var list []struct{ ConsentID string }
	a.decode(&list)
	if ok && (len(list) != 1 || list[0].ConsentID != id) {
		w.recorder.addFault("one Idempotency-Key has created %d consents", len(list))
	}
}

func (w *worker) revoke(ctx context.Context, id string) {
	a, ok := w.want(ctx, request{method: "DELETE", path: "/consents/" + id, token: w.token}, 200, 409)
	if ok && a.status == 200 {
		w.recorder.update(func() { w.recorder.consents[id].status = "REVOKED" })
	}
}

// storedConsentFlow runs collections with one consent.
func (w *worker) storedConsentFlow(ctx context.Context) {
	b := banks[w.random.IntN(len(banks))]
	id, ok := w.consent(ctx, b.company, b.method, "", "approve")
	if !ok {
		return
	}
	for range 1 + w.random.IntN(2) {
		if w.recorder.stopped() {
			break
		}
		w.collect(ctx, b.company, id, true)
	}
	if w.random.IntN(2) == 0 {
		w.revoke(ctx, id)
	}
}

// longHistoryFlow collects a long history, which must always be complete.
func (w *worker) longHistoryFlow(ctx context.Context, person string) {
	id, ok := w.consent(ctx, banks[0].company, banks[0].method, person, "approve")
	if id == "" {
		return
	}
	if ok {
		// A new day adds transactions, so only collections within one hour are compared.
		hour := time.Now().Truncate(time.Hour)
		data := w.collect(ctx, banks[0].company, id, true)
		if data != nil && time.Now().Truncate(time.Hour).Equal(hour) {
			w.recorder.checkRows(person+hour.Format("T15"), countTransactions(w, data))
		}
	}
	w.revoke(ctx, id)
}

// countTransactions counts transactions and checks that each is there once.
func countTransactions(w *worker, data []byte) (n int) {
	var products []struct {
		Transactions []struct{ AccountID, TransactionID string }
	}
	if err := json.Unmarshal(data, &products); err != nil {
		w.recorder.addFault("the data of a collection is not a list of products: %v", err)
	}
	seen := map[string]bool{}
	for _, p := range products {
		for _, t := range p.Transactions {
			if n++; seen[t.AccountID+t.TransactionID] {
				w.recorder.addFault("a transaction is there twice")
			}
			seen[t.AccountID+t.TransactionID] = true
		}
	}
	return n
}

// collect collects with a stored consent and returns the data.
func (w *worker) collect(ctx context.Context, company, consentID string, attended bool) []byte {
	parameter := map[string]string{"type": "STORED_CONSENT", "consentId": consentID}
	key := w.optionalKey()
	if attended {
		parameter["psuIpAddress"] = "192.0.2.1"
	} else {
		key = w.newKey() // a second collection would use up the limit
	}
	a, ok := w.create(ctx, "/collections", w.token, key, func() any {
		return map[string]any{"company": company, "parameters": []any{parameter}}
	})
	if !ok {
		return nil
	}
	return w.awaitProducts(ctx, a, &collectionEntry{userID: w.userID, consentID: consentID, attended: attended}, company, "none")
}

// awaitProducts follows a collection until it has ended and returns its data.
func (w *worker) awaitProducts(ctx context.Context, a response, entry *collectionEntry, company, action string) []byte {
	var c struct{ ID string }
	a.decode(&c)
	w.recorder.update(func() { w.recorder.collections[c.ID] = entry })
	s, done, ok := w.follow(ctx, c.ID, "/collections/"+c.ID+"/status", action)
	w.recorder.update(func() { entry.status = s.Status })
	complete := s.Status == "COMPLETED"
	switch {
	case !ok:
		return nil
	case complete, company == scriptedFailuresBank:
	case entry.consentID == "" && !done:
		w.recorder.update(func() { w.recorder.unsigned++ })
	case !entry.attended:
		w.recorder.update(func() { w.recorder.refreshes[s.Status]++ })
	default:
		w.recorder.addFault("collection %s ended as %s", c.ID, s.Status)
	}
	if data := w.keepProducts(ctx, c.ID, entry); complete {
		return data
	}
	return nil
}

// keepProducts reads and records the data of a collection that has completed, and erases
// it there in some cases.
func (w *worker) keepProducts(ctx context.Context, id string, entry *collectionEntry) []byte {
	if !strings.HasPrefix(entry.status, "COMPLETED") {
		return nil
	}
	a, ok := w.want(ctx, request{method: "GET", path: "/collections/" + id + "/wealth/data", token: w.token}, 200)
	if !ok {
		return nil
	}
	w.recorder.update(func() { entry.data = string(a.body) })
	if w.random.IntN(4) == 0 {
		if _, ok := w.want(ctx, request{method: "DELETE", path: "/collections/" + id, token: w.token}, 204); ok {
			w.recorder.update(func() { entry.deleted = true })
		}
	}
	return a.body
}

// oneTimeFlow runs a one-time collection.
func (w *worker) oneTimeFlow(ctx context.Context) {
	b := banks[w.random.IntN(len(banks))]
	a, ok := w.create(ctx, "/collections", w.token, w.optionalKey(), func() any { return requestBody(b.company, b.method, w.persons.next()) })
	if ok {
		w.awaitProducts(ctx, a, &collectionEntry{userID: w.userID, attended: true}, b.company, "approve")
	}
}

// declinedFlow requests a consent that the person declines.
func (w *worker) declinedFlow(ctx context.Context) {
	b := banks[w.random.IntN(len(banks))]
	w.consent(ctx, b.company, b.method, "", "cancel")
}

// revokedFlow requests a consent and revokes it while it waits for the person.
func (w *worker) revokedFlow(ctx context.Context) {
	b := banks[w.random.IntN(len(banks))]
	if id, _ := w.consent(ctx, b.company, b.method, "", ""); id != "" {
		w.revoke(ctx, id)
	}
}

// dailyLimit is how many background refreshes a consent has in 24 hours.
const dailyLimit = 4

// backgroundFlow uses up a consent's background refreshes; the next one must fail.
func (w *worker) backgroundFlow(ctx context.Context) {
	b := banks[0]
	id, ok := w.consent(ctx, b.company, b.method, "", "approve")
	for range dailyLimit {
		if !ok || w.recorder.stopped() {
			return
		}
		w.collect(ctx, b.company, id, false)
	}
	if !ok {
		return
	}
	w.want(ctx, request{method: "POST", path: "/collections", token: w.token, key: w.newKey(), body: map[string]any{
		"company": b.company, "parameters": []any{map[string]string{"type": "STORED_CONSENT", "consentId": id}}}}, 429)
}
