package dryrun

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Request is a recorded request.
type Request struct {
	Method string
	URL    string
	Header []string // "Name: value", sorted; values of the run are placeholders
	Body   string
}

// Recorder records requests and answers them by itself. Use its Wrap as
// institution.Deps.Wrap. It is safe for concurrent use.
type Recorder struct {
	mu       sync.Mutex
	requests []Request
}

// Wrap is an institution.Deps.Wrap: nothing is sent.
func (r *Recorder) Wrap(http.RoundTripper) http.RoundTripper { return r }

// session is the id of the login session.
const session = "the-session-of-a-dry-run"

// answer has what every request of the Berlin Group's standard, of the source protocol, of
// Nordea's wire and of OBIE's standard is answered with.
const answer = `{"session":"` + session + `","turn":{"id":"1","type":"IN"},"consentId":"{consentId}","consentStatus":"received","authorisationId":"{authorisationId}","scaStatus":"received",
"accounts":[{"resourceId":"{resourceId}","iban":"SE4550000000058398257466","currency":"SEK"}],
"cardAccounts":[{"resourceId":"{resourceId}","maskedPan":"541200******0007","currency":"SEK"}],
"balances":[{"balanceType":"interimBooked","balanceAmount":{"currency":"SEK","amount":"0"}}],
"transactions":{"booked":[]},"cardTransactions":{"booked":[]},
"_links":{"scaRedirect":{"href":"https://bank.invalid/page"},"scaOAuth":{"href":"{origin}/metadata"}},
"issuer":"{issuer}","authorization_endpoint":"https://bank.invalid/page","token_endpoint":"{server}/token","jwks_uri":"{server}/jwks",
"access_token":"{token}","token_type":"Bearer","expires_in":3600,"refresh_token":"{refresh-token}",
"session_id":"{session_id}","auto_start_token":"{auto_start_token}","status":"{status}","code":"{code}",
"response":{"accounts":[{"_id":"{account_id}"}],"cards":[{"id":"{card_id}"}],"transactions":[],"scopes":[]},
"Data":{"ConsentId":"{ConsentId}","Status":"Authorised","Account":[{"AccountId":"{AccountId}","Currency":"SEK","AccountType":"Personal","AccountSubType":"CurrentAccount"}],
"Balance":[],"Transaction":[]}}`

// The ids at Enable Banking, which have to be UUIDs.
const (
	gatewaySession = "00000000-0000-4000-8000-000000000001"
	gatewayAccount = "00000000-0000-4000-8000-000000000002"
)

// gatewayAnswer has what every request of Enable Banking's API is answered with.
const gatewayAnswer = `{"url":"https://gateway.invalid/page","authorization_id":"{authorization_id}","session_id":"` + gatewaySession + `","status":"AUTHORIZED",
"accounts":["` + gatewayAccount + `"],"accounts_data":[{"uid":"` + gatewayAccount + `","identification_hash":"{hash}"}],
"identification_hash":"{hash}","cash_account_type":"CACC","currency":"SEK","balances":[],"transactions":[]}`

// isGateway reports whether a request is one of Enable Banking's API, whose paths no other
// family has.
func isGateway(req *http.Request) bool {
	segments := strings.Split(strings.TrimPrefix(req.URL.Path, "/"), "/")
	last := segments[len(segments)-1]
	return strings.Contains(req.URL.Path, gatewaySession) || strings.Contains(req.URL.Path, gatewayAccount) ||
		!slices.Contains(segments, "v1") && req.Method == http.MethodPost && (last == "auth" || last == "sessions")
}

// The well-known paths of the metadata of an authorization server (RFC 8414 3.1, OpenID
// Connect Discovery 4.1). The issuer of a server is its address without them.
var wellKnown = []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}

// answerTo returns the answer to a request: a consent for the list of accounts is valid at
// once, and an authorization server is where it is asked.
func answerTo(req *http.Request, body string) string {
	if isGateway(req) {
		return gatewayAnswer
	}
	text := answer
	if strings.Contains(body, `"availableAccounts"`) {
		text = strings.Replace(text, `"consentStatus":"received"`, `"consentStatus":"valid"`, 1)
	}
	origin := req.URL.Scheme + "://" + req.URL.Host
	issuer, server := origin, origin
	for _, path := range wellKnown {
		if before, after, found := strings.Cut(req.URL.Path, path); found {
			issuer += before + after
		}
	}
	if strings.HasSuffix(req.URL.Path, wellKnown[1]) {
		server = issuer // what a bank may be called at can be below a path
	}
	// The status of a login at Nordea is completed when it is asked for.
	status := map[string]string{http.MethodPost: "assignment_pending", http.MethodGet: "completed"}[req.Method]
	return strings.NewReplacer("{origin}", origin, "{issuer}", issuer, "{server}", server, "{status}", status).Replace(text)
}

// leadsToPage reports whether the answer to a request leads to a page with 302: that of
// Nordea to an authorization.
func leadsToPage(req *http.Request) bool {
	return req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/authorize")
}

// values are the headers whose values change with each request.
var values = map[string]string{"X-Request-Id": "{request id}", "Request-Id": "{request id}", "Digest": "{digest}", "Signature": "{signature}", "Date": "{date}",
	"Tpp-Signature-Certificate": "{certificate}", "Traceparent": "{trace}", "Psu-Id": "{personal number}", "Psu-Ip-Address": "{IP address}",
	"X-Nordea-Originating-Date": "{date}", "X-Nordea-Originating-User-Ip": "{IP address}"}

// personal has what is shown in place of the values of the person, in headers that the
// operator has configured.
var personal = []struct{ value, placeholder string }{
	{person.PersonalNumber.Digits(), "{personal number}"}, {person.IPAddress, "{IP address}"}, {person.UserAgent, person.UserAgent},
}

// inBody shows the placeholders of personal values in a body.
var inBody = strings.NewReplacer(person.PersonalNumber.Digits(), "{personal number}", person.IPAddress, "{IP address}")

// configured returns what is shown of a header that the operator has configured: it can
// be a secret, such as the key of a portal, but which values of the person it has is none.
func configured(value string) string {
	text := "{configured}"
	for _, p := range personal {
		if strings.Contains(value, p.value) {
			text += " with " + p.placeholder
		}
	}
	return text
}

// shown are the prefixes of the headers whose values are shown: those of the standard, and
// of Nordea's wire.
var shown = []string{"Accept", "Content-Type", "Consent-Id", "Psu-", "Tpp-", "X-Nordea-"}

// secretInForm finds what proves our client in a form (RFC 6749 2.3.1, RFC 7523 2.2).
var secretInForm = regexp.MustCompile(`(client_secret|client_assertion)=[^&]*`)

// requestObject finds what our client has signed for the bank in the address of a page (RFC
// 9101 5.1).
var requestObject = regexp.MustCompile(`([?&]request=)[^&]*`)

// RoundTrip implements http.RoundTripper.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	recorded := Request{Method: req.Method, URL: placeholders(req.URL.String())}
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		value := strings.Join(req.Header[name], ", ")
		canonical := http.CanonicalHeaderKey(name)
		if placeholder, changes := values[canonical]; changes {
			value = placeholder
		} else if !slices.ContainsFunc(shown, func(prefix string) bool { return strings.HasPrefix(canonical, prefix) }) {
			value = configured(value)
		}
		recorded.Header = append(recorded.Header, name+": "+value)
	}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		recorded.Body = inBody.Replace(string(body))
		if strings.HasPrefix(req.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			recorded.Body = placeholders(secretInForm.ReplaceAllString(recorded.Body, "$1={configured}"))
		}
	}
	r.mu.Lock()
	r.requests = append(r.requests, recorded)
	r.mu.Unlock()
	status := http.StatusOK
	if req.Method == http.MethodPost {
		status = http.StatusCreated
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if leadsToPage(req) {
		status = http.StatusFound
		header.Set("Location", "https://bank.invalid/page")
	}
	if id := req.Header.Get("X-Request-ID"); id != "" {
		header.Set("X-Request-ID", id)
	}
	answer := answerTo(req, recorded.Body)
	return &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: req,
		Body: io.NopCloser(strings.NewReader(answer)), ContentLength: int64(len(answer))}, nil
}

// placeholders shows the braces of placeholders, which a URL escapes.
func placeholders(address string) string {
	address = requestObject.ReplaceAllString(address, "$1{signed}")
	address = strings.NewReplacer(session, "{session}", gatewaySession, "{session_id}", gatewayAccount, "{uid}").Replace(address)
	if plain, err := url.PathUnescape(address); err == nil && strings.Contains(plain, "{") {
		return plain
	}
	return address
}

// take returns the requests since the last call.
func (r *Recorder) take() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.requests
	r.requests = nil
	return taken
}
