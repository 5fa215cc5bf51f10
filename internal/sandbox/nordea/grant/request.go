package grant

// AuthorizeRequest is the body of POST decoupled/authorizations.
type AuthorizeRequest struct {
	Code         string   `json:"code"`
	Accounts     []string `json:"account_list"`
	Duration     int      `json:"duration"`
	Months       *int     `json:"max_tx_history,omitempty"`
	ResponseType string   `json:"response_type"`
	Scopes       []string `json:"scope"`
}

// RedirectRequest is the body of POST authorize.
type RedirectRequest struct {
	Country  string   `json:"country"`
	Duration int      `json:"duration"`
	Redirect string   `json:"redirect_uri"`
	Scopes   []string `json:"scope"`
	State    string   `json:"state"`
	Accounts []string `json:"account_list,omitempty"`
	Method   string   `json:"authentication_method,omitempty"`
	Language string   `json:"language,omitempty"`
	Months   *int     `json:"max_tx_history,omitempty"`
	Skip     bool     `json:"skip_account_selection,omitempty"`
	Company  string   `json:"company_id,omitempty"` // business
}

// Special values of account_list.
const (
	AllAccounts  = "ALL"
	AllWithCards = "ALL_WITH_CARDS"
)

// The scopes.
const (
	Basic            = "ACCOUNTS_BASIC"
	Balances         = "ACCOUNTS_BALANCES"
	Details          = "ACCOUNTS_DETAILS"
	Transactions     = "ACCOUNTS_TRANSACTIONS"
	Payments         = "PAYMENTS_MULTIPLE"
	Cards            = "CARDS_INFORMATION"
	CardTransactions = "CARDS_TRANSACTIONS"
)

// IsCard reports whether a scope is one of cards.
func IsCard(scope string) bool { return scope == Cards || scope == CardTransactions }
