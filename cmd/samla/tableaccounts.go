package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"samla/internal/product"
)

// shownTransactions is how many transactions of each product are printed.
const shownTransactions = 3

// printAccounts prints PSD2 accounts, each with its newest transactions if it has any. The
// tables of transactions are aligned with each other.
func printAccounts(out io.Writer, accounts []product.Psd2Account) error {
	t := table{columns: []column{{head: "PRODUCT"}, {head: "NAME", most: nameWidth}, {head: "NUMBER", most: 34},
		{head: "BOOKED", right: true}, {head: "AVAILABLE", right: true}, {head: "TRANSACTIONS", right: true}}}
	var balances, rows decimals
	for _, a := range accounts {
		balances.widen(a.BookedBalance, a.AvailableBalance)
		for _, row := range shown(a) {
			rows.widen(&row.Amount)
		}
	}
	var lists []*table
	for _, a := range accounts {
		number := cmp.Or(a.IBAN, a.AccountNumber, "-")
		t.rows = append(t.rows, []string{string(a.Type), a.AccountName, number, digits(a.BookedBalance, balances.scale()),
			digits(a.AvailableBalance, balances.scale()), strconv.Itoa(len(a.Transactions))})
		lists = append(lists, newest(a, rows.scale()))
	}
	if err := t.print(out); err != nil {
		return err
	}
	align(lists)
	for i, a := range accounts {
		if len(a.Transactions) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(out, "\n%s, newest transactions\n", column{}.cut(a.AccountName)); err != nil {
			return err
		}
		if err := lists[i].print(out); err != nil {
			return err
		}
	}
	return nil
}

// shown returns the transactions of an account that are printed.
func shown(a product.Psd2Account) []product.Psd2Transaction {
	return a.Transactions[:min(len(a.Transactions), shownTransactions)]
}

// newest is a table of the first transactions, without heads.
func newest(a product.Psd2Account, scale int) *table {
	t := &table{columns: []column{{}, {right: true}, {most: nameWidth}, {most: 2 * nameWidth}}}
	for _, row := range shown(a) {
		date := row.BookingDate.String()
		if date == "" || row.Status == product.Pending {
			date = "pending"
		}
		t.rows = append(t.rows, []string{"  " + date, digits(&row.Amount, scale), row.CounterpartyName, row.Description})
	}
	return t
}
