package consent

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Visit is the way of a person to the page of an institution and back, as far as it is no
// secret: what identifies it, a browser or a code is stored as a hash. It says which
// browser may complete the authorization (docs/decisions/2026-11-27-redirect-and-tokens.md).
type Visit struct {
	Hash     string   `json:"h"`            // of the state
	Once     string   `json:"o,omitempty"`  // hash of Way.Once
	Past     []string `json:"p,omitempty"`  // hashes of the states of ways before this one, and of their Once
	ReturnTo string   `json:"to,omitempty"` // where the client wants the person to go at the end; registered by the client
	Browsers []string `json:"b,omitempty"`  // hashes of the cookies of the browsers that have opened the link
	// OnlyOnce: only a return with Once counts. It is kept, because a node whose configuration
	// lacks the institution must know it too.
	OnlyOnce bool   `json:"oo,omitempty"`
	Stage    Stage  `json:"s,omitempty"`
	Holder   string `json:"by,omitempty"`   // hash of the cookie of the browser that came back
	Code     string `json:"code,omitempty"` // hash of the short code that Holder shows, in StageHeld
	Tries    int    `json:"tries,omitempty"`
	Cancels  bool   `json:"no,omitempty"` // what came back says that the person, or the bank, has refused
}

// Stage is how far a visit has come.
type Stage string

// The stages of a visit.
const (
	StageOpen     Stage = ""         // nobody has come back
	StageHeld     Stage = "HELD"     // somebody came back in another browser: a short code has to be typed in the first one
	StageAccepted Stage = "ACCEPTED" // the person came back; nothing changes it any more
	StageBarred   Stage = "BARRED"   // too many wrong codes
)

const (
	maxBrowsers  = 4 // that may open one link
	maxCodeTries = 5
	maxPast      = 6 // hashes of ways that are remembered, two of each
)

// HashOf returns the hash of a secret of a visit, of a browser or of a code, in base64.
func HashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// Is reports whether a state is that of the visit.
func (v *Visit) Is(state string) bool {
	return v != nil && subtle.ConstantTimeCompare([]byte(v.Hash), []byte(HashOf(state))) == 1
}

// IsOnce reports whether a text is Way.Once of the visit's way: only a browser that the
// institution has sent back can know it.
func (v *Visit) IsOnce(text string) bool {
	return v != nil && v.Once != "" && subtle.ConstantTimeCompare([]byte(v.Once), []byte(HashOf(text))) == 1
}

// Was reports whether a state is that of a way before this one.
func (v *Visit) Was(state string) bool {
	return v != nil && slices.Contains(v.Past, HashOf(state))
}

// Knows reports whether a browser has opened the link. browser is the hash of its cookie,
// empty for one without.
func (v Visit) Knows(browser string) bool {
	return browser != "" && slices.Contains(v.Browsers, browser)
}

// ReturnsTo reports whether an origin, as a browser writes it (RFC 6454 6.2), is that of
// ReturnTo.
func (v Visit) ReturnsTo(origin string) bool {
	u, err := url.Parse(v.ReturnTo)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	port := ":443"
	if u.Scheme == "http" {
		port = ":80"
	}
	return origin == u.Scheme+"://"+strings.TrimSuffix(strings.ToLower(u.Host), port)
}

// Departure is what a browser may do that opens the link.
type Departure int

// The departures.
const (
	DepartureBarred Departure = iota // the link belongs to other browsers
	DepartureAsks                    // the person has to say first that they began this
	DepartureGoes                    // it goes on to the institution
)

// Opened returns the visit after a browser has opened the link, and what the browser may
// do. named says that the institution makes sure who signs. begun says that the person, or
// the page of the client on which they began, has said that they began this.
//
// What the link brings goes to the person who began, and a link can be sent to somebody
// else, unopened too. So nobody goes on by opening it alone: only the first browser does,
// and only where the institution lets nobody sign but the person who is named.
func (v Visit) Opened(browser string, named, begun bool) (Visit, Departure) {
	switch {
	case v.Knows(browser):
		return v, DepartureGoes
	case browser == "" || len(v.Browsers) >= maxBrowsers:
		return v, DepartureBarred
	case !begun && (len(v.Browsers) > 0 || !named):
		return v, DepartureAsks
	}
	v.Browsers = append(slices.Clone(v.Browsers), browser)
	return v, DepartureGoes
}

// Arrival is what follows when somebody comes back.
type Arrival int

// The arrivals.
const (
	ArrivalAccepted  Arrival = iota // what was brought is used
	ArrivalHeld                     // it is used once the code was typed in a browser that has opened the link
	ArrivalKnown                    // the browser that came back first comes again: it sees the outcome
	ArrivalElsewhere                // another browser comes with what was used before: it sees no more than that this is over
)

// Arrived returns the visit after a browser came back, and what follows. named says that
// the institution makes sure who has signed, so that any browser will do. cancels says that
// what was brought only says no: nobody gets data by it. code is the hash of a new short
// code, which is used if the arrival is held.
//
// The first arrival that is accepted is the only one. One that is held gives way to one
// from a browser that has opened the link.
func (v Visit) Arrived(browser string, named, cancels bool, code string) (Visit, Arrival) {
	switch {
	case v.Stage == StageAccepted && (browser != "" && browser == v.Holder || v.Knows(browser)):
		return v, ArrivalKnown
	case v.Stage == StageAccepted, v.Stage == StageBarred:
		return v, ArrivalElsewhere
	case named || cancels || v.Knows(browser):
		v.Stage, v.Holder, v.Code, v.Cancels = StageAccepted, browser, "", cancels
		return v, ArrivalAccepted
	case v.Stage == StageHeld && browser == v.Holder:
		return v, ArrivalKnown
	case v.Stage == StageHeld:
		return v, ArrivalElsewhere
	}
	v.Stage, v.Holder, v.Code, v.Tries = StageHeld, browser, code, 0
	return v, ArrivalHeld
}

// Entered returns the visit after a code was typed in a browser, and reports whether the
// held arrival is accepted by it. Only a browser that has opened the link can do that, and
// only a few times.
func (v Visit) Entered(browser, code string) (Visit, bool) {
	if v.Stage != StageHeld || !v.Knows(browser) {
		return v, false
	}
	if subtle.ConstantTimeCompare([]byte(v.Code), []byte(code)) == 1 {
		v.Stage, v.Code = StageAccepted, ""
		return v, true
	}
	if v.Tries++; v.Tries >= maxCodeTries {
		v.Stage, v.Code = StageBarred, ""
	}
	return v, false
}

// VisitOf returns the visit of a new way.
func VisitOf(w Way) *Visit { return &Visit{Hash: HashOf(w.State), Once: HashOf(w.Once)} }

// Another returns the visit for another way of the same person: the browsers stay.
func (v *Visit) Another(w Way) *Visit {
	next := *VisitOf(w)
	if v != nil {
		next.ReturnTo, next.Browsers = v.ReturnTo, v.Browsers
		next.Past = append(slices.Clone(v.Past[max(0, len(v.Past)-maxPast):]), v.Hash, v.Once)
	}
	return &next
}

// Way is the secret part of a visit.
type Way struct {
	State string `json:"state"` // names the consent; 256 bits, 128 of them random
	// Once stands in the address of return in place of State, where the institution takes any
	// address. Nobody knows it but the institution and the browser that it sends back: the
	// state is known to everybody who has the link to the page. Empty: stored by an earlier
	// version, which used State.
	Once     string `json:"once,omitempty"`
	Verifier string `json:"verifier"` // of PKCE (RFC 7636)
	Nonce    string `json:"nonce"`    // of an id_token (OpenID Connect Core 3.1.2.1)
}

// Carrier is the part of the address of return in which a browser brought something.
type Carrier string

// The carriers. Servers on the way see, and log, a query; no fragment.
const (
	InQuery    Carrier = "query"
	InFragment Carrier = "fragment"
)

// Exchange is what was brought and is being exchanged at the institution.
type Exchange struct {
	Brought string  `json:"brought"`      // in the form of a query
	By      Carrier `json:"by,omitempty"` // empty: no browser brought it, or an earlier version stored it
	// Since is when the person was accepted with it, or when the exchange before it was made:
	// from then on it is tried for some time.
	Since time.Time `json:"since,omitzero"`
	ID    string    `json:"id"` // request id; a repetition has the same
	Tries int       `json:"tries,omitempty"`
	Code  string    `json:"code,omitempty"` // short code, while the visit is in StageHeld
}

// MostExchangeTries is how often one exchange is made: a lost answer is repeated once.
const MostExchangeTries = 2

// PartlySignedCheck is how often a consent is read that another person has to sign too.
const PartlySignedCheck = 10 * time.Minute
