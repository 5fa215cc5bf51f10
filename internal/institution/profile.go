package institution

import "time"

// Profile is what a bank is like, as data (docs/reference/banks.md 11.3). The directory, the
// flows and the quota go by it; it comes from the banks file and needs no code.
type Profile struct {
	// QR says what the bank gives for a QR code.
	QR QRKind
	// NeedsPSUID: the personal number must be known before the authorisation.
	NeedsPSUID bool
	// PollInterval is the gap between two status questions while the person
	// signs.
	PollInterval time.Duration
	// Deadline is how long the person has, from our first call to the bank.
	Deadline time.Duration
	// HistoryAttended and HistoryUnattended say how many days of transactions
	// are asked for right after the person signed, and without the person.
	HistoryAttended, HistoryUnattended int
	// DailyLimit is how often a consent may be read unattended in 24 hours.
	DailyLimit int
	// LongestConsent is the most days a consent can be asked for.
	LongestConsent int
	// ReplaySafe: the bank gives the same consent again for the same
	// X-Request-ID. Where it does not, an opening whose outcome is unknown is
	// not repeated: the consent fails and the person starts anew.
	ReplaySafe bool
	// Signed: each request to the bank costs a signature of ours.
	Signed bool
	// Parallel is how many reads of one consent may be under way at once.
	Parallel int
}

// QRKind is what a bank gives for the person to scan.
type QRKind string

// The kinds of QR data (docs/reference/banks.md 11.3).
const (
	QRNone   QRKind = "none"   // autostart token only: nothing to scan
	QRImage  QRKind = "image"  // a static picture, passed through
	QRText   QRKind = "text"   // a text that is new on each status question
	QRSecret QRKind = "secret" // BankID's secret: we compute the text
)

// WithDefaults fills in what is not said: BankID's and the RTS's numbers.
func (p Profile) WithDefaults() Profile {
	if p.QR == "" {
		p.QR = QRText
	}
	fill(&p.PollInterval, time.Second)
	fill(&p.Deadline, 5*time.Minute)
	fill(&p.HistoryAttended, 730)
	fill(&p.HistoryUnattended, 89)
	fill(&p.DailyLimit, 4)
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
