package xs2a

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"samla/internal/institution"
	"samla/internal/quota"
	"samla/internal/strictjson"
)

// Profile describes how the bank differs from others (docs/reference/banks.md
// 11.3): the members of institution.Profile, and the bank's variants on the wire.
// Members that are left out have the defaults in parentheses.
type Profile struct {
	QR                institution.QRKind  `json:"qr,omitzero"`                // none, image, text or secret (text)
	NeedsPSUID        bool                `json:"needsPSUID,omitzero"`        // the personal number is required
	PollInterval      strictjson.Duration `json:"pollInterval,omitzero"`      // ("1s")
	Deadline          strictjson.Duration `json:"deadline,omitzero"`          // ("5m"; "15m" with a page)
	HistoryAttended   int                 `json:"historyAttended,omitzero"`   // days (730)
	HistoryUnattended int                 `json:"historyUnattended,omitzero"` // days (89)
	DailyLimit        int                 `json:"dailyLimit,omitzero"`        // reads a day without the person (4)
	CountsPer         string              `json:"countsPer,omitzero"`         // what those reads are counted for: consent, account or endpoint (consent)
	LongestConsent    int                 `json:"longestConsent,omitzero"`    // days (180)
	ReplaySafe        bool                `json:"replaySafe,omitzero"`        // POST consents can be repeated with the same X-Request-ID (false)
	Parallel          int                 `json:"parallel,omitzero"`          // concurrent reads of one consent (4)

	OldConsent institution.OldConsent `json:"oldConsent,omitzero"` // of a consent that is renewed: delete, endsWithNew, endsOnRequest or keep (delete)

	// JSON pointers to BankID's data in the answer about an authorisation.
	AutoStartToken *string `json:"autoStartToken,omitempty"` // (/challengeData/data/0)
	QRData         *string `json:"qrData,omitempty"`         // (/challengeData/data/1)
	QRImage        *string `json:"qrImage,omitempty"`        // (/challengeData/image)
	QRStartToken   *string `json:"qrStartToken,omitempty"`   // with qr secret (/challengeData/data/1)
	QRStartSecret  *string `json:"qrStartSecret,omitempty"`  // with qr secret (/challengeData/data/2)
	HintCode       *string `json:"hintCode,omitempty"`       // (/hintCode)
	ExpiresAt      *string `json:"expiresAt,omitempty"`      // date-time ("", the bank does not say)

	AccessForm      string  `json:"accessForm,omitzero"`      // global or bankOffered (global)
	AllPSD2         string  `json:"allPsd2,omitzero"`         // allAccounts or allAccountsWithOwnerName (the latter)
	FrequencyPerDay int     `json:"frequencyPerDay,omitzero"` // of a recurring consent (4)
	SendPSUID       *bool   `json:"sendPSUID,omitempty"`      // send PSU-ID when the number is known (needsPSUID)
	PSUIDType       string  `json:"psuIDType,omitzero"`       // PSU-ID-Type to send with it ("", not sent)
	RedirectRefusal string  `json:"redirectRefusal,omitzero"` // requests that send TPP-Redirect-Preferred: false: consent, authorisation, all or never (consent)
	WithBalance     *bool   `json:"withBalance,omitempty"`    // ask for balances in the account list (true)
	BookingStatus   string  `json:"bookingStatus,omitzero"`   // both or booked (both)
	Cards           *string `json:"cards,omitempty"`          // path of the card accounts, "" = none ("card-accounts")
	WindowDays      int     `json:"windowDays,omitzero"`      // days of transactions in one request (0, all)
	Pages           Pages   `json:"pages,omitzero"`           // of transactions, at a bank that counts rows

	SCA          string              `json:"sca,omitzero"`                   // how the person signs: the constants sca* (decoupled)
	Redirect     Redirect            `json:"redirect,omitzero"`              // of a person who signs on a page of the bank
	SCAMethods   []string            `json:"scaMethods,omitempty"`           // ids, types or names of the methods to sign with, the best first (BankID)
	SameDevice   []string            `json:"scaMethodsSameDevice,omitempty"` // in place of scaMethods if the app is on this device (scaMethods)
	ListFirst    bool                `json:"listFirst,omitzero"`             // a consent names accounts: another one, without a signature, lists them before
	NamesSigner  bool                `json:"namesSigner,omitzero"`           // the bank lets only the person sign whose number it got (false)
	SecondSigner strictjson.Duration `json:"secondSigner,omitzero"`          // how long others have to sign too ("0s", nobody else signs)
	FullHistory  strictjson.Duration `json:"fullHistory,omitzero"`           // how long after the signature all of the history can be read ("0s", always)

	Paths Paths      `json:"paths,omitzero"`
	Rows  RowRules   `json:"rows,omitzero"`
	Types []TypeRule `json:"types,omitempty"`
}

const (
	booked = "booked"
	both   = "both"
)

// pageDeadline is how long a person has on a page of the bank, who may have to log in there
// and to choose accounts.
const pageDeadline = 15 * time.Minute

// refusalPlace names the requests that send TPP-Redirect-Preferred: false. The
// request that opens a consent leaves the header out only for nowhere.
type refusalPlace string

const (
	whenOpening     refusalPlace = "consent"
	whenAuthorizing refusalPlace = "authorisation"
	everywhere      refusalPlace = "all"
	nowhere         refusalPlace = "never"
)

// wire holds the bank's variants on the wire.
type wire struct {
	autoStartToken, qrData, qrImage, hintCode, expiresAt pointer
	qrStartToken, qrStartSecret                          pointer // nil unless the bank gives BankID's secret

	bankOffered     bool
	allPsd2         string
	frequencyPerDay int
	sendPSUID       bool
	psuIDType       string
	signing         signing
	methods         []string
	sameDevice      []string // methods if the app is on this device
	listFirst       bool
	noRedirect      refusalPlace
	withBalance     bool
	bookingStatus   string
	cards           string
	windowDays      int
	pages           Pages
	paths           Paths
	rows            rowRules
	types           []typeRule
}

func (p Profile) withDefaults() Profile {
	p.AccessForm = cmp.Or(p.AccessForm, "global")
	p.CountsPer = cmp.Or(p.CountsPer, "consent")
	p.AllPSD2 = cmp.Or(p.AllPSD2, "allAccountsWithOwnerName")
	p.FrequencyPerDay = cmp.Or(p.FrequencyPerDay, 4)
	p.RedirectRefusal = cmp.Or(p.RedirectRefusal, string(whenOpening))
	p.BookingStatus = cmp.Or(p.BookingStatus, both)
	orPointer(&p.AutoStartToken, "/challengeData/data/0")
	orPointer(&p.QRData, "/challengeData/data/1")
	orPointer(&p.QRImage, "/challengeData/image")
	orPointer(&p.QRStartToken, "/challengeData/data/1")
	orPointer(&p.QRStartSecret, "/challengeData/data/2")
	orPointer(&p.HintCode, "/hintCode")
	orPointer(&p.ExpiresAt, "")
	orPointer(&p.SendPSUID, p.NeedsPSUID)
	orPointer(&p.WithBalance, true)
	orPointer(&p.Cards, "card-accounts")
	p.SCA = cmp.Or(p.SCA, scaDecoupled)
	if p.SCA != scaDecoupled {
		p.Deadline = cmp.Or(p.Deadline, strictjson.Duration(pageDeadline))
	}
	if len(p.SameDevice) == 0 {
		p.SameDevice = p.SCAMethods
	}
	p.Redirect = p.Redirect.withDefaults(p.SCA)
	return p
}

func orPointer[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

func (p Profile) check() (faults strictjson.Faults) {
	p = p.withDefaults()
	oneOf := func(name, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			faults.Add("/"+name, fmt.Sprintf("must be one of %q", allowed))
		}
	}
	if p.QR != "" {
		oneOf("qr", string(p.QR), string(institution.QRNone), string(institution.QRImage), string(institution.QRText), string(institution.QRSecret))
	}
	if p.OldConsent != "" {
		oneOf("oldConsent", string(p.OldConsent), string(institution.OldDeleted), string(institution.OldEndsWithNew),
			string(institution.OldEndsOnRequest), string(institution.OldKept))
	}
	oneOf("accessForm", p.AccessForm, "global", "bankOffered")
	oneOf("countsPer", p.CountsPer, "consent", "account", "endpoint")
	oneOf("allPsd2", p.AllPSD2, "allAccounts", "allAccountsWithOwnerName")
	oneOf("bookingStatus", p.BookingStatus, both, booked)
	oneOf("redirectRefusal", p.RedirectRefusal, string(whenOpening), string(whenAuthorizing), string(everywhere), string(nowhere))
	oneOf("sca", p.SCA, scaDecoupled, scaRedirect, scaOAuth, scaDecoupledAfterLogin, scaRedirectAfterLogin)
	if p.NamesSigner && !p.NeedsPSUID {
		faults.Add("/namesSigner", "needs needsPSUID: the bank cannot name a person whose number it did not get")
	}
	faults = append(faults, p.Redirect.check().Under("/redirect")...)
	if strings.ContainsFunc(*p.Cards, func(r rune) bool { return r != '-' && notAlphanumeric(r) }) {
		faults.Add("/cards", `must be one path segment such as "card-accounts", or "" when the bank has none`)
	}
	for _, member := range []struct {
		name    string
		pointer *string
	}{
		{"autoStartToken", p.AutoStartToken}, {"qrData", p.QRData}, {"qrImage", p.QRImage},
		{"qrStartToken", p.QRStartToken}, {"qrStartSecret", p.QRStartSecret}, {"hintCode", p.HintCode}, {"expiresAt", p.ExpiresAt},
	} {
		if _, err := parsePointer(*member.pointer); err != nil {
			faults.Add("/"+member.name, err.Error())
		}
	}
	for _, member := range []struct {
		name  string
		value int64
	}{
		{"pollInterval", int64(p.PollInterval)}, {"deadline", int64(p.Deadline)},
		{"historyAttended", int64(p.HistoryAttended)}, {"historyUnattended", int64(p.HistoryUnattended)},
		{"dailyLimit", int64(p.DailyLimit)}, {"longestConsent", int64(p.LongestConsent)},
		{"parallel", int64(p.Parallel)}, {"frequencyPerDay", int64(p.FrequencyPerDay)}, {"windowDays", int64(p.WindowDays)},
		{"secondSigner", int64(p.SecondSigner)}, {"fullHistory", int64(p.FullHistory)},
	} {
		if member.value < 0 {
			faults.Add("/"+member.name, "must not be negative")
		}
	}
	faults = append(faults, p.Pages.check().Under("/pages")...)
	faults = append(faults, p.Paths.check().Under("/paths")...)
	faults = append(faults, p.Rows.check().Under("/rows")...)
	faults = append(faults, checkTypes(p.Types).Under("/types")...)
	return faults
}

func (p Profile) port() institution.Profile {
	return institution.Profile{
		QR: p.QR, NeedsPSUID: p.NeedsPSUID, OpensWithoutNumber: !*p.SendPSUID, PollInterval: time.Duration(p.PollInterval), Deadline: time.Duration(p.Deadline),
		HistoryAttended: p.HistoryAttended, HistoryUnattended: p.HistoryUnattended, DailyLimit: p.DailyLimit, CountsPer: quota.Per(strings.ToUpper(p.CountsPer)),
		LongestConsent: p.LongestConsent, ReplaySafe: p.ReplaySafe, Parallel: p.Parallel, OldConsent: p.OldConsent,
		Redirects: p.SCA != scaDecoupled, LoginFirst: strings.HasSuffix(p.SCA, afterLogin), ListsAccounts: p.ListFirst && strings.HasSuffix(p.SCA, afterLogin), NamesSigner: p.NamesSigner,
		ReturnsOnce:  !strings.HasPrefix(p.SCA, scaDecoupled) && !*p.Redirect.FixedReturn,
		SecondSigner: time.Duration(p.SecondSigner), FullHistory: time.Duration(p.FullHistory),
	}.WithDefaults()
}

// wire returns the variants of a profile with defaults that check accepts.
func (p Profile) wire() wire {
	at := func(s *string) pointer {
		parsed, _ := parsePointer(*s) // checked
		return parsed
	}
	w := wire{
		autoStartToken: at(p.AutoStartToken), qrData: at(p.QRData), qrImage: at(p.QRImage),
		hintCode: at(p.HintCode), expiresAt: at(p.ExpiresAt),
		bankOffered: p.AccessForm == "bankOffered", allPsd2: p.AllPSD2, frequencyPerDay: p.FrequencyPerDay,
		sendPSUID: *p.SendPSUID, psuIDType: p.PSUIDType, signing: p.signing(), methods: p.SCAMethods, sameDevice: p.SameDevice, listFirst: p.ListFirst, noRedirect: refusalPlace(p.RedirectRefusal),
		withBalance: *p.WithBalance, bookingStatus: p.BookingStatus, cards: *p.Cards, windowDays: p.WindowDays, pages: p.Pages,
		paths: p.Paths.withDefaults(*p.Cards), rows: p.Rows.compile(), types: compileTypes(p.Types),
	}
	if p.QR == institution.QRSecret {
		w.qrData, w.qrStartToken, w.qrStartSecret = nil, at(p.QRStartToken), at(p.QRStartSecret)
	}
	return w
}
