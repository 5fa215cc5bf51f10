package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"samla/test/harness"
)

// client calls the API of one node with one credential.
type client struct {
	harness.Client
	w *env
}

// atNode returns the same client for another node.
func (c client) atNode(base string) client {
	c.Base = base
	return c
}

// session returns a client with a new session of a user.
func (c client) session(t *testing.T, user string) client {
	t.Helper()
	c.Client = c.Session(t, user)
	return c
}

// collectionStatus is CollectionStatusResponse.
type collectionStatus struct {
	ID               string
	Status           string
	ExtraInformation map[string]any
	PollingInterval  *int
	PollingTimeout   *time.Time
}

// storedConsent returns the body of a collection with a stored consent. ip is empty for a
// background refresh.
func storedConsent(company, consent, ip string, more ...map[string]any) map[string]any {
	parameter := map[string]any{"type": "STORED_CONSENT", "consentId": consent}
	if ip != "" {
		parameter["psuIpAddress"], parameter["psuUserAgent"] = ip, "e2e/1.0"
	}
	return map[string]any{"company": company, "parameters": append(more, parameter)}
}

// startCollection starts a collection.
func (c client) startCollection(t *testing.T, body map[string]any) collectionStatus {
	t.Helper()
	var s collectionStatus
	got := c.Do(t, "POST", "/collections", body).WantStatus(t, 201, &s)
	if s.Status != "RUNNING" || got.Header.Get("Location") != "/collections/"+s.ID+"/status" {
		t.Errorf("created %s, Location %q", got.Body, got.Header.Get("Location"))
	}
	return s
}

// pollCollection polls a collection once.
func (c client) pollCollection(t *testing.T, id string) collectionStatus {
	t.Helper()
	var s collectionStatus
	c.Do(t, "GET", "/collections/"+id+"/status", nil).WantStatus(t, 200, &s)
	if token, ok := s.ExtraInformation["SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"].(string); ok {
		c.w.Log.Secret("an autostart token", token)
	}
	if address, ok := s.ExtraInformation["REDIRECT_URL"].(string); ok {
		c.w.Log.Secret("a state", stateOf(address))
	}
	return s
}

// awaitCollection polls a collection until it has ended, which must be with this status.
func (c client) awaitCollection(t *testing.T, id, status string) collectionStatus {
	t.Helper()
	var s collectionStatus
	c.w.await(t, "collection "+status, func() bool {
		s = c.pollCollection(t, id)
		return s.PollingInterval == nil
	})
	if s.Status != status {
		t.Fatalf("the collection ended as %s, want %s", s.Status, status)
	}
	if s.PollingTimeout != nil || s.ExtraInformation != nil {
		t.Errorf("the ended collection has %+v", s)
	}
	return s
}

// collect runs a collection with a stored consent, which must end with this status, and
// returns its id.
func (c client) collect(t *testing.T, company, consent, ip, status string) string {
	t.Helper()
	id := c.startCollection(t, storedConsent(company, consent, ip)).ID
	c.awaitCollection(t, id, status)
	return id
}

// amount is an amount in JSON with its original digits.
type amount struct {
	Amount   json.Number
	Currency string
}

// account is a Psd2Account.
type account struct {
	Type              string
	Company           string
	AccountID         string
	AccountHolderName string
	AccountNumber     string
	IBAN              string
	Currency          string
	BookedBalance     *amount
	LoanID            string
	LoanDetails       struct{ Balance *amount }
	AvailableBalance  *amount
	Person            *struct{ PersonalNumber string } `json:"personalInformation"`
	Transactions      *[]transaction
}

// transaction is a Psd2Transaction.
type transaction struct {
	TransactionID string
	AccountID     string
	Amount        amount
	Direction     string
	Status        string
	BookingDate   string
}

// products returns a collection's products.
func (c client) products(t *testing.T, id string) []account {
	t.Helper()
	var list []account
	c.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).WantStatus(t, 200, &list)
	for _, a := range list {
		c.w.Log.Secret("an account number", a.IBAN, a.AccountNumber)
	}
	return list
}
