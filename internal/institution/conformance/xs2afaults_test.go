package conformance_test

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/institution/conformance"
	"samla/internal/institution/xs2a"
	"samla/internal/psu"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/faults"
)

// readings are what the answers to all questions about a person have together.
type readings struct {
	accounts, balances, rows int
	lost                     deviation.Counts
	failed                   []institution.ErrorKind // of questions that could not be asked
	text                     string                  // of all answers
}

// readAll asks everything there is, by the list of accounts that the bank gives without a
// deviation.
func readAll(t *testing.T, b *xs2a.Bank, access institution.Access, bank *aspsp.Bank, list ...faults.Fault) (r readings) {
	t.Helper()
	r.lost = deviation.Counts{}
	questions := b.Start(consent.Scope{Balances: true, Transactions: true}, "2026-10-01")
	if err := bank.SetFaults(); err != nil {
		t.Fatal(err)
	}
	for _, q := range slices.Clone(questions) {
		answer, err := b.Fetch(t.Context(), access, q)
		if err != nil {
			t.Fatal(err)
		}
		read, err := b.Read(answer)
		if err != nil {
			t.Fatal(err)
		}
		questions = append(questions, read.Questions...)
	}
	if err := bank.SetFaults(list...); err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		answer, err := b.Fetch(t.Context(), access, q)
		var read institution.Reading
		if err == nil {
			read, err = b.Read(answer)
		}
		if err != nil {
			r.failed = append(r.failed, institution.KindOf(err))
			continue
		}
		r.text += string(answer.Body)
		r.lost.Merge(read.Deviations)
		r.accounts, r.balances = r.accounts+len(read.Facts.Accounts), r.balances+len(read.Facts.Balances)
		for _, h := range read.Facts.Histories {
			r.rows += len(h.Transactions)
		}
	}
	return r
}

// A bank that answers in its own way loses nothing, and one that fails says how.
func TestXS2A_ReadsABankThatDeviates(t *testing.T) {
	w := newWorld(t, "se-demo-psd2", lenient{})
	bank := w.sandbox.Bank("se-demo-psd2")
	b := w.connector(t, xs2a.Config{BaseURL: w.base, Profile: xs2a.Profile{ReplaySafe: true}})
	person := psu.Context{PersonalNumber: maja, IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"}
	opened, err := b.OpenConsent(t.Context(), institution.OpenRequest{RequestID: uuid.NewString(), PSU: person, Recurring: true,
		Scope: consent.Scope{Balances: true, Transactions: true}, ValidUntil: noon.AddDate(0, 0, 90)})
	if err != nil {
		t.Fatal(err)
	}
	access := institution.Access{ConsentID: opened.ConsentID, PSU: person}
	a, err := b.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: uuid.NewString(), ConsentID: opened.ConsentID, PSU: person, OtherDevice: true})
	if err != nil {
		t.Fatal(err)
	}
	w.act(t, conformance.Sign, *a.Instructions)
	if _, err := b.AuthorizationStatus(t.Context(), access, a.ID, a.StatusLink, true); err != nil {
		t.Fatal(err)
	}
	plain := readAll(t, b, access, bank)
	if plain.rows == 0 || plain.accounts < 3 || len(plain.failed) != 0 {
		t.Fatalf("without a deviation: %+v", plain)
	}
	failures := map[faults.Deviation]institution.ErrorKind{
		faults.CutBody: institution.Unreachable, faults.Lost: institution.Unreachable, faults.Unavailable: institution.Unreachable,
		faults.ErrorPage: institution.Unreachable, faults.Maintenance: institution.MalformedResponse, faults.TooMany: institution.Busy,
	}
	marks := map[faults.Deviation]*regexp.Regexp{
		faults.UnknownMembers: regexp.MustCompile(`"xNewMember":`), faults.UnknownValues: regexp.MustCompile(`"XNEW"`), faults.ManyDecimals: regexp.MustCompile(`\.\d{7}1"`),
		faults.NullMembers: regexp.MustCompile(`":null`), faults.NumberAmounts: regexp.MustCompile(`"amount":-?\d`), faults.MissingMembers: regexp.MustCompile(`"resourceId":"[^"]+"}`),
	}
	for _, d := range aspsp.Deviations() {
		if d == faults.Slow { // it waits by the clock of the bank, which this test stops
			continue
		}
		got := readAll(t, b, access, bank, faults.Fault{Deviation: d})
		w.clock.Advance(time.Minute)
		if want, fails := failures[d]; fails {
			if len(got.failed) == 0 || slices.ContainsFunc(got.failed, func(k institution.ErrorKind) bool { return k != want }) || got.rows != 0 {
				t.Errorf("%s: %+v", d, got)
			}
			continue
		}
		if mark := marks[d]; mark != nil && (!mark.MatchString(got.text) || mark.MatchString(plain.text)) {
			t.Errorf("%s: the answers do not deviate", d)
		}
		got.text = ""
		if len(got.failed) != 0 || got.rows != plain.rows || got.accounts != plain.accounts || got.lost.Incomplete() || got.balances != plain.balances {
			t.Errorf("%s: %+v, without it %+v", d, got, plain)
		}
	}
	// One read fails, and the next one is right.
	once := readAll(t, b, access, bank, faults.Fault{Deviation: faults.Unavailable, Kinds: []string{"accounts/*/transactions"}, Times: 1})
	if len(once.failed) != 1 || once.rows == 0 || once.rows == plain.rows {
		t.Errorf("once: %+v", once)
	}
}
