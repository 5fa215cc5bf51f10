package e2e

import (
	"strings"
	"sync"
	"testing"
	"time"

	"samla/test/qrscan"
)

// IP address and login methods of the persons.
const (
	address     = "192.0.2.7"
	otherDevice = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"
	sameDevice  = "SWEDISH_MOBILE_BANKID_SAME_DEVICE"
)

// The persons of the sandbox (docs/sandbox.md).
const (
	maja     = "198412099296"
	ester    = "190905271474"
	sten     = "195704289999"
	alva     = "200002292399"
	tolvan   = "191212121212"
	gun      = "194408139089"
	noa      = "199006022397"
	sam      = "199008672397"
	ida      = "199312252399"
	leo      = "199501302393"
	tim      = "198611239883"
	birgitta = "196603233724"
	per      = "198208149297"
	elsa     = "199011062388"
)

// person is a person of the sandbox who is a user of the client.
type person struct {
	client         // has a session of the user
	personalNumber string
	userID         string
	externalID     string
}

// person creates a user for one of the sandbox's persons. It waits until no other test of
// the env uses the person, because a person can have only one BankID order and one
// recurring consent.
func (w *env) person(t *testing.T, number string) *person {
	t.Helper()
	lock, _ := w.personLocks.LoadOrStore(number, &sync.Mutex{})
	lock.(*sync.Mutex).Lock()
	t.Cleanup(lock.(*sync.Mutex).Unlock)
	p := &person{personalNumber: number}
	p.userID, p.externalID = w.backend.User(t)
	p.client = w.backend.session(t, p.userID)
	return p
}

// renewSession creates a new session after the clock was moved past the end of the old one.
func (p *person) renewSession(t *testing.T) {
	t.Helper()
	p.client = p.w.backend.atNode(p.Base).session(t, p.userID)
}

// scope is Psd2AisConsentScope.
type scope struct {
	AccountIDs   []string `json:"accountIds,omitempty"`
	Balances     bool     `json:"balances"`
	Transactions bool     `json:"transactions"`
	Type         string   `json:"type"`
}

// instructions is AuthInstructions.
type instructions struct {
	Type           string
	AutoStartToken string
	QRData         string
	QRImage        string
	RedirectURL    string
	ExpiresAt      time.Time
	UserMessage    struct{ Code, Text string }
}

// consentStatus is ConsentStatusResponse.
type consentStatus struct {
	ConsentID        string
	Status           string
	CreatedAt        time.Time
	StatusChangedAt  time.Time
	PollingInterval  *int
	Scope            scope
	AuthInstructions instructions
	Error            struct{ Code, Message string }
	ExpiresAt        time.Time
	RevokedAt        time.Time
}

// consentRequest is a request for a consent or a one-time collection. scope has additional
// members of the parameter PSD2_AIS_CONSENT.
type consentRequest struct {
	company  string
	method   string
	scope    map[string]any
	noPerson bool // omits the personal number
}

// parameters returns the parameters for a person.
func (a consentRequest) parameters(number string) []map[string]any {
	psd2 := map[string]any{"type": "PSD2_AIS_CONSENT", "psuIpAddress": address, "psuLocale": "sv-SE"}
	for name, value := range a.scope {
		psd2[name] = value
	}
	list := []map[string]any{psd2}
	if !a.noPerson {
		list = append(list, map[string]any{"type": "SWEDISH_BANKID", "personalNumber": number})
	}
	return list
}

func (a consentRequest) body(number string) map[string]any {
	method := a.method
	if method == "" {
		method = otherDevice
		if a.company == autostartBank {
			method = sameDevice
		}
	}
	return map[string]any{"company": a.company, "loginMethod": method, "parameters": a.parameters(number)}
}

// requestConsent creates a consent and returns its id.
func (p *person) requestConsent(t *testing.T, a consentRequest) string {
	t.Helper()
	var made struct{ ConsentID, Status string }
	got := p.Do(t, "POST", "/consents", a.body(p.personalNumber)).WantStatus(t, 201, &made)
	if made.Status != "INITIATED" || got.Header.Get("Location") != "/consents/"+made.ConsentID+"/status" {
		t.Errorf("created %s, Location %q", got.Body, got.Header.Get("Location"))
	}
	return made.ConsentID
}

// pollConsent polls a consent once.
func (p *person) pollConsent(t *testing.T, consent string) consentStatus {
	t.Helper()
	var s consentStatus
	p.Do(t, "GET", "/consents/"+consent+"/status", nil).WantStatus(t, 200, &s)
	p.w.Log.Secret("an autostart token", s.AuthInstructions.AutoStartToken)
	p.w.Log.Secret("a state", stateOf(s.AuthInstructions.RedirectURL))
	return s
}

// awaitConsent polls a consent until it has the status.
func (p *person) awaitConsent(t *testing.T, consent, status string) consentStatus {
	t.Helper()
	var s consentStatus
	p.w.await(t, "consent "+status, func() bool {
		s = p.pollConsent(t, consent)
		if s.Status != status && s.PollingInterval == nil && s.Status != "AUTHORIZED" {
			t.Fatalf("the consent is %s %+v, want %s", s.Status, s.Error, status)
		}
		return s.Status == status
	})
	return s
}

// usePhone performs an action on the phone, as another person if by is not empty.
func (p *person) usePhone(t *testing.T, action string, i instructions, by string) {
	t.Helper()
	token := i.AutoStartToken
	if token == "" {
		token = autoStartToken(t, qrscan.Decode(t, i.QRImage))
		p.w.Log.Secret("an autostart token", token)
	}
	if err := p.w.phone.Act(t.Context(), action, token, "", by); err != nil {
		t.Fatal(err)
	}
}

// autoStartToken returns the token in the link of a static QR code.
func autoStartToken(t *testing.T, link string) string {
	t.Helper()
	_, token, found := strings.Cut(link, "autostarttoken=")
	if !found {
		t.Fatal("the QR code does not contain an autostart token")
	}
	return token
}

// authorizeConsent creates a consent, signs it, and returns its id.
func (p *person) authorizeConsent(t *testing.T, a consentRequest) string {
	t.Helper()
	id := p.requestConsent(t, a)
	p.usePhone(t, "approve", p.awaitConsent(t, id, "AWAITING_AUTHORIZATION").AuthInstructions, "")
	p.awaitConsent(t, id, "AUTHORIZED")
	p.w.Log.Secret("a bank's consent id", p.w.bankConsent(t, id).ID)
	return id
}
