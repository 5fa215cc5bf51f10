package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"samla/internal/apiclient"
	"samla/internal/export"
	"samla/internal/money"
	"samla/internal/product"
)

// accountsCmd works with lasting accounts (docs/reference/api.md 11, 12).
type accountsCmd struct {
	List         accountsListCmd         `cmd:"" help:"List the accounts of a user: one row for each, over all collections and companies."`
	Transactions accountsTransactionsCmd `cmd:"" help:"Show the transactions of an account, the newest first."`
	Export       accountsExportCmd       `cmd:"" help:"Write the accounts of a user with all their transactions to files, for bookkeeping."`
	Merge        accountsMergeCmd        `cmd:"" help:"Say that two accounts are one."`
	Split        accountsSplitCmd        `cmd:"" help:"Say that a link of an account is another account."`
	Delete       accountsDeleteCmd       `cmd:"" help:"Delete an account with its transactions."`
}

type accountsListCmd struct {
	apiFlags
	jsonFlag
	userFlag
}

type accountFlags struct {
	apiFlags
	Account string `arg:"" help:"Id of the account, from samla accounts list."`
}

type accountsTransactionsCmd struct {
	accountFlags
	JSON  bool `help:"Print the transactions as JSON, in the form of docs/reference/products.md 4."`
	Limit int  `default:"50" help:"How many, at most; all with --json."`
}

type accountsExportCmd struct {
	apiFlags
	userFlag
	Account []string        `placeholder:"ID" help:"Only these accounts."`
	Out     string          `required:"" type:"path" placeholder:"DIR" help:"Directory of the files."`
	Format  []export.Format `required:"" enum:"csv,ofx,camt053,beancount" placeholder:"FORMAT" help:"csv, ofx, camt053 or beancount; several with commas."`
}

type accountsMergeCmd struct {
	accountFlags
	jsonFlag
	With string `arg:"" help:"Id of the account that is the same; its id ends."`
}

type accountsSplitCmd struct {
	accountFlags
	jsonFlag
	Link string `arg:"" help:"Id of the link, from samla accounts list --json."`
}

type accountsDeleteCmd struct {
	accountFlags
	Yes bool `short:"y" help:"Do not ask."`
}

// accountRow is a lasting account.
type accountRow struct {
	ID          string       `json:"accountId"`
	Type        product.Type `json:"type"`
	Company     string       `json:"company"`
	DisplayName string       `json:"companyDisplayName"`
	Name        string       `json:"name"`
	Number      string       `json:"number"`
	IBAN        string       `json:"iban"`
	BIC         string       `json:"bic"`
	Currency    string       `json:"currency"`
	State       string       `json:"state"`
	Balances    []struct {
		Kind   string       `json:"kind"`
		Amount money.Amount `json:"amount"`
	} `json:"balances"`
	BalancesAt *time.Time `json:"balancesAt"`
}

// balance returns a balance of a kind; nil: unknown.
func (r accountRow) balance(kind string) *money.Amount {
	for _, b := range r.Balances {
		if b.Kind == kind {
			return &b.Amount
		}
	}
	return nil
}

// Run lists the accounts of a user.
func (c *accountsListCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	data, err := accountsOf(a.ctx, api, c.User)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(data)
	}
	return showAccounts(a, data)
}

func accountsOf(ctx context.Context, api *apiclient.Client, user string) (json.RawMessage, error) {
	id, err := userID(ctx, api, user)
	if err != nil {
		return nil, err
	}
	return api.Get(ctx, "", path("/users/", id, "/accounts"), nil)
}

func showAccounts(a *app, data json.RawMessage) error {
	var all []accountRow
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	var d decimals
	for _, r := range all {
		for _, b := range r.Balances {
			d.widen(&b.Amount)
		}
	}
	columns := []column{{head: "ACCOUNT"}, {head: "COMPANY"}, {head: "TYPE"}, {head: "NAME", most: nameWidth}, {head: "NUMBER", most: 34},
		{head: "BOOKED", right: true}, {head: "AVAILABLE", right: true}, {head: "STATE"}}
	return show(a, false, data, columns, func(r accountRow) []string {
		value := r.balance("BOOKED")
		if value == nil && len(r.Balances) > 0 && r.Balances[0].Kind != "AVAILABLE" {
			value = &r.Balances[0].Amount
		}
		return []string{r.ID, r.Company, string(r.Type), r.Name, cmp.Or(r.IBAN, r.Number, "-"), digits(value, d.scale()), digits(r.balance("AVAILABLE"), d.scale()), r.State}
	}, "the user has no account yet: samla collect reads some")
}

// lasting is a transaction of a lasting account: as products have it, with its own id.
type lasting struct {
	ID string `json:"id"`
	product.Psd2Transaction
}

// UnmarshalJSON reads both parts.
func (l *lasting) UnmarshalJSON(data []byte) error {
	var own struct {
		ID string `json:"id"`
	}
	if err := errors.Join(json.Unmarshal(data, &own), json.Unmarshal(data, &l.Psd2Transaction)); err != nil {
		return err
	}
	l.ID = own.ID
	return nil
}

// day is the day by which transactions are ordered. A pending one is the newest.
func (l lasting) day() string {
	if l.Status == product.Pending {
		return "9999"
	}
	return cmp.Or(l.BookingDate.String(), l.CreatedAt.String())
}

// feed returns the transactions of an account as they are now, and as the API has them.
func feed(ctx context.Context, api *apiclient.Client, token, account string) (all []lasting, raw []json.RawMessage, err error) {
	type page struct {
		Added, Modified []json.RawMessage
		Removed         []string
		NextCursor      string
		HasMore         bool
	}
	rows := map[string]json.RawMessage{}
	query := url.Values{"limit": {"1000"}}
	for more := true; more; {
		data, err := api.Get(ctx, token, path("/accounts/", account, "/transactions"), query)
		if err != nil {
			return nil, nil, err
		}
		var p page
		if err := json.Unmarshal(data, &p); err != nil {
			return nil, nil, err
		}
		for _, row := range slices.Concat(p.Added, p.Modified) {
			var named struct{ ID string }
			if err := json.Unmarshal(row, &named); err != nil {
				return nil, nil, err
			}
			rows[named.ID] = row
		}
		for _, id := range p.Removed {
			delete(rows, id)
		}
		query.Set("cursor", p.NextCursor)
		more = p.HasMore && p.NextCursor != ""
	}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		var l lasting
		if err := json.Unmarshal(rows[id], &l); err != nil {
			return nil, nil, err
		}
		all = append(all, l)
	}
	slices.SortStableFunc(all, func(a, b lasting) int { return strings.Compare(b.day(), a.day()) })
	for _, l := range all {
		raw = append(raw, rows[l.ID])
	}
	return all, raw, nil
}

// lastingIDs returns the lasting ids of all transactions of a user, by their transactionId.
func lastingIDs(ctx context.Context, api *apiclient.Client, user string) (map[string]string, error) {
	data, err := accountsOf(ctx, api, user)
	if err != nil {
		return nil, err
	}
	var all []accountRow
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, r := range all {
		if !isPsd2(r.Type) {
			continue
		}
		rows, _, err := feed(ctx, api, "", r.ID)
		if err != nil {
			return nil, err
		}
		for _, l := range rows {
			ids[l.TransactionID] = l.ID
		}
	}
	return ids, nil
}

// Run shows the transactions of an account.
func (c *accountsTransactionsCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	all, raw, err := feed(a.ctx, api, "", c.Account)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(list(raw))
	}
	if len(all) == 0 {
		fmt.Fprintln(a.err, "no transaction of the account is known")
		return nil
	}
	shown := all[:min(len(all), c.Limit)]
	var d decimals
	for _, l := range shown {
		d.widen(&l.Amount)
	}
	t := table{columns: []column{{head: "DATE"}, {head: "AMOUNT", right: true}, {head: "COUNTERPARTY", most: nameWidth}, {head: "DESCRIPTION", most: 2 * nameWidth}}}
	for _, l := range shown {
		date := l.BookingDate.String()
		if date == "" || l.Status == product.Pending {
			date = "pending"
		}
		t.rows = append(t.rows, []string{date, digits(&l.Amount, d.scale()), l.CounterpartyName, l.Description})
	}
	if err := t.print(a.out); err != nil {
		return err
	}
	if len(all) > len(shown) {
		fmt.Fprintf(a.err, "%d of %d shown: --limit %d shows all\n", len(shown), len(all), len(all))
	}
	return nil
}

// Validate reports a limit that shows nothing.
func (c *accountsTransactionsCmd) Validate() error { return checkLimit(c.Limit) }

// Run writes accounts to files, those of each company together.
func (c *accountsExportCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	data, err := accountsOf(a.ctx, api, c.User)
	if err != nil {
		return err
	}
	var all []accountRow
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for _, id := range c.Account {
		if !slices.ContainsFunc(all, func(r accountRow) bool { return r.ID == id }) {
			return fmt.Errorf("the user has no account %s: samla accounts list shows those that there are", plain(id))
		}
	}
	batches := map[string]*export.Batch{}
	others := 0
	for _, r := range all {
		if len(c.Account) > 0 && !slices.Contains(c.Account, r.ID) {
			continue
		}
		if !isPsd2(r.Type) {
			others++
			continue
		}
		b := batches[r.Company]
		if b == nil {
			b = &export.Batch{ID: r.ID, Company: r.Company, At: map[string]time.Time{}}
			batches[r.Company] = b
		}
		if err := r.addTo(a.ctx, api, b); err != nil {
			return err
		}
	}
	if len(batches) == 0 {
		return errors.New("the user has no bank account or card: samla collect reads some; the products of other institutions are written by samla collections data")
	}
	if others > 0 {
		fmt.Fprintf(a.err, "%s left out, no bank account or card: samla collections data writes the products of all institutions\n", counted(others, "account"))
	}
	for _, company := range slices.Sorted(maps.Keys(batches)) {
		if err := writeFiles(a, c.Out, *batches[company], c.Format); err != nil {
			return err
		}
	}
	return nil
}

func isPsd2(t product.Type) bool {
	return t == product.Psd2CheckingAccount || t == product.Psd2SavingsAccount || t == product.Psd2CreditCard
}

// addTo adds an account with its transactions to a batch. A transaction is known by its
// lasting id.
func (r accountRow) addTo(ctx context.Context, api *apiclient.Client, b *export.Batch) error {
	rows, _, err := feed(ctx, api, "", r.ID)
	if err != nil {
		return err
	}
	p := &product.Psd2Account{Head: product.Head{ID: r.ID, Type: r.Type, Company: r.Company, CompanyDisplayName: r.DisplayName}, AccountID: r.ID,
		AccountName: r.Name, AccountNumber: r.Number, IBAN: r.IBAN, BIC: r.BIC, Currency: r.Currency, BookedBalance: r.balance("BOOKED"), AvailableBalance: r.balance("AVAILABLE")}
	for _, l := range rows {
		t := l.Psd2Transaction
		t.TransactionID = l.ID
		p.Transactions = append(p.Transactions, t)
	}
	if r.BalancesAt != nil {
		b.At[r.ID] = *r.BalancesAt
		if r.BalancesAt.After(b.ReadAt) {
			b.ReadAt = *r.BalancesAt
		}
	}
	b.Products = append(b.Products, p)
	return nil
}

// Run merges two accounts.
func (c *accountsMergeCmd) Run(a *app) error {
	return c.change(a, c.JSON, "/merge", map[string]string{"with": c.With}, "merged")
}

// Run splits a link from an account.
func (c *accountsSplitCmd) Run(a *app) error {
	return c.change(a, c.JSON, "/split", map[string]string{"linkId": c.Link}, "split")
}

// change changes which accounts are one.
func (f accountFlags) change(a *app, asJSON bool, what string, body any, done string) error {
	api, err := f.api()
	if err != nil {
		return err
	}
	data, err := api.Send(a.ctx, "POST", "", path("/accounts/", f.Account, what), body)
	if err != nil || asJSON {
		return errorsOr(err, func() error { return a.printJSON(data) })
	}
	_, err = fmt.Fprintf(a.out, "%s %s; readers of its transactions start again\n", done, plain(f.Account))
	return err
}

// Run deletes an account.
func (c *accountsDeleteCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	if err := a.confirm(c.Yes, fmt.Sprintf("Delete the account %s with its transactions?", plain(c.Account))); err != nil {
		return err
	}
	if _, err := api.Send(a.ctx, "DELETE", "", path("/accounts/", c.Account, ""), nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "deleted %s\n", plain(c.Account))
	return err
}
