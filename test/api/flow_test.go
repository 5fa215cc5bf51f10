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
	demoBank      = "se-demo-psd2"
	autostartBank = "se-sandbox-autostart" // has no QR code and requires the personal number
	otherDevice   = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"
	sameDevice    = "SWEDISH_MOBILE_BANKID_SAME_DEVICE"
	maja          = persona.Default
	tolvan        = "191212121212" // a customer without accounts
	gun           = "194408139089" // another customer
	address       = "192.0.2.7"    // of the person
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
	Renews    string      `json:"renews"`
	RenewedBy string      `json:"renewedBy"`
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
	ConsentID        string            `json:"consentId"`
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

// scopeParameter returns a parameter PSD2_AIS_CONSENT.
func scopeParameter() object {
	return object{"type": "PSD2_AIS_CONSENT", "psuIpAddress": address, "psuLocale": "sv-SE"}
}

func bankIDParameter(n string) object { return object{"type": "SWEDISH_BANKID", "personalNumber": n} }

func storedConsent(id string) object { return object{"type": "STORED_CONSENT", "consentId": id} }

func attendedConsent(id string) object {
	p := storedConsent(id)
	p["psuIpAddress"], p["psuUserAgent"] = address, "Mozilla/5.0"
	return p
}

func requestBody(company, method string, parameters ...object) object {
	body := object{"company": company, "parameters": parameters}
	if method != "" {
		body["loginMethod"] = method
	}
	return body
}

// pollTimeout is long enough for a slow machine.
const pollTimeout = time.Minute

// poll gets a path until done returns true.
func poll[T any](t *testing.T, c client, path string, done func(T) bool) T {
	t.Helper()
	deadline := time.Now().Add(pollTimeout)
	for {
		var got T
		a := c.get(t, path, &got)
		if done(got) {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not reach the expected state: %s", path, a.Body)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (c client) awaitingConsent(t *testing.T, consentID string) consentStatus {
	t.Helper()
	got := poll(t, c, "/consents/"+consentID+"/status", func(s consentStatus) bool { return s.Status != string(consent.Initiated) })
	if got.Status != string(consent.AwaitingAuthorization) {
		t.Fatalf("the consent is %+v", got)
	}
	c.Env.Log.Secret("an autostart token", got.AuthInstructions.AutoStartToken)
	return got
}

func (c client) finalConsent(t *testing.T, consentID string) consentStatus {
	t.Helper()
	return poll(t, c, "/consents/"+consentID+"/status", func(s consentStatus) bool { return s.PollingInterval == nil })
}

func (c client) finalCollection(t *testing.T, collectionID string) collectionStatus {
	t.Helper()
	return poll(t, c, "/collections/"+collectionID+"/status", func(s collectionStatus) bool { return s.PollingInterval == nil })
}

// phone performs an action on the person's phone.
func (w *env) phone(t *testing.T, a bankid.PhoneAction) {
	t.Helper()
	if _, err := w.Sandbox.BankID().Act(a); err != nil {
		t.Fatalf("the action on the phone failed: %v", err)
	}
}

// authorizedConsent creates a user and a consent that Maja has signed.
func (w *env) authorizedConsent(t *testing.T, c client) (userObject, client, consentObject) {
	t.Helper()
	u, session := c.person(t)
	return u, session, w.signedConsent(t, session)
}

// signedConsent creates a consent of the session's user, which the person signs.
func (w *env) signedConsent(t *testing.T, session client) consentObject {
	t.Helper()
	var made consentObject
	session.post(t, "/consents", requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(maja)), &made)
	w.sign(t, session, made.ConsentID)
	return made
}

// sign lets the person sign a consent.
func (w *env) sign(t *testing.T, session client, id string) {
	t.Helper()
	w.phone(t, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: session.awaitingConsent(t, id).AuthInstructions.AutoStartToken})
	if got := session.finalConsent(t, id); got.Status != string(consent.Authorized) {
		t.Fatalf("the consent is %+v", got)
	}
}

// registerSecrets registers the personal data of the tests.
func (w *env) registerSecrets() {
	w.Log.Secret("a personal number", maja)
	w.Log.Secret("a personal number", maja[2:])
	w.Log.Secret("a personal number", tolvan)
	w.Log.Secret("an address", address)
}

func (c client) delete(t *testing.T, path string) harness.Response {
	t.Helper()
	return c.Do(t, http.MethodDelete, path, nil)
}
