package e2e

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/test/qrscan"
)

// Where the persons of these tests sit, and how they sign.
const (
	home        = "192.0.2.7"
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

// person is somebody with a phone who is a user of the client.
type person struct {
	client     // their session
	number     string
	user       string
	externalID string
}

// person makes a user of one of the sandbox's persons. Two tests of one world do
// not have the same person at a time: BankID and the banks would mind.
func (w *world) person(t *testing.T, number string) *person {
	t.Helper()
	held, _ := w.people.LoadOrStore(number, &sync.Mutex{})
	held.(*sync.Mutex).Lock()
	t.Cleanup(held.(*sync.Mutex).Unlock)
	p := &person{number: number}
	p.user, p.externalID = w.backend.User(t)
	p.client = w.backend.session(t, p.user)
	return p
}

// renew takes a new session, when the clock was moved past the old one's end.
func (p *person) renew(t *testing.T) {
	t.Helper()
	p.client = p.w.backend.on(p.Base).session(t, p.user)
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

// ask is what a consent or a one-time collection is asked for with; members of
// Scope are of the parameter PSD2_AIS_CONSENT.
type ask struct {
	company string
	method  string
	scope   map[string]any
	nobody  bool // leaves the personal number out
}

// parameters are those of the ask, for a person.
func (a ask) parameters(number string) []map[string]any {
	psd2 := map[string]any{"type": "PSD2_AIS_CONSENT", "psuIpAddress": home, "psuLocale": "sv-SE"}
	for name, value := range a.scope {
		psd2[name] = value
	}
	list := []map[string]any{psd2}
	if !a.nobody {
		list = append(list, map[string]any{"type": "SWEDISH_BANKID", "personalNumber": number})
	}
	return list
}

func (a ask) body(number string) map[string]any {
	method := a.method
	if method == "" {
		method = otherDevice
		if a.company == autostart {
			method = sameDevice
		}
	}
	return map[string]any{"company": a.company, "loginMethod": method, "parameters": a.parameters(number)}
}

// asks asks for a consent and returns its id.
func (p *person) asks(t *testing.T, a ask) string {
	t.Helper()
	var made struct{ ConsentID, Status string }
	got := p.Do(t, "POST", "/consents", a.body(p.number)).Is(t, 201, &made)
	if made.Status != "INITIATED" || got.Header.Get("Location") != "/consents/"+made.ConsentID+"/status" {
		t.Errorf("made %s at %q", got.Body, got.Header.Get("Location"))
	}
	return made.ConsentID
}

// status polls a consent once.
func (p *person) status(t *testing.T, consent string) consentStatus {
	t.Helper()
	var s consentStatus
	p.Do(t, "GET", "/consents/"+consent+"/status", nil).Is(t, 200, &s)
	p.w.Journal.Secret("an autostart token", s.AuthInstructions.AutoStartToken)
	return s
}

// awaits polls a consent until it has the status.
func (p *person) awaits(t *testing.T, consent, status string) consentStatus {
	t.Helper()
	var s consentStatus
	p.w.until(t, "consent "+status, func() bool {
		s = p.status(t, consent)
		if s.Status != status && s.PollingInterval == nil && s.Status != "AUTHORIZED" {
			t.Fatalf("the consent is %s %+v instead of %s", s.Status, s.Error, status)
		}
		return s.Status == status
	})
	return s
}

// signs acts on the phone, as another person when by is not empty.
func (p *person) signs(t *testing.T, action string, i instructions, by string) {
	t.Helper()
	token := i.AutoStartToken
	if token == "" {
		token = autoStartToken(t, qrscan.Picture(t, i.QRImage))
		p.w.Journal.Secret("an autostart token", token)
	}
	if err := p.w.phone.Act(t.Context(), action, token, "", by); err != nil {
		t.Fatal(err)
	}
}

// autoStartToken takes the token out of the link that a static QR code holds.
func autoStartToken(t *testing.T, link string) string {
	t.Helper()
	_, token, found := strings.Cut(link, "autostarttoken=")
	if !found {
		t.Fatal("the QR code holds no autostart token")
	}
	return token
}

// consents walks a consent to AUTHORIZED.
func (p *person) consents(t *testing.T, a ask) string {
	t.Helper()
	id := p.asks(t, a)
	p.signs(t, "approve", p.awaits(t, id, "AWAITING_AUTHORIZATION").AuthInstructions, "")
	p.awaits(t, id, "AUTHORIZED")
	p.w.Journal.Secret("a bank's consent id", p.w.bankConsent(t, id).ID)
	return id
}

// collectionStatus is CollectionStatusResponse.
type collectionStatus struct {
	ID               string
	Status           string
	ExtraInformation map[string]any
	PollingInterval  *int
	PollingTimeout   *time.Time
}

// stored is the body that starts a collection with a stored consent; ip is empty
// for a background refresh.
func stored(company, consent, ip string, more ...map[string]any) map[string]any {
	parameter := map[string]any{"type": "STORED_CONSENT", "consentId": consent}
	if ip != "" {
		parameter["psuIpAddress"], parameter["psuUserAgent"] = ip, "e2e/1.0"
	}
	return map[string]any{"company": company, "parameters": append(more, parameter)}
}

// starts starts a collection.
func (c client) starts(t *testing.T, body map[string]any) collectionStatus {
	t.Helper()
	var s collectionStatus
	got := c.Do(t, "POST", "/collections", body).Is(t, 201, &s)
	if s.Status != "RUNNING" || got.Header.Get("Location") != "/collections/"+s.ID+"/status" {
		t.Errorf("started %s at %q", got.Body, got.Header.Get("Location"))
	}
	return s
}

// polls polls a collection once.
func (c client) polls(t *testing.T, id string) collectionStatus {
	t.Helper()
	var s collectionStatus
	c.Do(t, "GET", "/collections/"+id+"/status", nil).Is(t, 200, &s)
	if token, ok := s.ExtraInformation["SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"].(string); ok {
		c.w.Journal.Secret("an autostart token", token)
	}
	return s
}

// ends polls a collection to its end, which must be the status.
func (c client) ends(t *testing.T, id, status string) collectionStatus {
	t.Helper()
	var s collectionStatus
	c.w.until(t, "collection "+status, func() bool {
		s = c.polls(t, id)
		return s.PollingInterval == nil
	})
	if s.Status != status {
		t.Fatalf("the collection ended as %s instead of %s", s.Status, status)
	}
	if s.PollingTimeout != nil || s.ExtraInformation != nil {
		t.Errorf("ended, and still says %+v", s)
	}
	return s
}

// collects runs a collection with a stored consent to the status and returns its
// id.
func (c client) collects(t *testing.T, company, consent, ip, status string) string {
	t.Helper()
	id := c.starts(t, stored(company, consent, ip)).ID
	c.ends(t, id, status)
	return id
}

// amount is money on the wire; its digits are kept.
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
	AvailableBalance  *amount
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

// data fetches a collection's products.
func (c client) data(t *testing.T, id string) []account {
	t.Helper()
	var list []account
	c.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).Is(t, 200, &list)
	for _, a := range list {
		c.w.Journal.Secret("an account number", a.IBAN, a.AccountNumber)
	}
	return list
}
