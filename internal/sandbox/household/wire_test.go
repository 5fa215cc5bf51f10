package household

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anyNumber draws a personal number: mostly of a person who lives, also coordination
// numbers, and sometimes any twelve digits.
func anyNumber() *rapid.Generator[string] {
	person := rapid.Custom(func(t *rapid.T) string {
		day := rapid.IntRange(1, 31).Draw(t, "day") + 60*rapid.IntRange(0, 9).Draw(t, "coordination")/9
		return fmt.Sprintf("%04d%02d%02d%04d", rapid.IntRange(1925, 2012).Draw(t, "year"),
			rapid.IntRange(1, 12).Draw(t, "month"), day, rapid.IntRange(0, 9999).Draw(t, "serial"))
	})
	return rapid.OneOf(person, person, person, person, rapid.StringMatching(`[0-9]{12}`))
}

// anyDay draws a day that has households, mostly one of these years.
func anyDay() *rapid.Generator[Day] {
	near := rapid.Custom(func(t *rapid.T) Day {
		return Day(rapid.IntRange(int(date(2012, 1, 1)), int(date(2040, 12, 31))).Draw(t, "day"))
	})
	far := rapid.Custom(func(t *rapid.T) Day {
		return Day(rapid.IntRange(int(firstDay), int(lastDay)).Draw(t, "day"))
	})
	first := rapid.Custom(func(t *rapid.T) Day { // of a month: payouts start, and accounts
		return monthAt(near.Draw(t, "month")).day(1)
	})
	return rapid.OneOf(near, near, first, far)
}

// item is a product, or an object in it, as it is on the wire.
type item struct {
	t       tester
	members map[string]any
}

// items returns a household's products on the wire.
func items(t tester, number string, on Day, contents Contents) []item {
	h, err := Make(number, on, contents)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]item, len(h.Products))
	for i, p := range h.Products {
		list[i] = readItem(t, p.JSON(Head{"id", "company", "name"}))
	}
	return list
}

func readItem(t tester, text []byte) item {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	i := item{t: t}
	if err := d.Decode(&i.members); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return i
}

// at returns the member at a path such as "loanDetails.balance", or nil.
func (i item) at(path string) any {
	var v any = i.members
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

func (i item) has(path string) bool { return i.at(path) != nil }

func (i item) text(path string) string { s, _ := i.at(path).(string); return s }

func (i item) is(path string) bool { b, _ := i.at(path).(bool); return b }

// decimal returns the number at a path in units of 10^-places. It fails if the number has
// more decimals.
func (i item) decimal(path string, places int) int64 {
	i.t.Helper()
	n, ok := i.at(path).(json.Number)
	if !ok {
		i.t.Fatalf("%s is %v", path, i.at(path))
	}
	whole, fraction, _ := strings.Cut(string(n), ".")
	if len(fraction) > places {
		i.t.Fatalf("%s is %s: more than %d decimals", path, n, places)
	}
	v, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", places-len(fraction)), 10, 64)
	if err != nil {
		i.t.Fatalf("%s is %s", path, n)
	}
	return v
}

// ore returns the amount at a path.
func (i item) ore(path string) ore { i.t.Helper(); return ore(i.decimal(path+".amount", 2)) }

// day returns the date at a path.
func (i item) day(path string) Day {
	i.t.Helper()
	d, err := time.Parse(time.DateOnly, i.text(path))
	if err != nil {
		i.t.Fatalf("%s: %v", path, err)
	}
	return date(d.Year(), int(d.Month()), d.Day())
}

// list returns the objects of the array at a path.
func (i item) list(path string) []item {
	array, _ := i.at(path).([]any)
	list := make([]item, len(array))
	for n, v := range array {
		list[n] = item{i.t, v.(map[string]any)}
	}
	return list
}

func (i item) String() string { b, _ := json.MarshalIndent(i.members, "", " "); return string(b) }

// checkItems checks each product of drawn households.
func checkItems(t *testing.T, check func(t *rapid.T, i item, on Day)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		number, on := anyNumber().Draw(t, "number"), anyDay().Draw(t, "on")
		for _, i := range items(t, number, on, Everything) {
			check(t, i, on)
		}
	})
}

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// sampleNumber returns the n-th of a fixed list of unlisted persons, born 1935 to 2008.
func sampleNumber(n int) string {
	key := keyOf("sample/" + strconv.Itoa(n))
	return fmt.Sprintf("%04d%02d%02d%04d", 1935+key%74, 1+(key>>8)%12, 1+(key>>16)%28, (key>>24)%10_000)
}
