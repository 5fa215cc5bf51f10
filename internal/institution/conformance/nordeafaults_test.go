package conformance_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/institution/nordea"
	"samla/internal/psu"
	"samla/internal/sandbox/faults"
	sandboxnordea "samla/internal/sandbox/nordea"
)

var nordeaPerson = psu.Context{PersonalNumber: maja, IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"}

// lenient is an oracle that lets everything pass: the bank is made to deviate.
type lenient struct{}

func (lenient) Handler(next http.Handler, _ func(error)) http.Handler { return next }

func (lenient) Transport(next http.RoundTripper, _ func(error)) http.RoundTripper { return next }

// deviating is a signed consent at a bank that deviates.
type deviating struct {
	*world
	bank   *nordea.Bank
	access institution.Access
}

func deviate(t *testing.T) *deviating {
	t.Helper()
	w := &deviating{world: newWorld(t, nordeaBank, lenient{})}
	w.bank = w.nordea(t, func(c *nordea.Config) {
		c.Flow, c.CardScopes = "redirect", []string{"CARDS_INFORMATION", "CARDS_TRANSACTIONS"}
	})
	w.access = w.signOnNordeasPage(t, w.bank)
	return w
}

// ask asks and reads with the bank as it is.
func (w *deviating) ask(t *testing.T, q institution.Question) (institution.Reading, error) {
	t.Helper()
	answer, err := w.bank.Fetch(t.Context(), w.access, q)
	if err != nil {
		return institution.Reading{}, err
	}
	return w.bank.Read(answer)
}

// questions returns one question of each kind of call.
func (w *deviating) questions(t *testing.T) map[string]institution.Question {
	t.Helper()
	all := map[string]institution.Question{}
	for _, q := range w.bank.Start(consent.Scope{Balances: true, Transactions: true}, noon.AddDate(-1, 0, 0).Format(time.DateOnly)) {
		kind := "v5/" + string(q.Kind)
		read, err := w.ask(t, q)
		if err != nil {
			t.Fatal(kind, err)
		}
		all[kind], all[kind+"/*/transactions"] = q, read.Questions[0]
	}
	if len(all) != 4 {
		t.Fatalf("questions %v", slices.Sorted(maps.Keys(all)))
	}
	return all
}

// fault lets the bank deviate in the calls of a kind; "" ends it.
func (w *deviating) fault(t *testing.T, d faults.Deviation, kind string) {
	t.Helper()
	var list []faults.Fault
	if d != "" {
		list = append(list, faults.Fault{Deviation: d, Kinds: []string{kind}})
	}
	if err := w.sandbox.NordeaBank(nordeaBank).SetFaults(list...); err != nil {
		t.Fatal(err)
	}
}

// TestNordea_ReadsABankThatDeviates asks each kind of question in each deviation of the
// sandbox.
func TestNordea_ReadsABankThatDeviates(t *testing.T) {
	failures := map[faults.Deviation]institution.ErrorKind{
		faults.CutBody: institution.Unreachable, faults.Lost: institution.Unreachable, faults.Unavailable: institution.Unreachable,
		faults.ErrorPage: institution.Unreachable, faults.Maintenance: institution.MalformedResponse, faults.TooMany: institution.Busy,
	}
	// Members of cards have no enumerations.
	unknown := map[string]int{"v5/accounts": 4, "v5/accounts/*/transactions": 50}
	w := deviate(t)
	questions := w.questions(t)
	for _, d := range sandboxnordea.Deviations() {
		if d == faults.Slow { // it waits by the clock of the bank, which this test stops
			continue
		}
		for kind, q := range questions {
			t.Run(string(d)+" "+kind, func(t *testing.T) {
				w.fault(t, "", "")
				plain, err := w.ask(t, q)
				if err != nil {
					t.Fatal(err)
				}
				w.fault(t, d, kind)
				got, err := w.ask(t, q)
				if want, fails := failures[d]; fails {
					if err == nil || institution.KindOf(err) != want {
						t.Errorf("%v, not of the kind %s", err, want)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				var counts deviation.Counts
				if d == faults.UnknownValues {
					counts.Add(deviation.UnknownValue, unknown[kind])
				}
				if !maps.Equal(got.Deviations, counts) {
					t.Errorf("the deviations %v, not %v", got.Deviations, counts)
				}
				compareReadings(t, d, got, plain)
			})
		}
	}
}

// compareReadings compares a reading with that of the same question without a deviation.
func compareReadings(t *testing.T, d faults.Deviation, got, plain institution.Reading) {
	t.Helper()
	if !slices.Equal(keysOf(got), keysOf(plain)) || len(got.Questions) != len(plain.Questions) {
		t.Errorf("the accounts %v and %d questions, not %v and %d", keysOf(got), len(got.Questions), keysOf(plain), len(plain.Questions))
	}
	read, want := amounts(got), amounts(plain)
	switch d {
	case faults.MissingMembers:
		read, want = read[:rows(got)], want[:rows(plain)] // no schema requires balances
	case faults.ManyDecimals:
		for i, amount := range want {
			number, currency, _ := strings.Cut(amount, " ")
			want[i] = strings.TrimSuffix(number+"00001 "+currency, " ")
		}
	}
	if !slices.Equal(read, want) {
		t.Errorf("the amounts\n%v, not\n%v", read, want)
	}
}

func keysOf(r institution.Reading) (keys []string) {
	for _, a := range r.Facts.Accounts {
		keys = append(keys, a.Key)
	}
	return keys
}

func rows(r institution.Reading) (n int) {
	for _, h := range r.Facts.Histories {
		n += len(h.Transactions)
	}
	return n
}

// amounts returns the amounts of all rows, and then those of all balances.
func amounts(r institution.Reading) (all []string) {
	for _, h := range r.Facts.Histories {
		for _, row := range h.Transactions {
			all = append(all, row.Amount.String())
		}
	}
	for _, b := range r.Facts.Balances {
		all = append(all, b.Amount.String())
	}
	return all
}
