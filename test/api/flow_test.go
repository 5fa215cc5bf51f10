package api

import (
	"net/http"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/persona"
	"samla/test/harness"
)

const (
	demo        = "se-demo-psd2"
	needsNumber = "se-sandbox-autostart" // no QR code, and wants to know the person before
	other       = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"
	same        = "SWEDISH_MOBILE_BANKID_SAME_DEVICE"
	maja        = persona.Default
	tolvan      = "191212121212" // has no accounts
	stranger    = "194408139089" // another customer
	address     = "192.0.2.7"    // a person's
)

type object = map[string]any

type scopeObject struct {
	AccountIDs   []string `json:"accountIds"`
	Balances     bool     `json:"balances"`
	Transactions bool     `json:"transactions"`
	Type         string   `json:"type"`
}

type consentObject struct {
	Company   string      `json:"company"`
	ConsentID string      `json:"consentId"`
	ExpiresAt time.Time   `json:"expiresAt"`
	Scope     scopeObject `json:"scope"`
	Status    string      `json:"status"`
}

type consentStatus struct {
	consentObject
	CreatedAt        time.Time `json:"createdAt"`
	StatusChangedAt  time.Time `json:"statusChangedAt"`
	RevokedAt        time.Time `json:"revokedAt"`
	PollingInterval  *int      `json:"pollingInterval"`
	AuthInstructions *struct {
		Type           string    `json:"type"`
		AutoStartToken string    `json:"autoStartToken"`
		QRData         string    `json:"qrData"`
		QRImage        string    `json:"qrImage"`
		ExpiresAt      time.Time `json:"expiresAt"`
		UserMessage    struct {
			Code, Text string
		} `json:"userMessage"`
	} `json:"authInstructions"`
	Error struct {
		Code, Message string
	} `json:"error"`
}

type collectionStatus struct {
	ID               string            `json:"id"`
	Company          string            `json:"company"`
	Status           string            `json:"status"`
	ExtraInformation map[string]string `json:"extraInformation"`
	PollingInterval  *int              `json:"pollingInterval"`
	PollingTimeout   time.Time         `json:"pollingTimeout"`
}

type summary struct {
	CollectionID string `json:"collectionId"`
	Company      string `json:"company"`
	LoginMethod  string `json:"loginMethod"`
	Status       string `json:"status"`
}

// scope is a parameter PSD2_AIS_CONSENT.
func scope() object {
	return object{"type": "PSD2_AIS_CONSENT", "psuIpAddress": address, "psuLocale": "sv-SE"}
}

func number(n string) object { return object{"type": "SWEDISH_BANKID", "personalNumber": n} }

func stored(id string) object { return object{"type": "STORED_CONSENT", "consentId": id} }

func attended(id string) object {
	p := stored(id)
	p["psuIpAddress"], p["psuUserAgent"] = address, "Mozilla/5.0"
	return p
}

func ask(company, method string, parameters ...object) object {
	body := object{"company": company, "parameters": parameters}
	if method != "" {
		body["loginMethod"] = method
	}
	return body
}

// patience is how long a status may take to come, which is far more than it does.
const patience = time.Minute

// poll asks until done says so.
func poll[T any](t *testing.T, c client, path string, done func(T) bool) T {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		var got T
		a := c.get(t, path, &got)
		if done(got) {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing came of %s: %s", path, a.Body)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (c client) awaiting(t *testing.T, consentID string) consentStatus {
	t.Helper()
	got := poll(t, c, "/consents/"+consentID+"/status", func(s consentStatus) bool { return s.Status != string(consent.Initiated) })
	if got.Status != string(consent.AwaitingAuthorization) {
		t.Fatalf("the consent is %+v", got)
	}
	c.World.Journal.Secret("an autostart token", got.AuthInstructions.AutoStartToken)
	return got
}

func (c client) ended(t *testing.T, consentID string) consentStatus {
	t.Helper()
	return poll(t, c, "/consents/"+consentID+"/status", func(s consentStatus) bool { return s.PollingInterval == nil })
}

func (c client) finished(t *testing.T, collectionID string) collectionStatus {
	t.Helper()
	return poll(t, c, "/collections/"+collectionID+"/status", func(s collectionStatus) bool { return s.PollingInterval == nil })
}

// phone lets a person act on what was shown.
func (w *world) phone(t *testing.T, a bankid.PhoneAction) {
	t.Helper()
	if _, err := w.Sandbox.BankID().Act(a); err != nil {
		t.Fatalf("the phone refuses: %v", err)
	}
}

// authorized makes a consent of a new user that Maja has signed.
func (w *world) authorized(t *testing.T, c client) (userObject, client, consentObject) {
	t.Helper()
	u, session := c.person(t)
	var made consentObject
	session.post(t, "/consents", ask(demo, same, scope(), number(maja)), &made)
	w.phone(t, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: session.awaiting(t, made.ConsentID).AuthInstructions.AutoStartToken})
	if got := session.ended(t, made.ConsentID); got.Status != string(consent.Authorized) {
		t.Fatalf("the consent is %+v", got)
	}
	return u, session, made
}

// secretsOfMaja notes what the log must not tell of her.
func (w *world) secretsOfMaja() {
	w.Journal.Secret("a personal number", maja)
	w.Journal.Secret("a personal number", maja[2:])
	w.Journal.Secret("a personal number", tolvan)
	w.Journal.Secret("an address", address)
}

func (c client) remove(t *testing.T, path string) harness.Answer {
	t.Helper()
	return c.Do(t, http.MethodDelete, path, nil)
}
