package obie

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

// Profile describes how one of the banks differs. Members that are left out have the
// defaults in parentheses.
type Profile struct {
	PollInterval strictjson.Duration `json:"pollInterval,omitzero"` // between two reads of a consent that is being signed ("3s")
	// Deadline is how long the person has, and how long the link to the bank can be used, at
	// most an hour ("10m").
	Deadline          strictjson.Duration    `json:"deadline,omitzero"`
	HistoryAttended   int                    `json:"historyAttended,omitzero"`   // days right after the signature (730)
	HistoryUnattended int                    `json:"historyUnattended,omitzero"` // days afterwards, and without the person (89)
	FullHistory       strictjson.Duration    `json:"fullHistory,omitzero"`       // how long after the signature that is ("5m")
	DailyLimit        int                    `json:"dailyLimit,omitzero"`        // reads a day without the person (4)
	CountsPer         string                 `json:"countsPer,omitzero"`         // what those reads are counted for: consent, account or endpoint (consent)
	LongestConsent    int                    `json:"longestConsent,omitzero"`    // days (180)
	Parallel          int                    `json:"parallel,omitzero"`          // concurrent reads of one consent (4)
	WindowDays        int                    `json:"windowDays,omitzero"`        // days of transactions in one request (0, all)
	OldConsent        institution.OldConsent `json:"oldConsent,omitzero"`        // of a consent that is renewed: delete, endsWithNew, endsOnRequest or keep (delete)
}

const (
	usualPoll     = 3 * time.Second
	usualDeadline = 10 * time.Minute // to open a page, log in and pick accounts
	longestLink   = 59 * time.Minute // of a request object (FAPI 1 part 2 5.2.2)
	usualWindow   = 5 * time.Minute  // docs/reference/families.md 4.7
)

func (p Profile) withDefaults() Profile {
	p.PollInterval = cmp.Or(p.PollInterval, strictjson.Duration(usualPoll))
	p.Deadline = cmp.Or(p.Deadline, strictjson.Duration(usualDeadline))
	p.FullHistory = cmp.Or(p.FullHistory, strictjson.Duration(usualWindow))
	p.CountsPer = cmp.Or(p.CountsPer, "consent")
	return p
}

func (p Profile) check() (faults strictjson.Faults) {
	oneOf := func(name, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			faults.Add("/"+name, fmt.Sprintf("must be one of %q", allowed))
		}
	}
	oneOf("countsPer", p.CountsPer, "consent", "account", "endpoint")
	if p.OldConsent != "" {
		oneOf("oldConsent", string(p.OldConsent), string(institution.OldDeleted), string(institution.OldEndsWithNew),
			string(institution.OldEndsOnRequest), string(institution.OldKept))
	}
	if time.Duration(p.Deadline) > time.Hour {
		faults.Add("/deadline", "must be at most an hour: the bank accepts no link that lives longer")
	}
	for _, member := range []struct {
		name  string
		value int64
	}{
		{"pollInterval", int64(p.PollInterval)}, {"deadline", int64(p.Deadline)}, {"fullHistory", int64(p.FullHistory)},
		{"historyAttended", int64(p.HistoryAttended)}, {"historyUnattended", int64(p.HistoryUnattended)},
		{"dailyLimit", int64(p.DailyLimit)}, {"longestConsent", int64(p.LongestConsent)}, {"parallel", int64(p.Parallel)},
		{"windowDays", int64(p.WindowDays)},
	} {
		if member.value < 0 {
			faults.Add("/"+member.name, "must not be negative")
		}
	}
	return faults
}

// port returns the profile of the port. A request for a consent carries nothing about the
// person, and a second one makes a second consent (docs/reference/families.md 4.2).
func (p Profile) port() institution.Profile {
	return institution.Profile{
		QR: institution.QRNone, OpensWithoutNumber: true, OpensWithoutAddress: true,
		PollInterval: time.Duration(p.PollInterval), Deadline: time.Duration(p.Deadline),
		HistoryAttended: p.HistoryAttended, HistoryUnattended: p.HistoryUnattended, FullHistory: time.Duration(p.FullHistory),
		DailyLimit: p.DailyLimit, CountsPer: quota.Per(strings.ToUpper(p.CountsPer)),
		LongestConsent: p.LongestConsent, Parallel: p.Parallel, OldConsent: p.OldConsent, Redirects: true,
	}.WithDefaults()
}
