package obie

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/loose"
)

// The permissions of the standard (docs/reference/families.md 4.4).
var permissions = []string{
	"ReadAccountsBasic", readAccountsDetail, readBalances, "ReadBeneficiariesBasic", "ReadBeneficiariesDetail", "ReadDirectDebits", "ReadOffers",
	"ReadPAN", "ReadParty", "ReadPartyPSU", "ReadProducts", "ReadScheduledPaymentsBasic", "ReadScheduledPaymentsDetail",
	"ReadStandingOrdersBasic", "ReadStandingOrdersDetail", "ReadStatementsBasic", "ReadStatementsDetail",
	readTransactionsBasic, readTransactionsCredits, readTransactionsDebits, readTransactionsDetail,
}

const (
	readAccountsDetail      = "ReadAccountsDetail"
	readBalances            = "ReadBalances"
	readTransactionsBasic   = "ReadTransactionsBasic"
	readTransactionsDetail  = "ReadTransactionsDetail"
	readTransactionsCredits = "ReadTransactionsCredits"
	readTransactionsDebits  = "ReadTransactionsDebits"
)

// permissionsFor returns what to ask for: what the scope needs, and what the configuration
// has beside it. A consent without balances or transactions must not give them, whatever the
// configuration.
func (c Config) permissionsFor(s consent.Scope) []string {
	asked := []string{readAccountsDetail}
	add := func(all ...string) {
		for _, p := range all {
			if !slices.Contains(asked, p) {
				asked = append(asked, p)
			}
		}
	}
	if s.Balances {
		add(readBalances)
	}
	if s.Transactions {
		add(readTransactionsDetail, readTransactionsCredits, readTransactionsDebits)
	}
	for _, p := range c.Permissions {
		if (s.Balances || p != readBalances) && (s.Transactions || !strings.HasPrefix(p, "ReadTransactions") && !strings.HasPrefix(p, "ReadStatements")) {
			add(p)
		}
	}
	return asked
}

type consentRequest struct {
	Data consentData `json:"Data"`
	Risk struct{}    `json:"Risk"`
}

type consentData struct {
	Permissions []string `json:"Permissions"`
	Expires     string   `json:"ExpirationDateTime,omitempty"`
}

// consents is the resource of consents.
const consents = "account-access-consents"

// dateTime is how the standard writes times.
const dateTime = "2006-01-02T15:04:05-07:00"

// OpenConsent implements institution.Opener. A second request makes a second consent, so
// it is sent once; before it, the addresses where the person would sign are read. The
// accounts that a scope names are not asked for: the person picks accounts at the bank.
func (b *Bank) OpenConsent(ctx context.Context, r institution.OpenRequest) (institution.Opened, error) {
	if _, err := b.server.endpoints(ctx); err != nil {
		return institution.Opened{}, httperror.NotSent(err)
	}
	request := consentRequest{Data: consentData{Permissions: b.config.permissionsFor(r.Scope)}}
	if !r.ValidUntil.IsZero() {
		year, month, day := r.ValidUntil.UTC().Date()
		request.Data.Expires = time.Date(year, month, day, 23, 59, 59, 0, time.UTC).Format(dateTime)
	}
	c := call{operation: opOpen, method: http.MethodPost, path: []string{consents}, psu: r.PSU, requestID: r.RequestID, json: request}
	resp, err := b.withOwnToken(ctx, c)
	if err != nil {
		return institution.Opened{}, err
	}
	said, err := readConsent(resp)
	switch {
	case err != nil:
		return institution.Opened{}, err
	case said.ID == "" || len(said.ID) > maxConsentID:
		return institution.Opened{}, malformedIn(resp, "ConsentId must have 1 to 128 characters")
	}
	opened := institution.Opened{ConsentID: consent.RemoteID(said.ID)}
	if state, _ := said.state(b.clock.Now()); state != institution.ConsentPending && state != institution.ConsentValid {
		opened.Started = &institution.Authorization{State: institution.AuthorizationFailed, Failure: consent.Rejected}
	}
	return opened, nil
}

const maxConsentID = 128

// remote is a consent as the bank describes it.
type remote struct {
	ID          loose.Text             `json:"ConsentId"`
	Status      loose.Text             `json:"Status"`
	Permissions loose.List[loose.Text] `json:"Permissions"`
	Expires     loose.Text             `json:"ExpirationDateTime"`
}

func readConsent(resp response) (remote, error) {
	var body struct {
		Data *remote `json:"Data"`
	}
	err := loose.Decode(resp.Body, &body)
	if failed := (*institution.Error)(nil); errors.As(err, &failed) {
		failed.HTTPStatus, failed.RequestID = resp.Status, resp.requestID
	}
	if err == nil && body.Data == nil {
		err = malformedIn(resp, "Data must be an object")
	}
	if err != nil {
		return remote{}, err
	}
	return *body.Data, nil
}

func malformedIn(resp response, detail string) error {
	return &institution.Error{Kind: institution.MalformedResponse, HTTPStatus: resp.Status, RequestID: resp.requestID, Detail: detail}
}

// consentStates are the statuses of both versions (docs/reference/families.md 4.2 step 9,
// 4.8).
var consentStates = map[string]institution.ConsentState{
	"awaitingauthorisation": institution.ConsentPending, "awau": institution.ConsentPending,
	"authorised": institution.ConsentValid, "auth": institution.ConsentValid,
	"rejected": institution.ConsentRejected, "rjct": institution.ConsentRejected,
	"revoked": institution.ConsentRevoked, "canc": institution.ConsentRevoked,
	"expired": institution.ConsentExpired, "expd": institution.ConsentExpired,
}

// state returns the state at the time now. It is not ok for a status that is not
// documented. 3.1.11 has none for a consent whose time is over.
func (r remote) state(now time.Time) (institution.ConsentState, bool) {
	s, ok := consentStates[strings.ToLower(r.Status.Clean())]
	if until := r.Expires.Time(); s == institution.ConsentValid && !until.IsZero() && now.After(until) {
		s = institution.ConsentExpired
	}
	return s, ok
}

// scope returns what the permissions give; nil if the bank does not say.
func (r remote) scope() *consent.Scope {
	if r.Permissions == nil {
		return nil
	}
	has := func(any ...string) bool {
		return slices.ContainsFunc(r.Permissions, func(p loose.Text) bool { return slices.Contains(any, string(p)) })
	}
	return &consent.Scope{
		Balances:     has(readBalances),
		Transactions: has(readTransactionsBasic, readTransactionsDetail) && has(readTransactionsCredits, readTransactionsDebits),
	}
}

// Consent implements institution.ConsentReader. It asks with our own token, so it also says
// how a consent is that nobody has signed. Without the tokens of the person, which are given
// for what the browser brings back, nothing can be read, and the consent is not valid.
func (b *Bank) Consent(ctx context.Context, a institution.Access) (institution.ConsentInfo, error) {
	resp, err := b.withOwnToken(ctx, call{operation: opConsent, method: http.MethodGet, path: []string{consents, string(a.ConsentID)}, psu: a.PSU})
	if err != nil {
		return institution.ConsentInfo{}, err
	}
	said, err := readConsent(resp)
	if err != nil {
		return institution.ConsentInfo{}, err
	}
	state, documented := said.state(b.clock.Now())
	switch {
	case !documented:
		return institution.ConsentInfo{}, malformedIn(resp, "Status must be a documented one")
	case state == institution.ConsentValid && a.Token == "":
		state = institution.ConsentPending
	}
	return institution.ConsentInfo{State: state, Scope: said.scope(), ValidUntil: said.Expires.Time()}, nil
}

// Revoke implements institution.Revoker. The tokens end with the consent.
func (b *Bank) Revoke(ctx context.Context, a institution.Access) error {
	resp, err := b.withOwnToken(ctx, call{operation: opConsent, method: http.MethodDelete, path: []string{consents, string(a.ConsentID)}, psu: a.PSU})
	if err == nil {
		return httperror.RevocationAnswer(resp.Status, resp.Body, resp.requestID)
	}
	var failed *institution.Error
	if errors.As(err, &failed) && failed.Kind == institution.ConsentGone {
		return nil
	}
	return err
}
