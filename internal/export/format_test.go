package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"samla/internal/export"
)

func TestOFX_IsValid(t *testing.T) {
	content, _ := only(t, batch(t, household), export.OFX)
	t.Run("2.0.1", func(t *testing.T) { judgeOFX(t, []byte(content)) })
	t.Run("2.2", func(t *testing.T) { judgeOFXSchema(t, []byte(content)) })
}

// libofx is what GnuCash and others read OFX with.
func TestOFX_IsReadByLibofx(t *testing.T) {
	content, _ := only(t, batch(t, household), export.OFX)
	read := judgeOFX(t, []byte(content))
	for _, want := range []string{"Account ID: ESSESESS 50000000054910000003", "Currency: SEK", "Account type: CHECKING", "Account type: CREDITCARD", "Account type: SAVINGS",
		"Financial institution's ID for this transaction: 0191a7e2-7b1c-7f00-8a11-3f1c2e9a4d01", "Financial institution's ID for this transaction: c1",
		"Name of payee or transaction description: =HYPERLINK(\"x\")", "東京 🎁 <b>&amp; ]]>"} {
		if !strings.Contains(strings.ReplaceAll(read, "  ", " "), want) {
			t.Errorf("%q was not read:\n%s", want, regexp.MustCompile(`(?m)^LibOFX INFO.*\n|^.*E: non SGML.*\n|^\(Above.*\n`).ReplaceAllString(read, ""))
		}
	}
	if n := strings.Count(read, "ofx_proc_transaction()"); n != 4 {
		t.Errorf("%d transactions were read", n)
	}
}

func TestCAMT_IsValid(t *testing.T) {
	content, _ := only(t, batch(t, household), export.CAMT053)
	judgeCAMT(t, []byte(content))
}

func TestBeancount_ReadsTheLedger(t *testing.T) {
	content, _ := only(t, batch(t, household), export.Beancount)
	want := map[string]string{"Assets:Demo-Bank-Co-AB:Lonekonto-ett-tva-0003": "1000.10 SEK", "Assets:Demo:PSD2-SAVINGS-ACCOUNT-bbbb": "25000 EUR",
		"Assets:Demo:Depa": "26982.66 SEK", "Liabilities:Demo:MORTGAGE-LOAN-3123": "-2000000 SEK", "Liabilities:Demo:Mastercard-8049": "-10269.22 SEK"}
	judgeBeancount(t, content)
	got := balances(t, content)
	for account, sum := range want {
		if first, _, _ := strings.Cut(got[account], ","); first != sum {
			t.Errorf("%s has %q, want %s", account, got[account], sum)
		}
	}
	if len(got) != len(want)+4 { // the head, and three accounts that are no account of an institution
		t.Errorf("%v", got)
	}
}

// document is a document of OFX or CAMT as others read it.
type document struct {
	XMLName xml.Name
	Nodes   []document `xml:",any"`
	Text    string     `xml:",chardata"`
	Ccy     string     `xml:"Ccy,attr"`
}

// find returns the elements at a path.
func (d document) find(path ...string) (all []document) {
	if len(path) == 0 {
		return []document{d}
	}
	for _, n := range d.Nodes {
		if n.XMLName.Local == path[0] {
			all = append(all, n.find(path[1:]...)...)
		}
	}
	return all
}

func (d document) text(path ...string) string {
	var texts []string
	for _, n := range d.find(path...) {
		texts = append(texts, n.Text)
	}
	return strings.Join(texts, "|")
}

func parsed(t failer, content string) (d document) {
	if err := xml.Unmarshal([]byte(content), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOFX_WritesWhatTheBankBooked(t *testing.T) {
	content, notes := only(t, batch(t, household), export.OFX)
	d := parsed(t, content)
	rows := func(path ...string) (all []string) {
		for _, r := range d.find(path...) {
			all = append(all, strings.Join([]string{r.text("TRNTYPE"), r.text("DTPOSTED"), r.text("TRNAMT"), r.text("FITID"), r.text("NAME"), r.text("MEMO")}, "; "))
		}
		return all
	}
	want := []string{
		`DEBIT; 20261126; -0.10; 0191a7e2-7b1c-7f00-8a11-3f1c2e9a4d01; =HYPERLINK("x"); @SUM(1) 東京 🎁 <b>&amp; ]]> -- ` + "\ufffd z",
		"CREDIT; 20240229; 32450.5; 0191a7e2-7b1c-7f00-8a11-3f1c2e9a4d02; A counterparty whose name is lon; A counterparty whose name is longer than thirty-two characters, LONG",
		"CREDIT; 20261102; 0; 0191a7e2-7b1c-7f00-8a11-3f1c2e9a4d03; Ränta; "}
	if diff := cmp.Diff(want, rows("BANKMSGSRSV1", "STMTTRNRS", "STMTRS", "BANKTRANLIST", "STMTTRN")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"DEBIT; 20261126; -735.04; c1; Amazon; "}, rows("CREDITCARDMSGSRSV1", "CCSTMTTRNRS", "CCSTMTRS", "BANKTRANLIST", "STMTTRN")); diff != "" {
		t.Error(diff)
	}
	if got := d.text("BANKMSGSRSV1", "STMTTRNRS", "STMTRS", "LEDGERBAL", "BALAMT"); got != "1000.10|25000" {
		t.Error(got)
	}
	if got := d.text("BANKMSGSRSV1", "STMTTRNRS", "STMTRS", "BANKACCTFROM", "ACCTID"); got != "50000000054910000003|bbbbbbbbbbbbbbbbbbbbbb" {
		t.Error(got)
	}
	said := strings.Join(notes, "\n")
	for _, want := range []string{"1 pending transaction left out", "1 booked transaction without a day", "1 transaction in another currency", "3 products that have no"} {
		if !strings.Contains(said, want) || !strings.Contains(content, want) {
			t.Errorf("%q is not said: %s", want, said)
		}
	}
}

func TestCAMT_WritesWhatTheBankBooked(t *testing.T) {
	content, _ := only(t, batch(t, household), export.CAMT053)
	d := parsed(t, content)
	var got []string
	for _, e := range d.find("BkToCstmrStmt", "Stmt", "Ntry") {
		tx := func(path ...string) string { return e.text(append([]string{"NtryDtls", "TxDtls"}, path...)...) }
		got = append(got, strings.Join([]string{e.text("NtryRef"), e.text("CdtDbtInd"), e.text("Amt"), e.find("Amt")[0].Ccy, e.text("BookgDt", "Dt"), e.text("Sts", "Cd"),
			tx("RltdPties", "Cdtr", "Pty", "Nm"), tx("RltdPties", "Dbtr", "Pty", "Nm")}, "; "))
	}
	want := []string{`0191a7e27b1c7f008a113f1c2e9a4d01; DBIT; 0.10; SEK; 2026-11-26; BOOK; =HYPERLINK("x"); `,
		"0191a7e27b1c7f008a113f1c2e9a4d02; CRDT; 32450.5; SEK; 2024-02-29; BOOK; ; A counterparty whose name is longer than thirty-two characters",
		"0191a7e27b1c7f008a113f1c2e9a4d03; CRDT; 0; SEK; 2026-11-02; BOOK; ; ", "0191a7e27b1c7f008a113f1c2e9a4d05; DBIT; 12.34567; EUR; 2026-11-27; BOOK; ; ",
		"c1; DBIT; 735.04; SEK; 2026-11-26; BOOK; ; "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := d.text("BkToCstmrStmt", "Stmt", "Bal", "Amt") + d.text("BkToCstmrStmt", "Stmt", "Bal", "CdtDbtInd"); got != "1000.10|900.1|10269.22|25000CRDT|CRDT|DBIT|CRDT" {
		t.Error(got)
	}
}

func TestCSV_IsOpenedBySpreadsheets(t *testing.T) {
	files, _, err := export.Write(batch(t, household), export.CSV)
	if err != nil || len(files) != 2 {
		t.Fatal(len(files), err)
	}
	amount := regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	for _, f := range files {
		text, marked := bytes.CutPrefix(f.Content, []byte("\ufeff"))
		if !marked || bytes.Count(text, []byte("\n")) != bytes.Count(text, []byte("\r\n")) {
			t.Errorf("%s has no mark of UTF-8, or lines that do not end in CRLF", f.Name)
		}
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil || len(rows) < 6 {
			t.Fatalf("%s: %d rows, %v", f.Name, len(rows), err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") && !amount.MatchString(cell) {
					t.Errorf("%s: %q is taken for a formula", f.Name, cell)
				}
			}
		}
		if name := rows[2]; strings.HasSuffix(f.Name, "-transactions.csv") && (name[9] != `'=HYPERLINK("x")` || name[7] != "-0.10") {
			t.Errorf("%q", name)
		}
	}
}

func TestWrite_SaysThatABatchIsPartial(t *testing.T) {
	b := batch(t, household)
	b.Partial = true
	for _, f := range export.Formats() {
		files, notes, err := export.Write(b, f)
		if err != nil || len(notes) == 0 || !strings.HasPrefix(notes[0], "INCOMPLETE") {
			t.Errorf("%s: %q, %v", f, notes, err)
		}
		for _, file := range files {
			if text := string(file.Content); !strings.Contains(text, "INCOMPLETE") && !strings.Contains(text, `"complete":false`) && !strings.Contains(text, ",false\r\n") {
				t.Errorf("%s does not say so", file.Name)
			}
		}
	}
}

func TestJSON_HasTheProductsAsTheyAre(t *testing.T) {
	content, _ := only(t, batch(t, household), export.JSON)
	var got struct {
		Complete bool
		Products []map[string]any
	}
	if err := json.Unmarshal([]byte(content), &got); err != nil || !got.Complete || len(got.Products) != 6 || got.Products[5]["type"] != "SOMETHING_NEW" {
		t.Errorf("%v %v", got, err)
	}
}

// The next collection has other ids of products, and the same accounts and transactions.
func TestWrite_NamesAccountsAndTransactionsTheSameAgain(t *testing.T) {
	first := batch(t, household)
	again := batch(t, regexp.MustCompile(`"id": "p`).ReplaceAllString(household, `"id": "q`))
	for _, f := range []export.Format{export.OFX, export.CAMT053, export.Beancount} {
		a, _ := only(t, first, f)
		if b, _ := only(t, again, f); a != b {
			t.Errorf("%s:\n%s", f, cmp.Diff(a, b))
		}
	}
}

func TestWrite_RefusesAmountsItCannotHold(t *testing.T) {
	account := func(amount string) string {
		return `[{"type": "PSD2_CHECKING_ACCOUNT", "accountId": "a", "bookedBalance": {"amount": ` + amount + `, "currency": "SEK"}, "transactions": []}]`
	}
	for amount, refused := range map[string]bool{"0.000001": true, "1234567890123456789": true, "0.100000": false, "123456789012345678": false, "0.12345": false} {
		_, _, err := export.Write(batch(t, account(amount)), export.CAMT053)
		if errors.Is(err, export.ErrAmount) != refused {
			t.Errorf("%s: %v", amount, err)
		}
	}
	if _, _, err := export.Write(batch(t, `[{"type": "ISK"}]`), export.OFX); !errors.Is(err, export.ErrNothing) {
		t.Error(err)
	}
}

// Transactions without an id get one that is the same in the next export, and two equal ones
// get two.
func TestWrite_NamesTransactionsWithoutID(t *testing.T) {
	row := `{"accountId": "a", "amount": {"amount": -5, "currency": "SEK"}, "direction": "DEBIT", "status": "BOOKED", "bookingDate": "2026-11-26"}`
	b := batch(t, `[{"type": "PSD2_CHECKING_ACCOUNT", "accountId": "a", "bookedBalance": {"amount": 1, "currency": "SEK"}, "transactions": [`+row+`, `+row+`]}]`)
	content, _ := only(t, b, export.OFX)
	ids := parsed(t, content).find("BANKMSGSRSV1", "STMTTRNRS", "STMTRS", "BANKTRANLIST", "STMTTRN", "FITID")
	if again, _ := only(t, b, export.OFX); len(ids) != 2 || ids[0].Text == ids[1].Text || again != content {
		t.Errorf("%v", ids)
	}
}

// drawn is a batch of accounts with any texts and amounts.
func drawn(t *rapid.T) string {
	amount := rapid.StringMatching(`-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,5})?`)
	anyText := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-=<>&"'\\;|\n\t\]\x00-\x{10ffff}]{150,300}`))
	var accounts []map[string]any
	for i := range rapid.IntRange(1, 3).Draw(t, "accounts") {
		rows := []map[string]any{}
		for j := range rapid.IntRange(0, 20).Draw(t, "rows") {
			value := json.Number(amount.Draw(t, "amount"))
			rows = append(rows, map[string]any{"transactionId": fmt.Sprintf("t%d-%d", i, j), "accountId": "a", "amount": map[string]any{"amount": value, "currency": "SEK"},
				"direction": map[bool]string{true: "DEBIT", false: "CREDIT"}[value[0] == '-'], "status": rapid.SampledFrom([]string{"BOOKED", "BOOKED", "PENDING"}).Draw(t, "status"),
				"bookingDate":      fmt.Sprintf("20%02d-%02d-%02d", rapid.IntRange(0, 40).Draw(t, "y"), rapid.IntRange(1, 12).Draw(t, "m"), rapid.IntRange(1, 28).Draw(t, "d")),
				"counterpartyName": anyText.Draw(t, "counterparty"), "description": anyText.Draw(t, "text")})
		}
		accounts = append(accounts, map[string]any{"id": "p", "accountId": fmt.Sprint("acc-", i), "type": rapid.SampledFrom([]string{"PSD2_CHECKING_ACCOUNT", "PSD2_CREDIT_CARD", "PSD2_SAVINGS_ACCOUNT"}).Draw(t, "type"),
			"companyDisplayName": anyText.Draw(t, "company"), "accountName": anyText.Draw(t, "name"), "accountNumber": anyText.Draw(t, "number"), "accountHolderName": anyText.Draw(t, "holder"), "currency": "SEK",
			"bookedBalance": map[string]any{"amount": json.Number(amount.Draw(t, "balance")), "currency": "SEK"}, "transactions": rows})
	}
	text, err := json.Marshal(accounts)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whatever banks write, the files are valid: the judges read some of them.
func TestWrite_IsValidWhateverBanksWrite(t *testing.T) {
	list := rapid.Custom(drawn)
	for seed := range 2 {
		b := batch(t, list.Example(seed+40))
		camt, _ := only(t, b, export.CAMT053)
		ofx, _ := only(t, b, export.OFX)
		ledger, _ := only(t, b, export.Beancount)
		t.Run(fmt.Sprint("camt", seed), func(t *testing.T) { t.Parallel(); judgeCAMT(t, []byte(camt)) })
		t.Run(fmt.Sprint("ofx", seed), func(t *testing.T) { t.Parallel(); judgeOFX(t, []byte(ofx)) })
		t.Run(fmt.Sprint("ofx2.2 ", seed), func(t *testing.T) { t.Parallel(); judgeOFXSchema(t, []byte(ofx)) })
		t.Run(fmt.Sprint("beancount", seed), func(t *testing.T) { t.Parallel(); judgeBeancount(t, ledger) })
	}
}

// Every booked amount is in the file as it was, once, and the documents are well formed.
func TestWrite_KeepsEveryAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawn(t)
		var accounts []struct {
			Transactions []struct {
				TransactionID, Status string
				Amount                struct{ Amount json.Number }
			}
		}
		if err := json.Unmarshal([]byte(text), &accounts); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for _, a := range accounts {
			for _, row := range a.Transactions {
				if row.Status == "BOOKED" {
					want[row.TransactionID] = canonical(string(row.Amount.Amount))
				}
			}
		}
		b := batchOf(t, text)
		ofx, camt := map[string]string{}, map[string]string{}
		for _, set := range [][]string{{"BANKMSGSRSV1", "STMTTRNRS", "STMTRS"}, {"CREDITCARDMSGSRSV1", "CCSTMTTRNRS", "CCSTMTRS"}} {
			for _, row := range parsed(t, contentOf(t, b, export.OFX)).find(append(set, "BANKTRANLIST", "STMTTRN")...) {
				ofx[row.text("FITID")] = canonical(row.text("TRNAMT"))
			}
		}
		for _, row := range parsed(t, contentOf(t, b, export.CAMT053)).find("BkToCstmrStmt", "Stmt", "Ntry") {
			sign := map[string]string{"DBIT": "-"}[row.text("CdtDbtInd")]
			id := row.text("NtryRef")
			camt[id] = canonical(sign + row.text("Amt"))
		}
		if diff := cmp.Diff(want, ofx); diff != "" {
			t.Fatalf("OFX: %s", diff)
		}
		for id, amount := range want {
			if got := camt[strings.ReplaceAll(id, "-", "")]; got != amount {
				t.Fatalf("CAMT: %s is %s, want %s", id, got, amount)
			}
		}
	})
}

// canonical writes a number without zeros that change nothing: -0 is 0.
func canonical(number string) string {
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	if number == "-0" {
		return "0"
	}
	return number
}

// A balance has the moment at which it was read, also where accounts were read at others.
func TestWrite_DatesEachBalance(t *testing.T) {
	b := batch(t, household)
	b.At = map[string]time.Time{"acc-cccccccccccccccccccccccccc": time.Date(2026, 10, 1, 23, 30, 0, 0, time.UTC)}
	ofx, _ := only(t, b, export.OFX)
	if got := parsed(t, ofx).text("CREDITCARDMSGSRSV1", "CCSTMTTRNRS", "CCSTMTRS", "LEDGERBAL", "DTASOF"); got != "20261001233000.000[0:GMT]" {
		t.Error(got)
	}
	camt, _ := only(t, b, export.CAMT053)
	if got := parsed(t, camt).text("BkToCstmrStmt", "Stmt", "Bal", "Dt", "DtTm"); got != "2026-11-27T07:15:49.000Z|2026-11-27T07:15:49.000Z|2026-10-01T23:30:00.000Z|2026-11-27T07:15:49.000Z" {
		t.Error(got)
	}
}
