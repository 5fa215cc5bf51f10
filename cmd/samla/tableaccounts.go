package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"samla/internal/money"
	"samla/internal/product"
)

// shownTransactions is how many transactions of each product are printed.
const shownTransactions = 3

// printAccounts prints PSD2 accounts, each with its newest transactions if it has any.
func printAccounts(out io.Writer, accounts []product.Psd2Account) error {
	t := table{columns: []column{{head: "PRODUCT"}, {head: "NAME", most: nameWidth}, {head: "NUMBER", most: 34},
		{head: "BOOKED", right: true}, {head: "AVAILABLE", right: true}, {head: "TRANSACTIONS", right: true}}}
	for _, a := range accounts {
		number := cmp.Or(a.IBAN, a.AccountNumber, "-")
		t.rows = append(t.rows, []string{string(a.Type), a.AccountName, number,
			amountText(a.BookedBalance), amountText(a.AvailableBalance), strconv.Itoa(len(a.Transactions))})
	}
	if err := t.print(out); err != nil {
		return err
	}
	for _, a := range accounts {
		if len(a.Transactions) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(out, "\n%s, newest transactions\n", column{}.cut(a.AccountName)); err != nil {
			return err
		}
		if err := newest(a.Transactions).print(out); err != nil {
			return err
		}
	}
	return nil
}

// newest is a table of the first transactions, without heads.
func newest(all []product.Psd2Transaction) *table {
	t := &table{columns: []column{{}, {right: true}, {most: nameWidth}, {most: 2 * nameWidth}}}
	for _, row := range all[:min(len(all), shownTransactions)] {
		date := row.BookingDate.String()
		if date == "" || row.Status == product.Pending {
			date = "pending"
		}
		t.rows = append(t.rows, []string{"  " + date, row.Amount.String(), row.CounterpartyName, row.Description})
	}
	return t
}

func amountText(a *money.Amount) string {
	if a == nil {
		return "-"
	}
	return a.String()
}
