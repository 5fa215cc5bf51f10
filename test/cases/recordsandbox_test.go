package cases

import (
	"bytes"
	"cmp"
	"encoding/json"
	"index/suffixarray"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"samla/internal/collect"
	"samla/internal/record"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/persona"
)

// sandboxTime is when the persons of the sandbox are collected: the dates of their cases move.
var sandboxTime = time.Date(2026, 6, 10, 8, 0, 0, 0, time.UTC)

// envPerson records these persons of the sandbox only: a part of "bank/number".
const envPerson = "SAMLA_RECORD_PERSON"

// inShort are the persons whose collections are recorded without envRecord: a few of the
// banks' kinds and the account types that differ.
var inShort = map[string]bool{
	"se-demo-psd2/200002292399": true, "se-demo-psd2/199006022397": true, "se-demo-psd2/191212121212": true, "se-demo-psd2/199312252399": true,
	"se-sandbox-static/199008672397": true, "se-sandbox-short/194408139089": true, "se-sandbox-autostart/199011062388": true,
}

// TestRecord_Sandbox records the collection of each person of the sandbox at each of its
// banks, and plays the cases: status, types and numbers of products and deviations are the
// same, and nothing of the person is in a case.
func TestRecord_Sandbox(t *testing.T) { // not parallel: it would starve cases, whose clocks are fast
	w := newSandbox(t)
	dir, only := t.TempDir(), os.Getenv(envPerson)
	before := map[string]*played{}
	for _, b := range aspsp.DefaultBanks() {
		for _, p := range persona.All() {
			id := b.Company + "/" + p.Number
			if !strings.Contains(id, only) || cmp.Or(os.Getenv(envRecord), only) == "" && !inShort[id] {
				continue
			}
			name := "rec-" + strings.TrimPrefix(b.Company, "se-") + "-" + strings.ToLower(p.GivenName)
			t.Run(name, func(t *testing.T) {
				all, made := w.collect(t, b.Company, p.Number)
				if all == nil {
					t.Logf("%s, without a stored answer", made.status)
					return
				}
				begin := time.Now()
				of, err := record.Make(t.Context(), w.Server.Rereader(), *all, w.bank(t, b.Company))
				if err != nil {
					t.Fatalf("%s: %v, after %v", made.status, err, time.Since(begin).Round(time.Millisecond))
				}
				t.Logf("%s, %s, in %v", made.status, of.Summary(), time.Since(begin).Round(time.Millisecond))
				before[name] = made
				searchAll(t, of, *all, p)
				if err := os.WriteFile(filepath.Join(dir, name+".json"), of.Text, 0o600); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
	t.Logf("%d cases", len(before))
	t.Run("play", func(t *testing.T) {
		setting{startTime, t.TempDir(), func(caseFile) bool { return true }, false}.playFolder(t, dir, func(p *player) {
			c := p.collections[0]
			after := &played{status: c.status.(string)}
			after.shows(c.products)
			after.of(p.T, p.env.Server.Rereader(), c.id)
			if !before[p.Name].equal(after) {
				p.Errorf("the case plays %+v, the collection was %+v", after, before[p.Name])
			}
		})
	})
}

// tokenIn returns the autostart token of the link in a code.
func tokenIn(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return u.Query().Get("autostarttoken")
}

// vocabulary are words of more than four letters that a case keeps: the specification's,
// those of kinds of account, and of addresses.
var vocabulary = strings.Fields(`accounts balances transactions bookingstatus booked pending booking reserverat owner enabled blocked deleted
	closingbooked interimbooked interimavailable expected noninvoiced konto privatkonto lönekonto sparkonto hushållskonto valutakonto
	transaktionskonto placeringskonto fasträntekonto kontokredit buffert bolån kreditkort mastercard`)

var (
	datesRE = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9:]+))?`)
	runRE   = regexp.MustCompile(`[0-9]+|\p{L}+`)
)

// searchAll looks in a case for each text, word and number of five signs or more of a
// collection and of the person. It shares nothing with the search of package record.
func searchAll(t *testing.T, made record.Made, all collect.Recorded, person persona.Person) {
	t.Helper()
	old, now := pairs(t, made, all, person)
	in := suffixarray.New([]byte(strings.ToLower(string(made.Text))))
	chance, seen, kept := map[string]bool{}, map[string]bool{}, 0
	for i, text := range old {
		if undated := datesRE.ReplaceAllString(text, ""); undated != text {
			text = strings.Trim(undated, "-") // of an id: its number is one number, not two
		}
		text = strings.ToLower(text)
		for _, part := range append(runRE.FindAllString(text, -1), text) {
			if seen[part] && !chance[part] || utf8.RuneCountInString(part) < 5 || strings.Trim(part, "0") == "" {
				continue
			}
			seen[part] = true
			switch {
			case len(in.Lookup([]byte(part), 1)) == 0, isIssuer(text, part):
			case isNumber(part) && len(part) <= 10 && !strings.Contains(strings.ToLower(now[i]), part):
				chance[part] = true
			case isKept(part):
				kept++
			default:
				t.Errorf("%q is in the case", part)
			}
		}
	}
	if len(chance) != made.ByChance {
		t.Errorf("%d numbers are in the case by chance, it says %d", len(chance), made.ByChance)
	}
	t.Logf("searched %d, %d are words that are kept, %d numbers are in other places by chance", len(seen), kept, len(chance))
}

func isNumber(text string) bool { return strings.Trim(text, "0123456789.-") == "" }

// isIssuer reports whether a part has the bank's digits of a masked card number.
func isIssuer(text, part string) bool {
	return len(part) == 6 && strings.HasPrefix(text, part+"*")
}

// isKept reports whether all words of a text may be in a case.
func isKept(text string) bool {
	for _, part := range runRE.FindAllString(text, -1) {
		if utf8.RuneCountInString(part) >= 5 && !slices.Contains(vocabulary, part) {
			return false
		}
	}
	return !isNumber(text)
}

// pairs returns the texts and numbers of a person and a collection, and those in their place
// in a case.
func pairs(t *testing.T, made record.Made, all collect.Recorded, person persona.Person) (old, now []string) {
	t.Helper()
	var c caseFile
	if err := json.Unmarshal(made.Text, &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Input.Bank) < len(all.Answers) {
		t.Fatalf("%d of %d answers are in the case", len(c.Input.Bank), len(all.Answers))
	}
	old = []string{person.Number, person.Number[2:], person.GivenName, person.Surname, person.Name()}
	for _, a := range person.Accounts {
		old = append(old, a.ID, a.IBAN, a.BBAN, a.MaskedPAN)
	}
	now = make([]string, len(old))
	for i, a := range all.Answers {
		if a.Refusal != nil {
			continue
		}
		before, after := leaves(t, a.Body), leaves(t, c.Input.Bank[i].Body)
		if len(before) != len(after) {
			t.Fatalf("answer %d has %d values, and in the case %d", i, len(before), len(after))
		}
		old, now = append(old, before...), append(now, after...)
	}
	return old, now
}

// leaves returns the texts and numbers of a body in their order, without the names of
// members.
func leaves(t *testing.T, body []byte) (all []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value func()
	value = func() {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch v := token.(type) {
		case string:
			all = append(all, v)
		case json.Number:
			all = append(all, v.String())
		case json.Delim:
			for d.More() {
				if v == '{' {
					_, _ = d.Token() // the name
				}
				value()
			}
			_, _ = d.Token() // the end
		}
	}
	value()
	return all
}
