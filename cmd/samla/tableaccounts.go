package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"samla/internal/money"
	"samla/internal/product"
)

// shownTransactions is how many transactions of each product are printed.
const shownTransactions = 3

// printAccounts prints PSD2 accounts, each with its newest transactions.
func printAccounts(out io.Writer, accounts []product.Psd2Account) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PRODUCT\tNAME\tNUMBER\tBOOKED\tAVAILABLE\tTRANSACTIONS")
	for _, a := range accounts {
		number := a.IBAN
		if number == "" {
			number = a.AccountNumber
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Type, a.AccountName, number,
			amountText(a.BookedBalance), amountText(a.AvailableBalance), strconv.Itoa(len(a.Transactions)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, a := range accounts {
		fmt.Fprintf(out, "\n%s, newest transactions\n", a.AccountName)
		for i, t := range a.Transactions {
			if i == shownTransactions {
				break
			}
			date := t.BookingDate.String()
			if date == "" {
				date = "pending"
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", date, t.Amount.String(), t.CounterpartyName, t.Description)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func amountText(a *money.Amount) string {
	if a == nil {
		return "-"
	}
	return a.String()
}
