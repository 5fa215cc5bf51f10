package enablebanking

import (
	"context"
	"net/http"
	"strings"
	"time"

	"samla/internal/consent"
	"samla/internal/ident"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/loose"
	"samla/internal/institution/oauth"
)

// OpenConsent implements institution.Opener. The gateway has no consent before the person
// has signed: nothing is sent.
func (b *Bank) OpenConsent(_ context.Context, r institution.OpenRequest) (institution.Opened, error) {
	id, err := b.askedBy(r).id()
	if err != nil {
		return institution.Opened{}, &institution.Error{Kind: institution.Refused, NotSent: true, Cause: err}
	}
	return institution.Opened{ConsentID: id}, nil
}

type authRequest struct {
	Access      authAccess        `json:"access"`
	Bank        bankName          `json:"aspsp"`
	State       string            `json:"state"`
	RedirectURL string            `json:"redirect_url"`
	PSUType     string            `json:"psu_type"`
	Method      string            `json:"auth_method,omitempty"`
	Credentials map[string]string `json:"credentials,omitempty"`
	Language    string            `json:"language,omitempty"`
}

type authAccess struct {
	ValidUntil   string      `json:"valid_until"`
	Accounts     []accountID `json:"accounts,omitempty"`
	Balances     bool        `json:"balances"`
	Transactions bool        `json:"transactions"`
}

type bankName struct {
	Name    string `json:"name"`
	Country string `json:"country"`
}

type accountID struct {
	IBAN  string   `json:"iban,omitempty"`
	Other *otherID `json:"other,omitempty"`
}

type otherID struct {
	Identification string `json:"identification"`
	Scheme         string `json:"scheme_name"`
}

// accountIDOf returns an account as it is asked for by its number.
func accountIDOf(number string) accountID {
	if iban, err := ident.ParseIBAN(number); err == nil {
		return accountID{IBAN: iban.Compact()}
	}
	return accountID{Other: &otherID{strings.ReplaceAll(number, " ", ""), "BBAN"}}
}

// StartAuthorization implements institution.Authorizer: it asks for the page on which the
// person signs. The gateway tells nothing until the person comes back.
func (b *Bank) StartAuthorization(ctx context.Context, r institution.AuthorizeRequest) (institution.Authorization, error) {
	a, ok := askedIn(r.ConsentID)
	if !ok || r.Way.State == "" || r.Way.Return == "" {
		return institution.Authorization{}, &institution.Error{Kind: institution.Refused, NotSent: true, Detail: "there is no address where the person comes back"}
	}
	body, err := b.exchange(ctx, call{operation: opAuth, method: http.MethodPost, path: []string{"auth"}, body: b.authRequest(a, r)})
	if err != nil {
		return institution.Authorization{}, err
	}
	var answer struct {
		URL loose.Text `json:"url"`
		ID  loose.Text `json:"authorization_id"`
	}
	if err := loose.Decode(body, &answer); err != nil {
		return institution.Authorization{}, err
	}
	page, err := oauth.AddQuery(string(answer.URL), nil)
	if err != nil {
		return institution.Authorization{}, malformed("url must be an https address")
	}
	return institution.Authorization{
		ID: string(answer.ID), Silent: true,
		Instructions: &consent.Instructions{RedirectURL: page, RefreshedAt: b.clock.Now()},
	}, nil
}

func (b *Bank) authRequest(a asked, r institution.AuthorizeRequest) authRequest {
	e := b.entry()
	q := authRequest{
		Access: authAccess{ValidUntil: a.Until.Format(time.RFC3339), Balances: a.Balances, Transactions: a.Transactions},
		Bank:   bankName{e.Name, e.Country}, State: r.Way.State, RedirectURL: r.Way.Return, PSUType: b.config.PSUType, Language: langOf(r.PSU.Locale),
	}
	for _, number := range a.Accounts {
		q.Access.Accounts = append(q.Access.Accounts, accountIDOf(number))
	}
	if number := r.PSU.PersonalNumber.Digits(); b.config.SendPersonalNumber && len(number) == 12 {
		if method, name, value, ok := e.methodFor(b.config.PSUType, number); ok {
			q.Method, q.Credentials = method, map[string]string{name: value}
		}
	}
	return q
}

// AuthorizationStatus implements institution.Authorizer. Nothing is known before the
// person comes back.
func (b *Bank) AuthorizationStatus(context.Context, institution.Access, string, string, bool) (institution.Authorization, error) {
	return institution.Authorization{Silent: true}, nil
}

// Complete implements institution.Completer: it exchanges the code for a session. A code
// works once: after a lost answer it is refused, and the session that nobody knows ends
// with its validity.
func (b *Bank) Complete(ctx context.Context, c institution.Completion) (institution.Completed, error) {
	came := oauth.CallbackOf(c.Brought)
	if came.Outcome == oauth.Malformed || !oauth.Secret(c.Way.State).Is(came.State) {
		return failed(consent.AuthenticationFailed), nil
	}
	switch came.Outcome {
	case oauth.RefusedByPerson:
		return failed(consent.AuthenticationCancelled), nil
	case oauth.Temporary:
		return failed(consent.BankUnavailable), nil
	case oauth.Granted:
	default:
		return failed(consent.AuthenticationFailed), nil
	}
	body, err := b.exchange(ctx, call{operation: opExchange, method: http.MethodPost, path: []string{"sessions"},
		body: map[string]string{"code": came.Code.Reveal()}})
	if err != nil {
		if institution.KindOf(err) == institution.SCARequired { // the code is not one of this person, or has been used
			return failed(consent.AuthenticationFailed), nil
		}
		return institution.Completed{}, err
	}
	var answer struct {
		ID   loose.Text `json:"session_id"`
		Bank struct {
			Name    loose.Text `json:"name"`
			Country loose.Text `json:"country"`
		} `json:"aspsp"`
	}
	if err := loose.Decode(body, &answer); err != nil {
		return institution.Completed{}, err
	}
	id := strings.TrimSpace(string(answer.ID))
	if !uuidRE.MatchString(id) {
		return institution.Completed{}, malformed("session_id must be a UUID")
	}
	done := institution.Completed{State: institution.AuthorizationDone, Remote: consent.RemoteID(id)}
	if e := b.entry(); answer.Bank.Name != "" && (answer.Bank.Name.Clean() != e.Name || !strings.EqualFold(answer.Bank.Country.Clean(), e.Country)) {
		done.State, done.Failure = institution.AuthorizationFailed, consent.AuthenticationFailed // a code of another bank
	}
	return done, nil
}

func failed(code consent.FailureCode) institution.Completed {
	return institution.Completed{State: institution.AuthorizationFailed, Failure: code}
}

// session is the answer about a session.
type session struct {
	Status   loose.Text                 `json:"status"`
	Accounts loose.List[sessionAccount] `json:"accounts_data"`
	UIDs     loose.List[loose.Text]     `json:"accounts"`
	Access   struct {
		ValidUntil   loose.Text                 `json:"valid_until"`
		Balances     *bool                      `json:"balances"`
		Transactions *bool                      `json:"transactions"`
		Accounts     loose.List[accountNumbers] `json:"accounts"`
	} `json:"access"`
}

type sessionAccount struct {
	UID  loose.Text `json:"uid"`
	Hash loose.Text `json:"identification_hash"`
}

// states are what the statuses of sessions mean for the consent.
var states = map[string]institution.ConsentState{
	"AUTHORIZED": institution.ConsentValid, "PENDING_AUTHORIZATION": institution.ConsentPending, "RETURNED_FROM_BANK": institution.ConsentPending,
	"EXPIRED": institution.ConsentExpired, "CLOSED": institution.ConsentRevoked, "REVOKED": institution.ConsentRevoked,
	"CANCELLED": institution.ConsentRejected, "INVALID": institution.ConsentRejected,
}

// state returns what the status of a session means. It is not ok for a status that is not
// documented.
func (s session) state() (state institution.ConsentState, ok bool) {
	state, ok = states[strings.ToUpper(strings.TrimSpace(string(s.Status)))]
	return state, ok
}

// Consent implements institution.ConsentReader. A consent that the person has not signed
// has no session yet: nothing is sent.
func (b *Bank) Consent(ctx context.Context, a institution.Access) (institution.ConsentInfo, error) {
	if waiting, ok := askedIn(a.ConsentID); ok {
		if !b.clock.Now().Before(waiting.Until) {
			return institution.ConsentInfo{State: institution.ConsentExpired}, nil
		}
		return institution.ConsentInfo{State: institution.ConsentPending}, nil
	}
	body, err := b.getSession(ctx, a.ConsentID)
	if err != nil {
		return institution.ConsentInfo{}, err
	}
	var s session
	if err := loose.Decode(body, &s); err != nil {
		return institution.ConsentInfo{}, err
	}
	state, ok := s.state()
	if !ok {
		return institution.ConsentInfo{}, malformed("status is not documented")
	}
	said := func(member *bool) bool { return member == nil || *member } // the default is true
	info := institution.ConsentInfo{
		State: state, ValidUntil: s.Access.ValidUntil.Time(),
		Scope: &consent.Scope{Balances: said(s.Access.Balances), Transactions: said(s.Access.Transactions)},
	}
	for _, n := range s.Access.Accounts {
		if number := n.number(); number != "" {
			info.Scope.AccountIDs = append(info.Scope.AccountIDs, number)
		}
	}
	return info, nil
}

func (b *Bank) getSession(ctx context.Context, id consent.RemoteID) ([]byte, error) {
	if !uuidRE.MatchString(string(id)) {
		return nil, &institution.Error{Kind: institution.ConsentGone, NotSent: true}
	}
	return b.exchange(ctx, call{operation: opSession, method: http.MethodGet, path: []string{"sessions", string(id)}})
}

// Revoke implements institution.Revoker. The gateway ends the consent at the bank where it
// can.
func (b *Bank) Revoke(ctx context.Context, a institution.Access) error {
	if !uuidRE.MatchString(string(a.ConsentID)) {
		return nil // there is no session
	}
	body, err := b.exchange(ctx, call{operation: opSession, method: http.MethodDelete, path: []string{"sessions", string(a.ConsentID)}})
	if err == nil {
		return httperror.RevocationAnswer(http.StatusOK, body, "")
	}
	switch institution.KindOf(err) {
	case institution.ConsentGone, institution.ConsentOver:
		return nil
	}
	return err
}
