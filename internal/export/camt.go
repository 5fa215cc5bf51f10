package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"samla/internal/jsontext"
	"samla/internal/money"
	"samla/internal/product"
)

// Lengths and digits of camt.053.001.08: Max35Text, Max70Text, Max140Text, Max500Text,
// ActiveOrHistoricCurrencyAndAmount.
const (
	camtID       = 35
	camtName     = 70
	camtText     = 140
	camtLongText = 500
	camtDigits   = 18
	camtDecimals = 5
)

// camtSpace is the namespace of the documents.
const camtSpace = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"

// writeCAMT writes a statement for each account and card. Only booked entries belong into
// this message.
func writeCAMT(b Batch) ([]File, []string, error) {
	all, notes := statements(b)
	notes = append(b.notes(), notes...)
	var kept []statement
	for _, s := range all {
		notes = append(notes, s.leftOut()...)
		if s.balance(s.BookedBalance) == nil && s.balance(s.AvailableBalance) == nil {
			notes = append(notes, s.label()+" is left out, because no balance is known, without which there is no statement in CAMT.053.")
			continue
		}
		kept = append(kept, s)
	}
	if len(kept) == 0 {
		return nil, notes, ErrNothing
	}
	c := &camt{batch: b}
	c.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	c.comment(notes)
	c.in(`Document xmlns="`+camtSpace+`"`, func() {
		c.in("BkToCstmrStmt", func() {
			c.in("GrpHdr", func() {
				c.leaf("MsgId", cut(strings.ReplaceAll(b.ID, "-", ""), camtID))
				c.leaf("CreDtTm", jsontext.Time(b.ReadAt))
			})
			for _, s := range kept {
				c.in("Stmt", func() { c.statement(s) })
			}
		})
	})
	if c.err != nil {
		return nil, notes, c.err
	}
	return []File{{b.name(".camt053.xml"), c.Bytes()}}, notes, nil
}

// camt writes one document.
type camt struct {
	tree
	batch Batch
	err   error // the first
}

// statement writes Stmt (AccountStatement9).
func (c *camt) statement(s statement) {
	id := sha256.Sum256([]byte(c.batch.ID + " " + s.AccountID))
	c.leaf("Id", hex.EncodeToString(id[:16])) // of this account in this batch
	c.leaf("CreDtTm", jsontext.Time(c.batch.ReadAt))
	c.in("Acct", func() { c.account(s) })
	c.balance("CLBD", s.balance(s.BookedBalance), s.at)
	c.balance("CLAV", s.balance(s.AvailableBalance), s.at)
	for _, e := range s.entries {
		c.in("Ntry", func() { c.entry(e) })
	}
	notes := s.leftOut()
	if c.batch.Partial {
		notes = append([]string{partialNote}, notes...)
	}
	c.leaf("AddtlStmtInf", cut(strings.Join(notes, " "), camtLongText))
}

// account writes Acct (CashAccount39).
func (c *camt) account(s statement) {
	c.in("Id", func() {
		if s.iban != "" {
			c.leaf("IBAN", s.iban)
			return
		}
		c.in("Othr", func() { c.leaf("Id", tail(s.number(), 34)) })
	})
	kinds := map[product.Type]string{product.Psd2CheckingAccount: "CACC", product.Psd2SavingsAccount: "SVGS", product.Psd2CreditCard: "CARD"}
	c.in("Tp", func() { c.leaf("Cd", kinds[s.Type]) })
	c.leaf("Ccy", s.currency)
	c.leaf("Nm", cut(oneLine(s.AccountName), camtName))
	if owner := cut(oneLine(s.AccountHolderName), camtText); owner != "" {
		c.in("Ownr", func() { c.leaf("Nm", owner) })
	}
	c.in("Svcr", func() {
		c.in("FinInstnId", func() {
			c.leaf("BICFI", s.bic)
			c.leaf("Nm", cut(oneLine(s.CompanyDisplayName), camtText))
		})
	})
}

func (c *camt) balance(code string, a *money.Amount, at time.Time) {
	if a == nil {
		return
	}
	c.in("Bal", func() {
		c.in("Tp", func() { c.in("CdOrPrtry", func() { c.leaf("Cd", code) }) })
		c.amount(*a)
		c.in("Dt", func() { c.leaf("DtTm", jsontext.Time(at)) })
	})
}

// entry writes Ntry (ReportEntry10). What kind of transaction it is is not known, which has
// a code of its own.
func (c *camt) entry(e entry) {
	c.leaf("NtryRef", cut(strings.ReplaceAll(e.id, "-", ""), camtID))
	c.amount(e.Amount)
	c.in("Sts", func() { c.leaf("Cd", "BOOK") })
	c.in("BookgDt", func() { c.leaf("Dt", e.day.String()) })
	c.in("BkTxCd", func() {
		c.in("Domn", func() {
			c.leaf("Cd", "XTND")
			c.in("Fmly", func() {
				c.leaf("Cd", "NTAV")
				c.leaf("SubFmlyCd", "NTAV")
			})
		})
	})
	name, text := cut(oneLine(e.CounterpartyName), camtText), oneLine(e.Description)
	if name == "" && text == "" {
		return
	}
	c.in("NtryDtls", func() {
		c.in("TxDtls", func() {
			c.amount(e.Amount)
			c.counterparty(name, product.DirectionOf(e.Amount))
			if text != "" {
				c.in("RmtInf", func() { c.remittance(text) })
			}
		})
	})
}

// counterparty writes who paid or was paid.
func (c *camt) counterparty(name string, d product.Direction) {
	if name == "" {
		return
	}
	party := "Cdtr"
	if d == product.Credit {
		party = "Dbtr"
	}
	c.in("RltdPties", func() { c.in(party, func() { c.in("Pty", func() { c.leaf("Nm", name) }) }) })
}

// remittance writes a text in as many pieces as it needs.
func (c *camt) remittance(text string) {
	for r := []rune(text); len(r) > 0; {
		n := min(len(r), camtText)
		c.leaf("Ustrd", string(r[:n]))
		r = r[n:]
	}
}

// amount writes Amt and CdtDbtInd. Zero is a credit.
func (c *camt) amount(a money.Amount) {
	value := a.Abs().Value()
	if value.Scale() > camtDecimals {
		value = value.Trim(0)
	}
	if (value.Scale() > camtDecimals || value.Prec() > camtDigits) && c.err == nil {
		c.err = fmt.Errorf("an amount of more than %d decimals or %d digits %w in CAMT.053", camtDecimals, camtDigits, ErrAmount)
	}
	c.leaf(`Amt Ccy="`+a.Currency()+`"`, value.String())
	indicator := "CRDT"
	if a.Sign() < 0 {
		indicator = "DBIT"
	}
	c.leaf("CdtDbtInd", indicator)
}
