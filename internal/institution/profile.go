package institution

import (
	"time"

	"samla/internal/consent"
	"samla/internal/quota"
)

// Profile describes how a bank differs from others (docs/reference/banks.md 11.3).
// It comes from the banks file. The flows and the quotas use it.
type Profile struct {
	// QR is what the bank provides for a QR code.
	QR QRKind
	// NeedsPSUID: the authorization cannot start without the personal number.
	NeedsPSUID bool
	// OpensWithoutNumber: the request that opens a consent does not carry the
	// personal number, so a message that repeats it does not keep the number.
	OpensWithoutNumber bool
	// OpensWithoutAddress: a consent can be opened although the address of the person is
	// not known. Only one that the person signs at once, for a single collection, is
	// (docs/reference/api.md 5.2).
	OpensWithoutAddress bool
	// ReadsWithNumber: the institution wants the personal number with every read.
	ReadsWithNumber bool
	// PollInterval is the time between two status requests while the person
	// signs.
	PollInterval time.Duration
	// Deadline is how long the person has, from our first call to the bank.
	Deadline time.Duration
	// LoginInterval is the least time between two questions for the turn of a login by
	// dialogue; 0 = what the turn says.
	LoginInterval time.Duration
	// LoginTime is how long such a login may take in all; 0 = dialogue.Limits.Total.
	LoginTime time.Duration
	// HistoryAttended and HistoryUnattended are the days of transactions that are
	// requested right after the person signed, and without the person.
	HistoryAttended, HistoryUnattended int
	// DailyLimit is how often a consent may be read unattended in 24 hours. It can lower
	// consent.MostReadsPerDay, not raise it: a greater one counts as that.
	DailyLimit int
	// CountsPer is what the bank counts those reads for; "" = quota.PerConsent.
	CountsPer quota.Per
	// LongestConsent is the maximum validity of a consent, in days.
	LongestConsent int
	// ReplaySafe: a second request with the same X-Request-ID returns the same
	// consent. If it is false, an opening whose outcome is unknown is not
	// retried: the consent fails and the person starts again.
	ReplaySafe bool
	// OldConsent is what becomes of a consent at the bank when another one renews it.
	OldConsent OldConsent
	// SignatureCost is the processor time of our signature on a question to the bank; 0 =
	// questions are not signed.
	SignatureCost time.Duration
	// Parallel is the number of concurrent reads under one consent.
	Parallel int
	// Redirects: the person signs on a page of the institution, so a Way is made for each
	// authorization.
	Redirects bool
	// ReturnName stands in Way.Return in place of the company id: institutions behind one
	// gateway have one address there, which is registered once. "" = the company id.
	ReturnName string
	// ReturnsOnce: the institution sends each person who has signed back to Way.OnceReturn, and
	// not to Way.Return. That proves that the person comes from its page, also where nothing
	// else is brought back. A login before the consent comes back to Way.Return.
	ReturnsOnce bool
	// LoginFirst: the person logs in before the consent is opened. Authorizer and Completer
	// do that too (AuthorizeRequest.Login).
	LoginFirst bool
	// ListsAccounts: after that login, and before the consent is opened, AccountLister lists
	// the accounts that the consent can name, so that the person can choose.
	ListsAccounts bool
	// NamesSigner: the institution makes sure that the person who signs has the personal
	// number that the consent was asked for. So it does not matter in which browser the
	// person comes back.
	NamesSigner bool
	// SecondSigner is how long others than the first person have to sign too; 0 = nobody
	// else signs.
	SecondSigner time.Duration
	// FullHistory is how long after the signature all of the history can be read
	// (HistoryAttended), also with the person. After that HistoryUnattended holds for
	// everybody; 0 = 15 minutes.
	FullHistory time.Duration
	// DeviceHosts are the hosts, in lower case, that the device of a person may be asked to
	// call during a login (dialogue.Device); a host without a port means port 443.
	DeviceHosts []string
}

// QRKind is what a bank provides for the QR code that the person scans.
type QRKind string

// The kinds of QR data (docs/reference/banks.md 11.3).
const (
	QRNone   QRKind = "none"   // autostart token only: nothing to scan
	QRImage  QRKind = "image"  // a static image, passed through
	QRText   QRKind = "text"   // a text that changes with each status request
	QRSecret QRKind = "secret" // BankID's secret: we compute the text
)

// OldConsent is what becomes of a consent at the bank when the person authorizes another
// one that renews it (docs/reference/api.md 4.7).
type OldConsent string

// The kinds of OldConsent.
const (
	OldDeleted       OldConsent = "delete"        // it stays until we delete it, which we do
	OldEndsWithNew   OldConsent = "endsWithNew"   // the bank ends it when the new one is authorized
	OldEndsOnRequest OldConsent = "endsOnRequest" // the bank ends it when a new one is asked for
	OldKept          OldConsent = "keep"          // it stays, and to delete it would end the new one too
)

// WithDefaults returns p with its zero members set to the defaults, which are those
// of BankID and of the RTS.
func (p Profile) WithDefaults() Profile {
	if p.QR == "" {
		p.QR = QRText
	}
	fill(&p.OldConsent, OldDeleted)
	fill(&p.PollInterval, time.Second)
	fill(&p.Deadline, 5*time.Minute)
	fill(&p.HistoryAttended, 730)
	fill(&p.HistoryUnattended, 89)
	fill(&p.DailyLimit, consent.MostReadsPerDay)
	p.DailyLimit = min(p.DailyLimit, consent.MostReadsPerDay)
	fill(&p.CountsPer, quota.PerConsent)
	fill(&p.LongestConsent, 180)
	fill(&p.Parallel, 4)
	return p
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// ProvesNumber reports whether a person who has signed is known to have the personal number
// that the consent was asked for: the institution makes sure of it, or it got the number and
// had the person of that number sign in an app. Where a page of the institution is signed
// on, the number is a hint, and anybody may log in. The zero value, which an institution has
// that is not configured here, proves nothing: WithDefaults leaves no QR empty.
func (p Profile) ProvesNumber() bool {
	return p.NamesSigner || p.QR != "" && !p.Redirects && (p.NeedsPSUID || !p.OpensWithoutNumber)
}
