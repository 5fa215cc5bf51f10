package enablebanking

import (
	"net/http"
	"time"

	"samla/internal/institution"
	"samla/internal/psu"
)

// Bank is one bank behind the gateway. Its entry in the list may change while it is in
// use.
type Bank struct {
	*Gateway
	id      string
	first   Entry // as it was when the bank was opened
	profile institution.Profile
}

var (
	_ institution.Opener        = (*Bank)(nil)
	_ institution.Authorizer    = (*Bank)(nil)
	_ institution.Completer     = (*Bank)(nil)
	_ institution.ConsentReader = (*Bank)(nil)
	_ institution.Revoker       = (*Bank)(nil)
	_ institution.Collector     = (*Bank)(nil)
)

// signTime is how long a person has on the gateway's page.
const signTime = 15 * time.Minute

func (g *Gateway) bank(e Entry) *Bank {
	b := &Bank{Gateway: g, id: e.ID, first: e}
	b.profile = institution.Profile{
		QR: institution.QRNone, Redirects: true, ReturnName: g.name,
		// An authorization that nobody uses has no effect, so that a request can be repeated.
		ReplaySafe:          true,
		OpensWithoutNumber:  !g.config.SendPersonalNumber,
		OpensWithoutAddress: true,
		Deadline:            signTime,
		LongestConsent:      max(1, e.Validity/int(24*time.Hour/time.Second)),
	}.WithDefaults()
	return b
}

// Bank returns the bank of an id, and reports whether the list has it.
func (g *Gateway) Bank(id string) (*Bank, bool) {
	e, known := (*g.byID.Load())[id]
	if !known {
		return nil, false
	}
	return g.bank(e), true
}

// Profile returns the profile of the bank, with its defaults.
func (b *Bank) Profile() institution.Profile { return b.profile }

func (b *Bank) institution() institution.Institution {
	return institution.Institution{
		Profile: b.profile, Opener: b, Authorizer: b, Completer: b, ConsentReader: b, Revoker: b, Collector: b,
	}
}

// entry returns what the list says of the bank now.
func (b *Bank) entry() Entry {
	if e, known := (*b.byID.Load())[b.id]; known {
		return e
	}
	return b.first
}

func (b *Bank) headers(p psu.Context) (h http.Header, attended bool) {
	h = b.entry().psuHeaders(p)
	return h, len(h) > 0
}
