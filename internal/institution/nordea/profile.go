package nordea

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

// Profile describes how one of Nordea's banks differs. Members that are left out have the
// defaults in parentheses.
type Profile struct {
	QR                institution.QRKind  `json:"qr,omitzero"`                // text, or none if the bank gives no qr_data (text)
	NeedsPSUID        bool                `json:"needsPSUID,omitzero"`        // the personal number is required (false)
	PollInterval      strictjson.Duration `json:"pollInterval,omitzero"`      // what the bank says in verify_after ("2s")
	Deadline          strictjson.Duration `json:"deadline,omitzero"`          // ("5m")
	HistoryMonths     int                 `json:"historyMonths,omitzero"`     // 1 to 18, asked for as max_tx_history (12)
	HistoryUnattended int                 `json:"historyUnattended,omitzero"` // days (89)
	DailyLimit        int                 `json:"dailyLimit,omitzero"`        // reads a day without the person (4)
	CountsPer         string              `json:"countsPer,omitzero"`         // what those reads are counted for: consent, account or endpoint (consent)
	LongestConsent    int                 `json:"longestConsent,omitzero"`    // days (180)
	Parallel          int                 `json:"parallel,omitzero"`          // concurrent reads of one consent (4)
	WindowDays        int                 `json:"windowDays,omitzero"`        // days of transactions in one request (0, all)
	CardWindowDays    int                 `json:"cardWindowDays,omitzero"`    // the same for cards (0, all)
	// Language of descriptions: sv, fi, da or en. It is one for all persons, because a row
	// is told from others by its text, too (that of the country, none in NO).
	Language string `json:"language,omitzero"`
	// CardDebitPositive: what leaves a card is positive (false).
	CardDebitPositive bool                   `json:"cardDebitPositive,omitzero"`
	OldConsent        institution.OldConsent `json:"oldConsent,omitzero"` // of a consent that is renewed: delete, endsWithNew, endsOnRequest or keep (delete)
}

const (
	usualPoll   = 2 * time.Second // verify_after in Nordea's examples (docs/reference/families.md 3.4)
	usualMonths = 12              // of max_tx_history: the most of the published file
	mostMonths  = 18              // of a newer one
	monthsYear  = 12
	daysYear    = 365
	usualLength = 180 // days: 259200 minutes, since July 2023 (docs/reference/families.md 3.4)
)

// languages are the parameter language by country (ais-v5.yaml): Norwegian is not among
// its values.
var languages = map[string]string{"SE": "sv", "FI": "fi", "DK": "da"}

func (p Profile) withDefaults(country string) Profile {
	p.QR = cmp.Or(p.QR, institution.QRText)
	p.PollInterval = cmp.Or(p.PollInterval, strictjson.Duration(usualPoll))
	p.HistoryMonths = cmp.Or(p.HistoryMonths, usualMonths)
	p.CountsPer = cmp.Or(p.CountsPer, "consent")
	p.LongestConsent = cmp.Or(p.LongestConsent, usualLength)
	p.Language = cmp.Or(p.Language, languages[country])
	return p
}

func (p Profile) check() (faults strictjson.Faults) {
	oneOf := func(name, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			faults.Add("/"+name, fmt.Sprintf("must be one of %q", allowed))
		}
	}
	oneOf("qr", string(p.QR), string(institution.QRText), string(institution.QRNone))
	oneOf("countsPer", p.CountsPer, "consent", "account", "endpoint")
	oneOf("language", p.Language, "", "sv", "fi", "da", "en")
	if p.OldConsent != "" {
		oneOf("oldConsent", string(p.OldConsent), string(institution.OldDeleted), string(institution.OldEndsWithNew),
			string(institution.OldEndsOnRequest), string(institution.OldKept))
	}
	if p.HistoryMonths < 1 || p.HistoryMonths > mostMonths {
		faults.Add("/historyMonths", "must be 1 to 18")
	}
	for _, member := range []struct {
		name  string
		value int64
	}{
		{"pollInterval", int64(p.PollInterval)}, {"deadline", int64(p.Deadline)}, {"historyUnattended", int64(p.HistoryUnattended)},
		{"dailyLimit", int64(p.DailyLimit)}, {"longestConsent", int64(p.LongestConsent)}, {"parallel", int64(p.Parallel)},
		{"windowDays", int64(p.WindowDays)}, {"cardWindowDays", int64(p.CardWindowDays)},
	} {
		if member.value < 0 {
			faults.Add("/"+member.name, "must not be negative")
		}
	}
	return faults
}

// port returns the profile of the port. Opening a consent makes no exchange, so it needs
// neither the number nor the address of the person, and can be repeated. What starts the
// authorization can be repeated where it only leads to a page; a second BankID order would
// end the first.
func (c Config) port() institution.Profile {
	p := c.Profile
	return institution.Profile{
		QR: p.QR, NeedsPSUID: p.NeedsPSUID && c.Flow == decoupled, OpensWithoutNumber: true, OpensWithoutAddress: true,
		PollInterval: time.Duration(p.PollInterval), Deadline: time.Duration(p.Deadline),
		HistoryAttended: p.HistoryMonths * daysYear / monthsYear, HistoryUnattended: p.HistoryUnattended,
		DailyLimit: p.DailyLimit, CountsPer: quota.Per(strings.ToUpper(p.CountsPer)),
		LongestConsent: p.LongestConsent, ReplaySafe: c.Flow == redirect, Parallel: p.Parallel, OldConsent: p.OldConsent,
		Redirects: c.Flow == redirect,
	}.WithDefaults()
}
