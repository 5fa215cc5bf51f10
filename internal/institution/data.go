package institution

import (
	"context"
	"time"

	"samla/internal/money"
)

// Kind says what a Query reads.
type Kind string

// The kinds of query.
const (
	Accounts     Kind = "accounts"
	Cards        Kind = "cards"
	Balances     Kind = "balances"
	Transactions Kind = "transactions"
)

// Query is one read at the bank. It is data, so that a collection can remember
// what it has read and go on from there.
type Query struct {
	Kind    Kind   `json:"kind"`
	Account string `json:"account,omitempty"` // the bank's resourceId
	Card    bool   `json:"card,omitempty"`    // Account is a card account
	// Bare: the consent does not cover balances, so that they must not be asked
	// for along with the accounts.
	Bare bool      `json:"bare,omitempty"`
	Link string    `json:"link,omitempty"` // where the bank said this can be read; empty = the standard path
	From time.Time `json:"from,omitzero"`  // first booking date, Transactions only
}

// Answer is what the bank said, as it came.
type Answer struct {
	Query     Query     `json:"query"`
	Body      []byte    `json:"body"`
	FetchedAt time.Time `json:"at"`
}

// Source reads account data: Fetch does the exchange, the Read methods
// understand the answer and are pure, so that an answer can be stored as it
// came and understood again later. Read methods are lenient: what they do not
// know they leave out; only an answer that is no answer at all is an *Error of
// kind Garbled.
type Source interface {
	// Plan says what to read first: the accounts, and the cards where the bank
	// lists them apart.
	Plan() []Query
	Fetch(ctx context.Context, a Access, q Query) (Answer, error)
	ReadAccounts(a Answer) ([]Account, error)
	ReadBalances(a Answer) ([]Balance, error)
	ReadTransactions(a Answer) (TransactionPage, error)
	// Mapping is the version of the Read methods' understanding.
	Mapping() int
}

// Account is an account or card account as a bank tells it. Empty members were
// not told.
type Account struct {
	ResourceID    string
	Card          bool // listed as a card account
	IBAN          string
	BBAN          string
	MaskedPAN     string
	BIC           string
	Currency      string // XXX for an account of several currencies
	Name          string // the bank's name for it
	DisplayName   string // the person's name for it
	Product       string
	Type          string // ISO 20022 ExternalCashAccountType1Code
	OwnerName     string
	Closed        bool // the bank says it is deleted
	DebitPositive bool // card: debts are told as positive amounts
	Balances      []Balance
	Credit        *money.Amount // credit limit
	// What the bank offers for this account; empty where the consent does not
	// cover it.
	BalancesLink     string
	TransactionsLink string
}

// BalanceKind is what a balance counts.
type BalanceKind string

// The balance kinds this server uses; a bank may tell others.
const (
	ClosingBooked    BalanceKind = "closingBooked"
	InterimBooked    BalanceKind = "interimBooked"
	OpeningBooked    BalanceKind = "openingBooked"
	Expected         BalanceKind = "expected"
	InterimAvailable BalanceKind = "interimAvailable"
	ForwardAvailable BalanceKind = "forwardAvailable"
	NonInvoiced      BalanceKind = "nonInvoiced"
)

// Balance is one balance of an account.
type Balance struct {
	Kind          BalanceKind
	Amount        money.Amount
	LimitIncluded bool      // the amount contains the credit limit
	At            time.Time // reference or change date, zero when not told
}

// TransactionPage is one page of an account's transactions.
type TransactionPage struct {
	Transactions  []Transaction
	Next          string // the Link of the following page, opaque; empty on the last
	DebitPositive bool   // card: debts are told as positive amounts
	Skipped       int    // rows that could not be understood
}

// Transaction is one row of an account. Its amount is signed as the bank signs
// it; docs/reference/banks.md 6.
type Transaction struct {
	ID             string // transactionId or cardTransactionId
	EntryReference string
	Booked         bool // false: pending
	BookingDate    time.Time
	ValueDate      time.Time
	Moment         time.Time // when the person did it, where a bank tells the time of day
	Amount         money.Amount
	CreditorName   string
	DebtorName     string
	Text           string // remittance information, one line
}
