package xs2a

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"samla/internal/institution"
	"samla/internal/plaintext"
)

// scaMethod is a method to sign with that the bank offers (docs/reference/banks.md 3.2).
type scaMethod struct {
	id   string
	kind string // authenticationType
	name string
	link string // of the bank's own, to choose it with; may be empty
}

// offered returns the methods that an answer offers, if one has to be chosen.
func (d document) offered() (methods []scaMethod) {
	if len(d.values("chosenScaMethod")) > 0 {
		return nil
	}
	for _, value := range d.values("scaMethods") {
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for _, entry := range list {
			if m, ok := methodOf(entry); ok {
				methods = append(methods, m)
			}
		}
	}
	return methods
}

func methodOf(entry any) (scaMethod, bool) {
	object, isObject := entry.(map[string]any)
	if !isObject {
		return scaMethod{}, false
	}
	text, err := json.Marshal(object)
	if err != nil {
		return scaMethod{}, false
	}
	own, err := documentOf(response{body: text})
	if err != nil {
		return scaMethod{}, false
	}
	m := scaMethod{id: own.own("authenticationMethodId", "methodId", "id"), kind: own.own("authenticationType", "scaMethodType", "type"), name: own.own("name", "explanation"),
		link: own.link("selectAuthenticationMethod", "authorisation", "authorization")}
	return m, m.id != "" || m.link != ""
}

// The methods that are preferred where the profile says nothing: BankID, then what needs no
// code to type, because nobody can type one here.
var (
	usualMethods = []string{"bankid", "mbid", "PUSH_OTP", "DECOUPLED"}
	usualOnAPage = []string{"REDIRECT", "bankid", "mbid", "PUSH_OTP"}
)

// choose returns the method to sign with: the first that the profile prefers, else the
// first one. An entry of the profile is an id, a type, or a part of a name.
func (b *Bank) choose(methods []scaMethod, otherDevice bool) scaMethod {
	preferred := b.wire.methods
	if !otherDevice {
		preferred = b.wire.sameDevice
	}
	usual := usualMethods
	if b.wire.signing.onPage {
		usual = usualOnAPage
	}
	for _, wanted := range slices.Concat(preferred, usual) {
		w := plaintext.Fold(wanted)
		for _, m := range methods {
			if plaintext.Fold(m.id) == w || plaintext.Fold(m.kind) == w || strings.Contains(plaintext.Fold(m.name), w) {
				return m
			}
		}
	}
	return methods[0]
}

// The links with which a method is chosen: for an authorisation that there is, and together
// with the start of one.
const (
	selectLink          = "selectAuthenticationMethod"
	startSelectionLink  = "startAuthorisationWithAuthenticationMethodSelection"
	startSelectionAlias = "startAuthorizationWithAuthenticationMethodSelection"
)

// begin reads what an answer says of an authorisation that has started, or that starts with
// the choice of a method, which it makes. The document and the response are the last ones.
// An error is that of the choice.
func (b *Bank) begin(ctx context.Context, d document, resp response, r beginning) (institution.Authorization, document, response, error) {
	a := b.readAuthorisation(ctx, d, resp, r.access, r.otherDevice)
	if methods := d.offered(); a.State == institution.AuthorizationPending && b.mustChoose(d, methods, a) {
		chosen, answer, err := b.chooseMethod(ctx, d, b.choose(methods, r.otherDevice), a.ID, r)
		if err != nil {
			return a, d, resp, err
		}
		first := a
		a, d, resp = b.readAuthorisation(ctx, chosen, answer, r.access, r.otherDevice), chosen, answer
		a.ID, a.StatusLink = cmp.Or(a.ID, first.ID), cmp.Or(a.StatusLink, first.StatusLink)
	}
	return a, d, resp, nil
}

// beginning is what a request that starts an authorisation was made with.
type beginning struct {
	requestID   string
	access      institution.Access
	way         institution.Way
	otherDevice bool
}

// mustChoose reports whether one of the methods has to be chosen: the bank gives a link
// for it, or several methods and nothing to sign with.
func (b *Bank) mustChoose(d document, methods []scaMethod, a institution.Authorization) bool {
	switch {
	case len(methods) == 0:
		return false
	case d.link(selectLink, startSelectionLink, startSelectionAlias) != "":
		return true
	case a.Instructions != nil && a.Instructions.Usable(), d.link("scaRedirect", "scaOAuth") != "":
		return false
	}
	return len(methods) > 1 || methods[0].link != ""
}

// chooseMethod makes the choice, and returns the answer to it. Its request has an id that
// is made of that of the request before it, so that a repetition has the same.
func (b *Bank) chooseMethod(ctx context.Context, d document, m scaMethod, authorisation string, r beginning) (document, response, error) {
	starts := d.link(startSelectionLink, startSelectionAlias)
	c := call{operation: opAuthorize, method: http.MethodPut, requestID: derivedID(r.requestID, "method"), psu: r.access.PSU, psuID: true,
		token: r.access.Token, body: []byte("{}")}
	if m.id != "" {
		body, err := json.Marshal(map[string]string{"authenticationMethodId": m.id})
		if err != nil {
			return d, response{}, malformed(c.requestID, err)
		}
		c.body = body
	}
	links := []string{m.link, d.link(selectLink), d.link("scaStatus")}
	if starts != "" {
		c.method, c.header, links = http.MethodPost, b.startHeader(r.way), []string{m.link, starts}
	}
	answer, err := b.sendChoice(ctx, c, r.access, authorisation, links)
	if err != nil {
		return d, response{}, err
	}
	chosen, err := documentOf(answer)
	return chosen, answer, err
}

// sendChoice sends a choice to the first link that can be used, else to the standard path.
func (b *Bank) sendChoice(ctx context.Context, c call, a institution.Access, authorisation string, links []string) (response, error) {
	for _, link := range links {
		if target, err := b.client.Resolve(link); err == nil {
			c.target = target
			return b.exchange(ctx, c)
		}
	}
	segments := b.authorisations(a.ConsentID)
	if c.method == http.MethodPut {
		if authorisation == "" {
			return response{}, malformed(c.requestID, errMissing)
		}
		segments = append(segments, authorisation)
	}
	return b.sendConsent(ctx, c, segments...)
}

// derivedID returns the id of a request that is sent because of another one: the same each
// time.
func derivedID(requestID, purpose string) string {
	parent, err := uuid.Parse(requestID)
	if err != nil {
		parent = uuid.NewSHA1(uuid.NameSpaceOID, []byte(requestID))
	}
	return uuid.NewSHA1(parent, []byte(purpose)).String()
}
