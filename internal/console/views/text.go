package views

import (
	"math"
	"strconv"
	"strings"
	"time"

	"samla/internal/availability"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/refresh"
)

// The order of attributions in every chart: institution, Samla, person, client.
const (
	byInstitution = iota
	bySamla
	byPerson
	byClient
)

var whoNames = [4]string{"Institution", "Samla", "Person", "Client"}

// attributionOf returns whose fault an ending is, or -1 for a success.
func attributionOf(word string) int {
	switch consent.FailureCode(word) {
	case consent.BankUnavailable, consent.BankError:
		return byInstitution
	case consent.InternalError:
		return bySamla
	}
	switch s := collection.Status(word); {
	case s.Class() == collection.Unknown && consent.FailureCode(word).Message() != "":
		return byPerson
	case s.Class() == collection.Unknown:
		return -1
	default:
		return map[fault.Attribution]int{"": -1, fault.ByBank: byInstitution, fault.BySamla: bySamla, fault.ByUser: byPerson}[refresh.Attribution(s)]
	}
}

// stoppedBy lists the words of endings whose fault is one of whose.
func stoppedBy(whose ...int) (words []string) {
	for _, w := range endWords {
		for _, who := range whose {
			if attributionOf(w) == who {
				words = append(words, w)
			}
		}
	}
	return words
}

// endWords are the words of all endings, each once.
var endWords = func() (words []string) {
	seen := map[string]bool{}
	add := func(w string) {
		if !seen[w] {
			seen[w] = true
			words = append(words, w)
		}
	}
	for _, c := range consent.FailureCodes() {
		add(string(c))
	}
	for _, s := range collection.Statuses() {
		if s.Terminal() {
			add(string(s))
		}
	}
	return words
}()

// why says an ending in a few words.
func why(word string) string {
	if said, ok := whys[word]; ok {
		return said
	}
	return strings.ToLower(strings.ReplaceAll(word, "_", " "))
}

var whys = map[string]string{
	"BANK_UNAVAILABLE": "no answer from the institution", "BANK_ERROR": "a fault of the institution", "THIRD_PARTY_ERROR": "a fault of the institution",
	"INTERNAL_ERROR": "a fault of ours", "FAILED": "a fault of ours", "AUTHENTICATION_TIMEOUT": "ran out of time", "AUTHENTICATION_CANCELLED": "cancelled",
	"AUTHENTICATION_CONFLICT": "two at once", "AUTHENTICATION_MISMATCH": "another person approved", "AUTHENTICATION_FAILED": "the login did not succeed",
	"AUTHENTICATION_ERROR": "the login did not succeed", "CONSENT_REJECTED": "rejected", "CUSTOMER_ENROLLMENT_REQUIRED": "no customer there yet",
}

// count says a number with its word: "1 person", "2 people".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

func people(n int) string { return count(n, "person", "people") }

// number writes thousands apart.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// share writes n of all in percent; "–" of nothing.
func share(n, all int) string {
	if all == 0 {
		return "–"
	}
	return strconv.FormatFloat(math.Round(1000*float64(n)/float64(all))/10, 'f', -1, 64) + " %"
}

// took writes a duration as people say it.
func took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "0 s"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 10*time.Second:
		return strconv.FormatFloat(math.Round(d.Seconds()*10)/10, 'f', -1, 64) + " s"
	case d < 2*time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " days"
}

// quantile writes a quantile of what was measured.
func quantile(h availability.Histogram, q float64) string {
	d := h.Quantile(q)
	if d == nil {
		return "–"
	}
	return took(*d)
}

// at writes a time: of today only the clock, of this year without it.
func (v *views) at(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	now, t := v.Clock.Now().In(v.Zone), t.In(v.Zone)
	switch {
	case now.Format(time.DateOnly) == t.Format(time.DateOnly):
		return t.Format("15:04:05")
	case now.Year() == t.Year():
		return t.Format("2 Jan 15:04")
	}
	return t.Format("2 Jan 2006")
}

// ago writes how long ago a time was, or in how long it comes.
func (v *views) ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	if d := v.Clock.Now().Sub(t); d >= 0 {
		return took(d) + " ago"
	}
	return "in " + took(t.Sub(v.Clock.Now()))
}

// timeCell is a time with how long ago it was.
func (v *views) timeCell(t time.Time) cell {
	if t.IsZero() {
		return none("never")
	}
	return cell{Text: v.at(t), Sub: v.ago(t), When: true}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
