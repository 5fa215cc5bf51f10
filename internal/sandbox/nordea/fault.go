package nordea

import (
	"encoding/json"
	"net/http"
	"slices"

	"samla/internal/sandbox/faults"
)

// language is what the answers consist of. The kinds of calls are paths with * for ids, such
// as "v5/accounts/*".
var language = &faults.Language{
	Deviations: []faults.Deviation{
		faults.UnknownMembers, faults.UnknownValues, faults.ManyDecimals, faults.MissingMembers, faults.WrongType, faults.CutBody, faults.Lost, faults.Slow,
		faults.Unavailable, faults.ErrorPage, faults.Maintenance, faults.TooMany,
	},
	Required: []string{
		"response", "accounts", "transactions", "cards", "_id", "account_numbers", "_type", "value", "currency", "booking_date", "status",
		"amount", "id", "access_token", "token_type", "session_id", "code", "auto_start_token", "qr_data", "continuation_key",
		"group_header", "message_pagination", "refresh_token", "expires_in", "account_id", "card_id", "scopes",
	},
	Unknown: map[string]string{"account_type": "Pension", "status": "under_review", "transaction_type": "Something new"},
	Added:   "x_future_member",
}

func init() { // the routes lead to handlers that have a switch
	language.HasKind = func(kind string) bool {
		return slices.ContainsFunc(routes, func(r route) bool { return r.path == kind })
	}
}

// Deviations returns the deviations that the bank has.
func Deviations() []faults.Deviation { return faults.New(language).Deviations() }

// refuse writes the answer of a fault with which the bank does not act, and returns its
// status. Some have a form of the bank's own.
func (c *call) refuse(w http.ResponseWriter, f faults.Fault) int {
	var own *apiError
	switch f.Deviation {
	case faults.Unavailable:
		own = scripted(http.StatusServiceUnavailable)
	case faults.TooMany:
		own = gatewayError()
	default:
		return f.Refuse(w)
	}
	status, header, body := own.answer(c)
	setHeaders(w, header, body)
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the connection is closed
	return status
}

// encode returns the JSON of a body.
func encode(v any) []byte {
	if v == nil {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil // all bodies are texts, numbers and objects of them
	}
	return text
}
