package product

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"samla/internal/money"
)

// Psd2Account is an account or card read with a PSD2 consent (docs/reference/products.md 4).
// Members that are empty or nil are unknown and left out when written, but for
// AccountID, which is always written.
type Psd2Account struct {
	Head
	AccountID           string               `json:"accountId"`
	AccountHolderName   string               `json:"accountHolderName,omitzero"`
	AccountName         string               `json:"accountName,omitzero"`
	AccountNumber       string               `json:"accountNumber,omitzero"` // may be masked
	IBAN                string               `json:"iban,omitzero"`
	BIC                 string               `json:"bic,omitzero"`
	Currency            string               `json:"currency,omitzero"`         // ISO 4217
	BookedBalance       *money.Amount        `json:"bookedBalance,omitzero"`    // of a card: negative is debt
	AvailableBalance    *money.Amount        `json:"availableBalance,omitzero"` // of a card: limit is available minus booked
	PersonalInformation *PersonalInformation `json:"personalInformation,omitzero"`
	// Transactions is nil when the consent does not cover them, and empty when
	// there are none.
	Transactions []Psd2Transaction `json:"transactions,omitzero"`
}

// Direction tells money in from money out.
type Direction string

// The directions.
const (
	Credit Direction = "CREDIT" // in
	Debit  Direction = "DEBIT"  // out
)

// DirectionOf tells the direction of a signed amount. Zero is a credit.
func DirectionOf(a money.Amount) Direction {
	if a.Sign() < 0 {
		return Debit
	}
	return Credit
}

// Signed gives the amount the sign of the direction: negative for a debit. A
// direction that is not documented leaves it as it is.
func (d Direction) Signed(a money.Amount) money.Amount {
	switch d {
	case Debit:
		return a.Abs().Neg()
	case Credit:
		return a.Abs()
	default:
		return a
	}
}

// Status tells what has happened from what is about to.
type Status string

// The statuses.
const (
	Booked  Status = "BOOKED"
	Pending Status = "PENDING"
)

// Psd2Transaction is a transaction of a Psd2Account (docs/reference/products.md 4). AccountID,
// Amount, Direction and Status are always written; members that are empty are
// unknown and left out.
type Psd2Transaction struct {
	TransactionID    string       `json:"transactionId,omitzero"`
	AccountID        string       `json:"accountId"`
	Amount           money.Amount `json:"amount"` // negative for a debit
	Direction        Direction    `json:"direction"`
	Status           Status       `json:"status"`
	BookingDate      Date         `json:"bookingDate,omitzero"`
	CreatedAt        DateTime     `json:"createdAt,omitzero"`
	CounterpartyName string       `json:"counterpartyName,omitzero"`
	Description      string       `json:"description,omitzero"`
}

// Format hides the transaction from every verb of package fmt: an account's id can
// be its IBAN.
func (t Psd2Transaction) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[transaction]") }

// LogValue hides the transaction from log/slog.
func (t Psd2Transaction) LogValue() slog.Value { return slog.StringValue("[transaction]") }

// UnmarshalJSON reads a transaction. The amount may come unsigned: the direction
// decides (docs/reference/products.md 1). A direction that is not documented follows the sign; a
// status that is not documented is pending, for it is not known to be booked.
func (t *Psd2Transaction) UnmarshalJSON(data []byte) error {
	type plain Psd2Transaction
	if err := json.Unmarshal(data, (*plain)(t)); err != nil {
		return err
	}
	t.Direction = t.direction()
	t.Amount = t.Direction.Signed(t.Amount)
	t.Status = t.status()
	return nil
}

func (t *Psd2Transaction) direction() Direction {
	if t.Direction == Credit || t.Direction == Debit {
		return t.Direction
	}
	return DirectionOf(t.Amount)
}

func (t *Psd2Transaction) status() Status {
	if t.Status == Booked {
		return Booked
	}
	return Pending
}
