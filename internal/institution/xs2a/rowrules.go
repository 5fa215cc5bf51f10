package xs2a

import (
	"fmt"
	"regexp"
	"slices"

	"samla/internal/fact"
	"samla/internal/strictjson"
)

// RowRules say how the bank's transactions are read where they deviate from the
// standard in a way that only the bank's documentation says.
type RowRules struct {
	// ID is the member that identifies a row: transactionId, entryReference,
	// endToEndId, or none where the bank's ids are of no use (all, in this order).
	ID string `json:"id,omitzero"`
	// Signs of amounts: standard, debitPositive (money that leaves the account is
	// positive), or debit (the bank writes no sign, and all are payments). Each
	// defaults to standard. A direction that the row says in words precedes them.
	Booked  string `json:"booked,omitzero"`
	Pending string `json:"pending,omitzero"`
	Cards   string `json:"cards,omitzero"` // all rows of cards
	// Texts are regular expressions (RE2) for the text of a row. The first that fits
	// gives the groups "counterparty" and "date" to a row that lacks them.
	Texts []string `json:"texts,omitempty"`
}

// maxExpression is the length of a regular expression of a profile, in bytes. RE2 takes
// time in proportion to it.
const (
	maxExpression   = 1000
	notAnExpression = "is not a regular expression (RE2) of at most 1000 characters"
)

const (
	signStandard      = "standard"
	signDebitPositive = "debitPositive"
	signDebit         = "debit"
)

var (
	rowIDs   = []string{"", "transactionId", "entryReference", "endToEndId", "none"}
	rowSigns = []string{"", signStandard, signDebitPositive, signDebit}
)

func (r RowRules) check() (faults strictjson.Faults) {
	if !slices.Contains(rowIDs, r.ID) {
		faults.Add("/id", `must be "transactionId", "entryReference", "endToEndId" or "none"`)
	}
	for _, sign := range []struct{ name, value string }{{"booked", r.Booked}, {"pending", r.Pending}, {"cards", r.Cards}} {
		if !slices.Contains(rowSigns, sign.value) {
			faults.Add("/"+sign.name, `must be "standard", "debitPositive" or "debit"`)
		}
	}
	_, bad := r.patterns()
	return append(faults, bad.Under("/texts")...)
}

// patterns returns the compiled texts, and a fault for each one that cannot be used.
func (r RowRules) patterns() (all []*regexp.Regexp, faults strictjson.Faults) {
	for i, text := range r.Texts {
		p, err := regexp.Compile(text)
		switch at := fmt.Sprintf("/%d", i); {
		case err != nil || len(text) > maxExpression:
			faults.Add(at, notAnExpression)
		case p.SubexpIndex("counterparty") < 0 && p.SubexpIndex("date") < 0:
			faults.Add(at, `has neither a group (?P<counterparty>...) nor (?P<date>...)`)
		default:
			all = append(all, p)
		}
	}
	return all, faults
}

var sixDigits = regexp.MustCompile(`^[0-9]{6}$`)

// rowRules are RowRules ready for use.
type rowRules struct {
	RowRules
	texts []*regexp.Regexp
}

func (r RowRules) compile() rowRules {
	texts, _ := r.patterns() // checked
	return rowRules{r, texts}
}

// apply changes a row that was read as the standard has it.
func (r rowRules) apply(row *fact.Transaction, card bool) {
	switch r.ID {
	case "transactionId":
		row.EntryReference, row.EndToEndID = "", ""
	case "entryReference":
		row.ID, row.EntryReference, row.EndToEndID = row.EntryReference, "", ""
	case "endToEndId":
		row.ID, row.EntryReference, row.EndToEndID = row.EndToEndID, "", ""
	case "none":
		row.ID, row.EntryReference, row.EndToEndID = "", "", ""
	}
	sign := r.Pending
	if row.Booked {
		sign = r.Booked
	}
	if card && r.Cards != "" {
		sign = r.Cards
	}
	if row.Direction == fact.Unsaid {
		switch {
		case sign == signDebitPositive:
			row.Amount = row.Amount.Neg()
		case sign == signDebit && row.Amount.Sign() >= 0:
			row.Direction = fact.Debit
		}
	}
	r.readText(row)
}

// readText takes the counterparty and the day of a payment from its text.
func (r rowRules) readText(row *fact.Transaction) {
	for _, pattern := range r.texts {
		found := pattern.FindStringSubmatch(row.Text)
		if found == nil {
			continue
		}
		if i := pattern.SubexpIndex("counterparty"); i >= 0 && row.CreditorName == "" && row.DebtorName == "" {
			// Which of the two is the other party depends on the direction.
			name := text(found[i]).oneLine()
			row.CreditorName, row.DebtorName = name, name
		}
		if i := pattern.SubexpIndex("date"); i >= 0 && row.TransactionDate.IsZero() {
			date := found[i]
			if sixDigits.MatchString(date) {
				date = "20" + date // YYMMDD, as in the texts of card payments
			}
			if day, ok := text(date).day(); ok {
				row.TransactionDate = day
			}
		}
		return
	}
}
