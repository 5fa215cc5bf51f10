package export

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"samla/internal/money"
	"samla/internal/product"
)

// Lengths of OFX 2.1.1, sections 3.2.8.2 and 11.3.1.
const (
	ofxNumber = 22 // ACCTID
	ofxBank   = 9  // BANKID
	ofxName   = 32
	ofxMemo   = 255
	ofxID     = 255 // FITID
	ofxAmount = 32
)

// writeOFX writes accounts as bank statements and cards as credit card statements.
func writeOFX(b Batch) ([]File, []string, error) {
	all, notes := statements(b)
	notes = append(b.notes(), notes...)
	var banks, cards []statement
	for _, s := range all {
		s, left := s.forOFX()
		notes = append(notes, left...)
		if s.balance(s.BookedBalance) == nil {
			notes = append(notes, s.label()+" is left out, because its booked balance is not known, without which there is no statement in OFX.")
			continue
		}
		if s.Type == product.Psd2CreditCard {
			cards = append(cards, s)
		} else {
			banks = append(banks, s)
		}
	}
	if len(banks)+len(cards) == 0 {
		return nil, notes, ErrNothing
	}
	o := &ofx{batch: b}
	o.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="no"?>` + "\n" +
		`<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>` + "\n")
	o.comment(notes)
	o.in("OFX", func() {
		o.in("SIGNONMSGSRSV1", func() {
			o.in("SONRS", func() {
				o.status()
				o.leaf("DTSERVER", ofxTime(b.ReadAt))
				o.leaf("LANGUAGE", "ENG")
			})
		})
		o.statements("BANKMSGSRSV1", "STMTTRNRS", "STMTRS", banks)
		o.statements("CREDITCARDMSGSRSV1", "CCSTMTTRNRS", "CCSTMTRS", cards)
	})
	if o.err != nil {
		return nil, notes, o.err
	}
	return []File{{b.name(".ofx"), o.Bytes()}}, notes, nil
}

// forOFX returns the statement without entries in another currency than the account's: OFX
// wants a rate with them.
func (s statement) forOFX() (statement, []string) {
	notes, kept := s.leftOut(), []entry(nil)
	for _, e := range s.entries {
		if e.Amount.Currency() == s.currency {
			kept = append(kept, e)
		}
	}
	if n := len(s.entries) - len(kept); n > 0 {
		notes = append(notes, fmt.Sprintf("%s: %s in another currency left out.", s.label(), counted(n, "transaction")))
	}
	s.entries = kept
	return s, notes
}

// ofx writes one document.
type ofx struct {
	tree
	batch Batch
	err   error // the first
}

func ofxTime(t time.Time) string { return t.UTC().Format("20060102150405.000") + "[0:GMT]" }

func (o *ofx) status() {
	o.in("STATUS", func() {
		o.leaf("CODE", "0")
		o.leaf("SEVERITY", "INFO")
	})
}

func (o *ofx) statements(set, transaction, response string, all []statement) {
	if len(all) == 0 {
		return
	}
	o.in(set, func() {
		for _, s := range all {
			o.in(transaction, func() {
				o.leaf("TRNUID", cut(o.batch.ID, 36))
				o.status()
				o.in(response, func() { o.statement(s) })
			})
		}
	})
}

// statement writes STMTRS or CCSTMTRS (OFX 11.4.2.2, 11.4.3.2).
func (o *ofx) statement(s statement) {
	o.leaf("CURDEF", s.currency)
	if s.Type == product.Psd2CreditCard {
		o.in("CCACCTFROM", func() { o.leaf("ACCTID", s.ofxNumber()) })
	} else {
		o.in("BANKACCTFROM", func() {
			o.leaf("BANKID", s.ofxBank())
			o.leaf("ACCTID", s.ofxNumber())
			kind := "CHECKING"
			if s.Type == product.Psd2SavingsAccount {
				kind = "SAVINGS"
			}
			o.leaf("ACCTTYPE", kind)
		})
	}
	if s.Transactions != nil {
		o.in("BANKTRANLIST", func() {
			today := product.DateOf(s.at)
			o.leaf("DTSTART", ofxDay(s.first(today)))
			o.leaf("DTEND", ofxDay(s.last(today)))
			for _, e := range s.entries {
				o.in("STMTTRN", func() { o.entry(e) })
			}
		})
	}
	o.balance("LEDGERBAL", s.balance(s.BookedBalance), s.at)
	o.balance("AVAILBAL", s.balance(s.AvailableBalance), s.at)
}

func (o *ofx) entry(e entry) {
	o.leaf("TRNTYPE", string(product.DirectionOf(e.Amount)))
	o.leaf("DTPOSTED", ofxDay(e.day))
	o.leaf("TRNAMT", o.amount(e.Amount))
	o.leaf("FITID", cut(e.id, ofxID))
	name, memo := oneLine(e.CounterpartyName), oneLine(e.Description)
	if name == "" {
		name, memo = memo, ""
	}
	if len([]rune(name)) > ofxName { // the whole of it stands in the other text
		memo = strings.TrimSuffix(name+", "+memo, ", ")
	}
	o.leaf("NAME", cut(name, ofxName))
	o.leaf("MEMO", cut(memo, ofxMemo))
}

func (o *ofx) balance(name string, a *money.Amount, at time.Time) {
	if a == nil {
		return
	}
	o.in(name, func() {
		o.leaf("BALAMT", o.amount(*a))
		o.leaf("DTASOF", ofxTime(at))
	})
}

func (o *ofx) amount(a money.Amount) string {
	text := a.Value().String()
	if len(text) > ofxAmount && o.err == nil {
		o.err = fmt.Errorf("an amount of more than %d characters %w in OFX", ofxAmount, ErrAmount)
	}
	return text
}

// ofxNumber is ACCTID: of an IBAN the part that the bank's country decides, which fits for
// most countries, or else the end of it.
func (s statement) ofxNumber() string {
	if s.iban != "" {
		return tail(s.iban[4:], ofxNumber)
	}
	return tail(s.number(), ofxNumber)
}

// ofxBank is BANKID, for which there is no rule outside of a few countries: the BIC without
// the branch, or else the company.
func (s statement) ofxBank() string {
	if s.bic != "" {
		return s.bic[:8]
	}
	return cut(cmp.Or(oneLine(s.Company), "unknown"), ofxBank)
}

// ofxDay writes a day as a date without a time (OFX 3.2.8.2).
func ofxDay(d product.Date) string {
	day, err := time.Parse(time.DateOnly, d.String())
	if err != nil {
		return ""
	}
	return day.Format("20060102")
}
