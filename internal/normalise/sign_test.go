package normalise

import (
	"testing"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/money"
)

const ownIBAN, otherIBAN = "SE4550000000058398257466", "SE3550000000054910000003"

func TestTransactions_AreNegativeForDebits(t *testing.T) {
	type row = fact.Transaction
	for _, c := range []struct {
		name          string
		debitPositive bool
		told          []row // the first is looked at
		want          string
		unclear       int
	}{
		{"a minus", false, []row{{Amount: money.Must("-89", "SEK")}}, "-89", 0},
		{"debit", false, []row{{Amount: money.Must("89", "SEK"), Direction: fact.Debit}}, "-89", 0},
		{"debit and a minus", false, []row{{Amount: money.Must("-89", "SEK"), Direction: fact.Debit}}, "-89", 0},
		{"credit", false, []row{{Amount: money.Must("89", "SEK"), Direction: fact.Credit}}, "89", 0},
		{"credit and a minus", false, []row{{Amount: money.Must("-89", "SEK"), Direction: fact.Credit}}, "89", 1},
		{"debts are positive", true, []row{{Amount: money.Must("89", "SEK")}}, "-89", 0},
		{"debts are positive, debit", true, []row{{Amount: money.Must("89", "SEK"), Direction: fact.Debit}}, "-89", 0},
		{"debts are positive, credit", true, []row{{Amount: money.Must("-89", "SEK"), Direction: fact.Credit}}, "89", 0},
		{"own debtor", false, []row{{Amount: money.Must("89", "SEK"), DebtorAccount: ownIBAN}}, "-89", 0},
		{"own debtor, national number", false, []row{{Amount: money.Must("89", "SEK"), DebtorAccount: "5839 825746-6", CreditorAccount: otherIBAN}}, "-89", 0},
		{"own debtor, without the clearing number", false, []row{{Amount: money.Must("89", "SEK"), DebtorAccount: "825 746-6"}}, "-89", 0},
		{"own creditor", false, []row{{Amount: money.Must("89", "SEK"), DebtorAccount: otherIBAN, CreditorAccount: ownIBAN}}, "89", 0},
		{"own both", false, []row{{Amount: money.Must("89", "SEK"), DebtorAccount: ownIBAN, CreditorAccount: ownIBAN}}, "89", 0},
		{"short number", false, []row{{Amount: money.Must("89", "SEK"), DebtorAccount: "7466"}}, "89", 0},
		{"own debtor, money back", false, []row{{Amount: money.Must("89", "SEK"), DebtorAccount: ownIBAN},
			{Amount: money.Must("-89", "SEK"), DebtorAccount: ownIBAN}}, "89", 0},
	} {
		var lacks deviation.Counts
		a := account{lacks: &lacks, histories: []fact.History{{Transactions: c.told}},
			Account: fact.Account{IBAN: ownIBAN, Currency: "SEK", DebitPositive: c.debitPositive}}
		rows := a.transactions("acc")
		if len(rows) != len(c.told) || !rows[0].Amount.Equal(money.Must(c.want, "SEK")) || lacks[deviation.UnclearSign] != c.unclear {
			t.Errorf("%s: %v SEK, %v", c.name, rows[0].Amount, lacks)
		}
		if (rows[0].Amount.Sign() < 0) != (rows[0].Direction == "DEBIT") {
			t.Errorf("%s: direction %s", c.name, rows[0].Direction)
		}
	}
}

func TestTransactions_HaveTheCurrencyOfTheAccount(t *testing.T) {
	bare, err := money.New(money.Must("-5", "SEK").Value(), "")
	if err != nil {
		t.Fatal(err)
	}
	for currency, want := range map[string]int{"SEK": 1, "XXX": 0, "": 0} {
		var lacks deviation.Counts
		a := account{lacks: &lacks, Account: fact.Account{Currency: currency}, histories: []fact.History{{Transactions: []fact.Transaction{{Amount: bare}}}}}
		rows := a.transactions("acc")
		if len(rows) != want || lacks[deviation.UnreadableRow] != 1-want || want == 1 && rows[0].Amount.Currency() != currency {
			t.Errorf("%q: %d rows, %v", currency, len(rows), lacks)
		}
	}
}

func TestTransactions_HaveADayWhenBooked(t *testing.T) {
	day := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	for _, row := range []fact.Transaction{{BookingDate: day, ValueDate: day.AddDate(0, 0, 1)}, {ValueDate: day}, {TransactionDate: day}} {
		row.Amount, row.Booked = money.Must("1", "SEK"), true
		if got := rowsOf([]fact.Transaction{row}); got[0].BookingDate.String() != "2026-04-01" {
			t.Errorf("booked %s", got[0].BookingDate)
		}
		row.Booked = false
		if got := rowsOf([]fact.Transaction{row}); got[0].BookingDate.IsZero() != row.BookingDate.IsZero() {
			t.Errorf("pending, booked %s", got[0].BookingDate)
		}
	}
}
