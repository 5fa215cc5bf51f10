package aspsp

import (
	"cmp"
	"time"

	"samla/internal/sandbox/aspsp/tpp"
)

// TokenKind is where a bank returns the BankID data of an authorisation.
type TokenKind int

// The kinds of docs/reference/banks.md 11.3.
const (
	// QRText: challengeData.data is [autostart token, QR text]; the text changes every
	// second and is omitted once the app has been opened.
	QRText TokenKind = iota
	// AutostartOnly: challengeData.data is [autostart token].
	AutostartOnly
	// StaticImage: challengeData.image is a PNG of a QR code with the
	// autostart URL, and challengeData.data is [autostart token].
	StaticImage
	// StartSecret: challengeData.data is [autostart token, QR start token, QR start
	// secret]; the last two are omitted once the app has been opened.
	StartSecret
)

// Behaviour is the configuration in which banks differ.
type Behaviour struct {
	Company     string // company id, also the base path, such as "se-demo-psd2"
	DisplayName string
	BIC         string
	BankID      string // three digits of its IBANs (docs/reference/banks.md 14.2)

	Signing // how its customers sign

	Token         TokenKind
	PSUIDRequired bool // starting an authorisation requires PSU-ID

	// ConsentsAt and AccountsAt are the paths below the base path at which the operations
	// are; empty: "/v1".
	ConsentsAt, AccountsAt string
	// Query has the query parameters that every call needs, with their values; an empty
	// value means any. Headers and CreateHeaders are header names that every call and POST
	// consents need besides those of the standard.
	Query                  map[string]string
	Headers, CreateHeaders []string

	PageSize     int // booked transactions per page; 0: all on one page
	MaxValidDays int // a later validUntil is shortened to today + this
	HistoryDays  int // an earlier dateFrom is PERIOD_INVALID
	// FreshFor is how long after a signature the whole history can be read; later, reads
	// with the person count as unattended for it. 0: always with the person.
	FreshFor        time.Duration
	RejectLate      bool     // unattended reads beyond 90 days: true 401, false only the last 90 days
	BookingStatuses []string // supported values of bookingStatus
	DailyLimit      int      // unattended reads per 24 h, at most 4 (RTS art. 36(5))
	WithBalance     bool     // withBalance=true is supported
	CardsInAccounts bool     // cards are in /accounts, /card-accounts is empty
	DebitPositive   bool     // debitAccounting: card debits are positive numbers
	NoCards         bool     // the bank has no cards
	Spaces          bool     // savings accounts are spaces: of type TRAN, without IBAN and BBAN
	ExpectedOnly    bool     // the only balance is expected

	tpp.Rules          // of signatures
	ProblemErrors bool // errors as application/problem+json instead of tppMessages

	// OrderTime is how long a BankID order waits, as the bank says in the member expiresAt
	// of an authorisation; 0: it does not say.
	OrderTime time.Duration

	// EndsOldOnRequest: a new recurring consent of a person ends the one before it when it
	// is asked for with PSU-ID, not only when it is signed.
	EndsOldOnRequest bool
	// OneConsent: a person has one valid consent for each TPP; a new one, recurring or not,
	// ends the one before it.
	OneConsent bool
	// NamedOnly: a consent is a list of accounts or names them; what the bank would offer,
	// and all accounts, cannot be asked for. NoList: a list of accounts cannot be.
	NamedOnly, NoList bool
	// ListAtOnce: a consent for a list of accounts is valid without a signature. It needs
	// a login before it.
	ListAtOnce bool

	Delay            time.Duration // before every answer, by the bank's clock
	RateLimitEvery   int           // every nth attended account read is 429 with Retry-After; 0: never
	UnavailableEvery int           // every nth account read is 503 with Retry-After; 0: never
}

const usualPath = "/v1"

// ConsentsPath returns the path below the base path at which the operations of consents are.
func (b Behaviour) ConsentsPath() string { return cmp.Or(b.ConsentsAt, usualPath) }

// AccountsPath returns the same of the other operations.
func (b Behaviour) AccountsPath() string { return cmp.Or(b.AccountsAt, usualPath) }

// DefaultBanks returns the banks of the sandbox at which the TPP shows BankID's data.
func DefaultBanks() []Behaviour {
	demo := Behaviour{
		Company: "se-demo-psd2", DisplayName: "Demo bank (PSD2)", BIC: "DEMOSESS", BankID: "500",
		Token: QRText, PageSize: 100, MaxValidDays: 180, HistoryDays: 1500,
		BookingStatuses: []string{"booked", "pending", "both"}, DailyLimit: 4, WithBalance: true,
	}
	autostart := demo
	autostart.Company, autostart.DisplayName, autostart.BIC, autostart.BankID = "se-sandbox-autostart", "Autostartbanken", "AUTOSESS", "600"
	autostart.Token, autostart.PSUIDRequired, autostart.RejectLate, autostart.P256 = AutostartOnly, true, true, true
	autostart.EndsOldOnRequest = true

	static := demo
	static.Company, static.DisplayName, static.BIC, static.BankID = "se-sandbox-static", "Bildbanken", "BILDSESS", "800"
	static.Token, static.PageSize, static.ProblemErrors, static.DateSigned = StaticImage, 7, true, true
	static.WithBalance, static.DebitPositive, static.HistoryDays = false, true, 730
	static.BookingStatuses = []string{"booked"}

	short := demo
	short.Company, short.DisplayName, short.BIC, short.BankID = "se-sandbox-short", "Kortbanken", "KORTSESS", "915"
	short.MaxValidDays, short.DailyLimit, short.SHA512, short.CardsInAccounts, short.UnsignedReads = 30, 1, true, true, true
	short.RateLimitEvery, short.UnavailableEvery, short.PageSize = 10, 17, 50
	return []Behaviour{demo, autostart, static, short}
}

// CrowdBanks returns the banks that samla bench crowd measures. They differ in what it
// costs to follow an authorisation. orderTime is how long BankID's orders wait.
func CrowdBanks(orderTime time.Duration) []Behaviour {
	bank := func(kind, name, bic, id string) Behaviour {
		b := DefaultBanks()[0]
		b.Company, b.DisplayName, b.BIC, b.BankID, b.OrderTime = "se-crowd-"+kind, "Crowd bank ("+name+")", bic, id, orderTime
		return b
	}
	rsa, ecdsa, local := bank("rsa", "RSA", "CRRSSESS", "501"), bank("ecdsa", "P-256", "CRECSESS", "502"), bank("local", "BankID's secret", "CRLOSESS", "503")
	ecdsa.P256, local.P256, local.Token = true, true, StartSecret
	return []Behaviour{rsa, ecdsa, local}
}
