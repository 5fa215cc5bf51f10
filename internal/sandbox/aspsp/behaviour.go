package aspsp

import "time"

// TokenKind says where a bank puts the BankID data of an authorisation.
type TokenKind int

// The three ways of docs/reference/banks.md 11.3.
const (
	// QRText: challengeData.data is [autostart token, QR text]; the text is new
	// each second and is left out once the app has been opened.
	QRText TokenKind = iota
	// AutostartOnly: challengeData.data is [autostart token].
	AutostartOnly
	// StaticImage: challengeData.image is a PNG of a QR code that holds the
	// autostart URL, and challengeData.data is [autostart token].
	StaticImage
)

// Behaviour is what makes one bank differ from another, as data.
type Behaviour struct {
	Company     string // company id, also the base path, such as "se-demo-psd2"
	DisplayName string
	BIC         string
	BankID      string // three digits of its IBANs (docs/reference/banks.md 14.2)

	Token         TokenKind
	PSUIDRequired bool // PSU-ID is demanded when an authorisation starts

	PageSize        int      // booked rows per page, 0: all on one page
	MaxValidDays    int      // a later validUntil is shortened to today + this
	HistoryDays     int      // an earlier dateFrom is refused with PERIOD_INVALID
	RefuseLate      bool     // unattended reads beyond 90 days: true 401, false clipped rows
	BookingStatuses []string // what bookingStatus may be
	DailyLimit      int      // unattended reads per 24 h, at most 4 (RTS art. 36(5))
	WithBalance     bool     // withBalance=true is supported
	CardsInAccounts bool     // cards stand in /accounts, /card-accounts is empty
	DebitPositive   bool     // debitAccounting: card debits are positive numbers

	DateSigned bool // the signature must cover the header Date
	SHA512     bool // Digest SHA-512 and rsa-sha512 are accepted too
	Problem    bool // errors as application/problem+json instead of tppMessages

	Delay            time.Duration // before every answer, on the bank's clock
	RateLimitEvery   int           // each nth attended account read: 429 with Retry-After; 0 never
	UnavailableEvery int           // each nth account read: 503 with Retry-After; 0 never
}

// Shipped are the banks of the sandbox.
func Shipped() []Behaviour {
	demo := Behaviour{
		Company: "se-demo-psd2", DisplayName: "Demo bank (PSD2)", BIC: "DEMOSESS", BankID: "500",
		Token: QRText, PageSize: 100, MaxValidDays: 180, HistoryDays: 1500,
		BookingStatuses: []string{"booked", "pending", "both"}, DailyLimit: 4, WithBalance: true,
	}
	autostart := demo
	autostart.Company, autostart.DisplayName, autostart.BIC, autostart.BankID = "se-sandbox-autostart", "Autostartbanken", "AUTOSESS", "600"
	autostart.Token, autostart.PSUIDRequired, autostart.RefuseLate = AutostartOnly, true, true

	static := demo
	static.Company, static.DisplayName, static.BIC, static.BankID = "se-sandbox-static", "Bildbanken", "BILDSESS", "800"
	static.Token, static.PageSize, static.Problem, static.DateSigned = StaticImage, 7, true, true
	static.WithBalance, static.DebitPositive, static.HistoryDays = false, true, 730
	static.BookingStatuses = []string{"booked"}

	short := demo
	short.Company, short.DisplayName, short.BIC, short.BankID = "se-sandbox-short", "Kortbanken", "KORTSESS", "915"
	short.MaxValidDays, short.DailyLimit, short.SHA512, short.CardsInAccounts = 30, 1, true, true
	short.RateLimitEvery, short.UnavailableEvery, short.PageSize = 10, 17, 50
	return []Behaviour{demo, autostart, static, short}
}
