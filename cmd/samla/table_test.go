package main

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"samla/internal/money"
	"samla/internal/product"
)

// printed returns the tables of products in JSON.
func printed(t *testing.T, data string) string {
	t.Helper()
	var out strings.Builder
	if err := printProducts(&out, []byte(data)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// documented returns the products that docs/reference/products.md has as examples, but
// those of PSD2, whose table is another one.
func documented(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/reference/products.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, block := range regexp.MustCompile("(?s)```json\n(\\{.*?)```").FindAllStringSubmatch(string(text), -1) {
		p, err := product.Read([]byte(block[1]))
		if err != nil {
			t.Fatal(err)
		}
		_, other := p.(*product.Other)
		_, account := p.(*product.Psd2Account)
		if _, part := p.(*product.Investment); part && p.Common().ID == "" {
			continue
		}
		if !other && !account && p.Common().ID != "" {
			found = append(found, block[1])
		}
	}
	if len(found) < 6 {
		t.Fatalf("only %d products", len(found))
	}
	return "[" + strings.Join(found, ",") + "]"
}

func TestTables_ShowTheDocumentedProducts(t *testing.T) {
	const want = `PENSION                 KIND                FEE        VALUE
Alecta Optimal Pension  collective, ITP  0.65 %  512 000 SEK
──────────────────────  ───────────────  ──────  ───────────
1 pension                                        512 000 SEK

INVESTMENT    KIND             HOLDINGS  SINCE START          VALUE
Depå          custody account         1      16.05 %  26 982.66 SEK
────────────  ───────────────  ────────  ───────────  ─────────────
1 investment                                          26 982.66 SEK

SAVINGS                  KIND                  RATE       VALUE
My Savings Account       savings              2.5 %  25 000 SEK
My Fixed Period Savings  fixed to 2026-01-01         50 000 SEK
───────────────────────  ───────────────────  ─────  ──────────
2 accounts                                           75 000 SEK

LOAN                KIND         RATE  FIXED FOR  NEXT PAYMENT        BALANCE
000047433123        unsecured  3.92 %               12 784 SEK  2 000 000 SEK
BRF EKORRHOLKEN 32  mortgage   3.92 %  two years    12 784 SEK  2 000 000 SEK
──────────────────  ─────────  ──────  ─────────  ────────────  ─────────────
2 loans                                                         4 000 000 SEK

PUBLIC_PENSION of Försäkringskassan

All of it, less the loans: -3 386 017.34 SEK
`
	out := printed(t, documented(t))
	if out != want {
		t.Errorf("printed\n%s\nwant\n%s", out, want)
	}
	if strings.Contains(out, "199312252399") {
		t.Error("a personal number is printed")
	}
}

func TestTables_SumEachCurrencyExactly(t *testing.T) {
	out := printed(t, `[
		{"type":"ISK","productName":"a","financialInformation":{"currentValue":{"amount":0.1,"currency":"SEK"}}},
		{"type":"ISK","productName":"b","financialInformation":{"currentValue":{"amount":0.2,"currency":"SEK"}}},
		{"type":"ISK","productName":"c","financialInformation":{"currentValue":{"amount":9007199254740993,"currency":"EUR"}}},
		{"type":"ISK","productName":"d","financialInformation":{"currentValue":{"amount":9007199254740993.01,"currency":"EUR"}}},
		{"type":"ISK","productName":"e"}]`)
	for _, want := range []string{"\na                         ISK                        0.10 SEK\n", "\ne                         ISK                               -\n",
		"5 investments, 1 unknown ", " 18 014 398 509 481 986.01 EUR\n", " 0.30 SEK\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

func TestTables_FitAndCannotControlTheTerminal(t *testing.T) {
	long := strings.Repeat("Å", 200) + `\u001b[2J\n`
	data := strings.ReplaceAll(`[
		{"type":"COLLECTIVE_OCCUPATIONAL_PENSION","classification":"SAF-LO","productName":"LONG","fees":{"personalized":{"variable":0.00651}},
			"payoutDetails":[{"amount":{"amount":25000,"currency":"SEK"},"period":{"type":"DATE_RANGE","startDate":"2040-01-01"}}]},
		{"type":"UNKNOWN_PENSION_TYPE","productName":"short","financialInformation":{"currentValue":{"amount":123456789.25,"currency":"SEK"}}},
		{"type":"CUSTODY_ACCOUNT","productName":"LONG","holdings":[],"financialInformation":{"performanceSinceStart":-0.123456,"currentValue":{"amount":123456789.25,"currency":"SEK"}}},
		{"type":"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD","accountName":"LONG","currentValue":{"amount":123456789.25,"currency":"SEK"},"bindingPeriod":{"endDate":"2031-01-01"}},
		{"type":"MORTGAGE_LOAN","financedObject":"LONG","interestBindingPeriod":"THREE_MONTHS","interest":{"rate":0.03925},"nextPayment":{"total":{"amount":12784.5,"currency":"SEK"}},"loanDetails":{"balance":{"amount":123456789.25,"currency":"SEK"}}},
		{"type":"a\u001b[2J","companyDisplayName":"LONG"}]`, "LONG", long[:400])
	out := printed(t, data)
	if !strings.Contains(out, strings.Repeat("Å", 50)+"…") {
		t.Errorf("a name does not get the rest of a line:\n%s", out)
	}
	for line := range strings.Lines(out) {
		if n := utf8.RuneCountInString(line); n > 101 && !strings.Contains(line, " of ") {
			t.Errorf("a line has %d characters: %s", n, line)
		}
	}
	if strings.ContainsRune(printed(t, strings.ReplaceAll(data, long[:400], `x\u001b[2J`)), '\x1b') {
		t.Error("an escape sequence is printed")
	}
	for _, want := range []string{"25 000 SEK from 2040", "0.651 %", "-12.3456 %", "three months"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

// Rows are aligned by the columns of a terminal: wide characters take two, and marks none.
func TestTable_AlignsWideCharactersAndMarks(t *testing.T) {
	table := headed("NAME", "IBAN", "VALUE")
	table.columns[0].most, table.columns[2].right = 10, true
	for _, name := range []string{"Lönekonto", "Lo\u0308nekonto", "Spa\u030arkonto", "東京銀行", "東京三菱UFJ銀行", "🎁 gåva", "한글", "\u1112\u1161\u11ab", "x\u200by", "e\u0301\u0323"} {
		table.add(name, "SE12", "1 234")
	}
	var out strings.Builder
	if err := table.print(&out); err != nil {
		t.Fatal(err)
	}
	want := "NAME        IBAN  VALUE\n" +
		"Lönekonto   SE12  1 234\n" +
		"Lo\u0308nekonto   SE12  1 234\n" +
		"Spa\u030arkonto   SE12  1 234\n" +
		"東京銀行    SE12  1 234\n" +
		"東京三菱U…  SE12  1 234\n" +
		"🎁 gåva     SE12  1 234\n" +
		"한글        SE12  1 234\n" +
		"\u1112\u1161\u11ab          SE12  1 234\n" +
		"x·y         SE12  1 234\n" +
		"e\u0301\u0323           SE12  1 234\n"
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}

// A table of the server's own has its heads also without a row.
func TestHeaded_ShowsItsHeads(t *testing.T) {
	var out strings.Builder
	if err := headed("QUEUE", "ID").print(&out); err != nil || out.String() != "QUEUE  ID\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// Times are those of the terminal, and say so.
func TestMoment_NamesItsZone(t *testing.T) {
	before := time.Local
	defer func() { time.Local = before }()
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Skip("the machine has no time zones: ", err)
	}
	summer, winter := time.Date(2026, 7, 1, 6, 30, 0, 0, time.UTC), time.Date(2026, 12, 1, 6, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		zone *time.Location
		at   time.Time
		want string
	}{{stockholm, summer, "2026-07-01 08:30 CEST"}, {stockholm, winter, "2026-12-01 07:30 CET"}, {time.UTC, winter, "2026-12-01 06:30 UTC"},
		{time.FixedZone("", 3*60*60), winter, "2026-12-01 09:30 +0300"}} {
		time.Local = c.zone
		if got := moment(&c.at); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if moment(nil) != "-" || moment(&time.Time{}) != "-" {
		t.Error("no time is shown as one")
	}
}

func TestTables_OfNothingAreEmpty(t *testing.T) {
	if out := printed(t, `[]`); out != "" {
		t.Errorf("printed %q", out)
	}
	var out strings.Builder
	if err := printProducts(&out, []byte(`{}`)); err == nil {
		t.Error("an object was printed as products")
	}
}

func TestDigits_KeepEveryDigit(t *testing.T) {
	for _, c := range []struct {
		value, currency string
		scale           int
		want            string
	}{
		{"0", "SEK", 0, "0 SEK"}, {"999", "SEK", 0, "999 SEK"}, {"1000", "SEK", 2, "1 000.00 SEK"}, {"-1234567.5", "EUR", 2, "-1 234 567.50 EUR"},
		{"12.345", "SEK", 2, "12.345 SEK"},
	} {
		a := money.Must(c.value, c.currency)
		if got := digits(&a, c.scale); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.value, c.currency, got, c.want)
		}
	}
}

func TestPrintMembers_NumbersWhatIsInAList(t *testing.T) {
	var out bytes.Buffer
	if err := printMembers(&out, json.RawMessage(`{"data": [{"kind": "BALANCES", "stale": false}, {"kind": "TRANSACTIONS"}], "left": 4, "none": []}`)); err != nil {
		t.Fatal(err)
	}
	want := "WHAT          VALUE\ndata 1 kind   BALANCES\ndata 1 stale  false\ndata 2 kind   TRANSACTIONS\nleft          4\nnone          []\n"
	if out.String() != want {
		t.Errorf("%q\nwant\n%q", out.String(), want)
	}
}
