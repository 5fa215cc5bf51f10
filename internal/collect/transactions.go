package collect

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"samla/internal/institution"
	"samla/internal/product"
)

// transactionsOf writes an account's rows, newest first, each once. It is never
// nil: an account that is covered and has no rows says so with an empty list.
func transactionsOf(accountID string, a account) []product.Psd2Transaction {
	rows := make([]product.Psd2Transaction, 0, len(a.transactions))
	at := make(map[string]int, len(a.transactions))
	same := map[string]int{}
	for _, t := range a.transactions {
		if a.DebitPositive {
			t.Amount = t.Amount.Neg()
		}
		row := transactionOf(accountID, t)
		if row.TransactionID == "" {
			// Equal rows are told apart by their order (docs/reference/banks.md 6.4).
			content := contentOf(row)
			same[content]++
			row.TransactionID = digest(content, same[content])
		}
		if i, seen := at[row.TransactionID]; seen {
			if rows[i].Status == product.Pending && row.Status == product.Booked {
				rows[i] = row // the bank told it twice: once more it is booked
			}
			continue
		}
		at[row.TransactionID] = len(rows)
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b product.Psd2Transaction) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.BookingDate.String(), a.BookingDate.String()))
	})
	return rows
}

// rank puts pending rows, which have no booking date yet, before booked ones.
func rank(t product.Psd2Transaction) int {
	if t.Status == product.Pending {
		return 0
	}
	return 1
}

func transactionOf(accountID string, t institution.Transaction) product.Psd2Transaction {
	row := product.Psd2Transaction{
		TransactionID: cmp.Or(t.ID, t.EntryReference), AccountID: accountID, Amount: t.Amount,
		Direction: product.DirectionOf(t.Amount), Status: product.Pending, Description: t.Text,
		CreatedAt: product.At(t.Moment),
	}
	if t.Booked {
		row.Status = product.Booked
	}
	if !t.BookingDate.IsZero() {
		row.BookingDate = product.DateOf(t.BookingDate)
	}
	row.CounterpartyName = cmp.Or(t.DebtorName, t.CreditorName)
	if row.Direction == product.Debit {
		row.CounterpartyName = cmp.Or(t.CreditorName, t.DebtorName)
	}
	return row
}

func contentOf(t product.Psd2Transaction) string {
	return t.AccountID + "\x00" + t.BookingDate.String() + "\x00" + t.Amount.String() + "\x00" + t.Description
}

// digest makes an id of a row that the bank gave none: the same row gives the
// same id in every collection, as long as the bank tells it the same way.
func digest(content string, ordinal int) string {
	sum := sha256.Sum256([]byte(content + "\x00" + strconv.Itoa(ordinal)))
	return hex.EncodeToString(sum[:16])
}
