package product

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"samla/internal/money"
)

// Psd2Account is an account or card read with a PSD2 consent
// (docs/reference/products.md 4). Empty and nil members are unknown and omitted when
// written, except AccountID, which is always written.
type Psd2Account struct {
	Head
	AccountID           string               `json:"accountId" rule:"always"`
	AccountHolderName   string               `json:"accountHolderName,omitzero"`
	AccountName         string               `json:"accountName,omitzero"`
	AccountNumber       string               `json:"accountNumber,omitzero" rule:"identity"` // may be masked
	IBAN                string               `json:"iban,omitzero" rule:"identity"`
	BIC                 string               `json:"bic,omitzero"`
	Currency            string               `json:"currency,omitzero"`         // ISO 4217
	BookedBalance       *money.Amount        `json:"bookedBalance,omitzero"`    // of a card: negative is debt
	AvailableBalance    *money.Amount        `json:"availableBalance,omitzero"` // of a card: limit is available minus booked
	PersonalInformation *PersonalInformation `json:"personalInformation,omitzero"`
	// Transactions is nil if the consent does not cover transactions, and empty if
	// there are none.
	Transactions []Psd2Transaction `json:"transactions,omitzero" rule:"limit=20000"`
}

// Direction is whether a transaction brings money in or takes it out.
type Direction string

// The directions.
const (
	Credit Direction = "CREDIT" // in
	Debit  Direction = "DEBIT"  // out
)

func (Direction) documented() []string { return directions }

var directions = []string{string(Credit), string(Debit)}

// DirectionOf returns the direction of a signed amount. Zero is a credit.
func DirectionOf(a money.Amount) Direction {
	if a.Sign() < 0 {
		return Debit
	}
	return Credit
}

// Signed returns the amount with the sign of the direction: negative for a debit. An
// undocumented direction does not change the amount.
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

// Status is whether a transaction is booked or still pending.
type Status string

// The statuses.
const (
	Booked  Status = "BOOKED"
	Pending Status = "PENDING"
)

func (Status) documented() []string { return statuses }

var statuses = []string{string(Booked), string(Pending)}

// Psd2Transaction is a transaction of a Psd2Account (docs/reference/products.md 4).
// AccountID, Amount, Direction and Status are always written. Other empty members are
// unknown and omitted.
type Psd2Transaction struct {
	TransactionID    string       `json:"transactionId,omitzero"`
	AccountID        string       `json:"accountId" rule:"always"`
	Amount           money.Amount `json:"amount" rule:"required"` // negative for a debit
	Direction        Direction    `json:"direction" rule:"required"`
	Status           Status       `json:"status" rule:"required"`
	BookingDate      Date         `json:"bookingDate,omitzero"`
	CreatedAt        DateTime     `json:"createdAt,omitzero"`
	CounterpartyName string       `json:"counterpartyName,omitzero"`
	Description      string       `json:"description,omitzero"`
}

// Format hides the transaction from every verb of package fmt, because an account's
// id can be its IBAN.
func (t Psd2Transaction) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[transaction]") }

// LogValue hides the transaction from log/slog.
func (t Psd2Transaction) LogValue() slog.Value { return slog.StringValue("[transaction]") }

// UnmarshalJSON reads a transaction. The amount may lack its sign: the direction
// determines it (docs/reference/products.md 1). An undocumented direction is derived
// from the sign. An undocumented status becomes PENDING, because the transaction is
// not known to be booked.
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
