package nordea

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"samla/internal/consent"
	"samla/internal/ident"
	"samla/internal/institution"
)

// asked is what a consent was opened for. Its text is the id of the consent.
type asked struct {
	Flow         string    `json:"flow"`
	Balances     bool      `json:"balances,omitempty"`
	Transactions bool      `json:"transactions,omitempty"`
	Accounts     []string  `json:"accounts,omitempty"` // numbers; none = all that the person has, or picks
	Until        time.Time `json:"until"`              // end of the consent at the bank
	NoCards      bool      `json:"noCards,omitempty"`  // the bank is not asked for the scopes of cards
}

// separator stands between our id of the request and what was asked for.
const separator = "."

// askedBy returns what a request asks for. The consent ends with the last day that was
// requested, or when the longest consent that the bank gives ends.
func (b *Bank) askedBy(scope consent.Scope, validUntil time.Time) asked {
	a := asked{Flow: b.config.Flow, Balances: scope.Balances, Transactions: scope.Transactions, Accounts: scope.AccountIDs}
	year, month, day := validUntil.UTC().Date()
	a.Until = time.Date(year, month, day, 23, 59, 59, 0, time.UTC)
	if longest := b.clock.Now().UTC().AddDate(0, 0, b.profile.LongestConsent).Truncate(time.Second); a.Until.After(longest) {
		a.Until = longest
	}
	a.NoCards = len(b.config.CardScopes) == 0 || a.skipsSelection(b.config)
	return a
}

// id returns the id of a consent.
func (a asked) id(requestID string) (consent.RemoteID, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	return consent.RemoteID(requestID + separator + base64.RawURLEncoding.EncodeToString(text)), nil
}

// askedIn returns what the consent of an id was opened for. It is not ok for an id that
// this package has not made.
func askedIn(id consent.RemoteID) (a asked, ok bool) {
	_, encoded, ok := strings.Cut(string(id), separator)
	if !ok {
		return asked{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || json.Unmarshal(text, &a) != nil || a.Until.IsZero() {
		return asked{}, false
	}
	return a, true
}

// isOver reports whether the time that the bank was asked for is over.
func (a asked) isOver(now time.Time) bool { return !now.Before(a.Until) }

// scopes returns the scopes to ask for: those that the consent needs, and those of the
// configuration. ACCOUNTS_BASIC is always among them.
func (a asked) scopes(c Config) []string {
	scopes := []string{scopeBasic}
	add := func(wanted bool, scope string) {
		if wanted && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	add(a.Balances, scopeBalances)
	add(a.Transactions, scopeTransactions)
	for _, s := range *c.Scopes {
		// A consent without transactions must not give them, whatever the configuration.
		add((s != scopeBalances || a.Balances) && (s != scopeTransactions || a.Transactions), s)
	}
	for _, s := range c.CardScopes {
		add(!a.skipsSelection(c) && (s != scopeCardRows || a.Transactions), s)
	}
	return scopes
}

// skipsSelection reports whether the page of the bank does not ask which accounts: the
// person has picked them before. The bank gives no cards then.
func (a asked) skipsSelection(c Config) bool {
	return a.Flow == redirect && (c.SkipAccountSelection || len(a.Accounts) > 0)
}

// months returns max_tx_history, which is only for a consent with transactions.
func (a asked) months(c Config) int {
	if !a.Transactions {
		return 0
	}
	return c.Profile.HistoryMonths
}

// minutes returns the duration to ask for at the time now.
func (a asked) minutes(now time.Time) int {
	return max(1, int(a.Until.Sub(now)/time.Minute))
}

// What stands in account_list for every account, and with the cards where the person does
// not pick them (docs/reference/families.md 3.4).
const (
	allAccounts  = "ALL"
	allWithCards = "ALL_WITH_CARDS"
)

// accountList returns account_list: the numbers of the accounts that were asked for.
func (a asked) accountList(c Config) []string {
	switch {
	case len(a.Accounts) == 0 && len(c.CardScopes) > 0 && a.Flow == decoupled:
		return []string{allWithCards}
	case len(a.Accounts) == 0:
		return []string{allAccounts}
	}
	list := make([]string, len(a.Accounts))
	for i, id := range a.Accounts {
		list[i] = localNumber(id)
	}
	return list
}

// namesAll reports whether the bank gives every account of the person, without asking
// which.
func (a asked) namesAll(c Config) bool {
	return len(a.Accounts) == 0 && (a.Flow == decoupled || c.SkipAccountSelection)
}

// ibanPrefix is how many characters of an IBAN stand before the number of the account in
// the countries where Nordea's number is another one (ISO 13616): a Swedish one has the
// code of the bank, and zeros, before it.
var ibanPrefix = map[string]int{"SE": 7, "NO": 4, "DK": 4}

// localNumber returns the number that Nordea lists an account by (docs/reference/families.md
// 3.4): the domestic one of a Swedish, Norwegian or Danish IBAN, else the id as it is.
func localNumber(id string) string {
	iban, err := ident.ParseIBAN(id)
	if err != nil {
		return strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(id))
	}
	compact := iban.Compact()
	skip := ibanPrefix[compact[:2]]
	if skip == 0 {
		return compact
	}
	number := compact[skip:]
	if compact[:2] == "SE" {
		for len(number) > leastSwedish && number[0] == '0' {
			number = number[1:]
		}
	}
	return number
}

// leastSwedish is the length of the shortest Swedish number of Nordea: that of a personkonto,
// which can begin with zeros and has no clearing number (docs/reference/banks.md 14.3).
const leastSwedish = 10

// stateAt is the state of a consent of which the bank has said nothing.
func (a asked) stateAt(now time.Time) institution.ConsentState {
	if a.isOver(now) {
		return institution.ConsentExpired
	}
	return institution.ConsentPending
}
