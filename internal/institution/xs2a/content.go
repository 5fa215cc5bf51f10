package xs2a

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
)

// emptyAnswers are the answers to questions that a bank answers with 204 and no body.
var emptyAnswers = map[string]string{
	askAccounts:     `{"accounts":[]}`,
	askCards:        `{"cardAccounts":[]}`,
	askBalances:     `{"balances":[]}`,
	askTransactions: `{"transactions":{"booked":[]}}`,
}

// bareLists are what banks leave out that answer with the list itself.
var bareLists = map[string][2]string{
	askAccounts:     {`{"accounts":`, `}`},
	askCards:        {`{"cardAccounts":`, `}`},
	askBalances:     {`{"balances":`, `}`},
	askTransactions: {`{"transactions":`, `}`},
}

// longestErrorBody is more than an error has. A longer body is not searched for one.
const longestErrorBody = 16 << 10

// checkContent returns why a response with a status of success has no data:
//
//   - 202: the bank prepares the answer.
//   - An error as body: it is the same error as with its own status.
//   - A body that is not JSON, such as the page of a gateway: kind MalformedResponse.
//
// It gives a response with 204 the body of an empty answer, and puts a list that is the
// whole body where it belongs.
func (b *Bank) checkContent(resp *response, c call, q institution.Question) error {
	if resp.status == http.StatusNoContent {
		resp.body = []byte(emptyAnswers[q.Kind])
		return nil
	}
	body := bytes.TrimLeft(bytes.TrimPrefix(resp.body, utf8BOM), " \t\r\n")
	if bytes.HasPrefix(body, []byte("[")) {
		around := bareLists[q.Kind]
		body = slices.Concat([]byte(around[0]), body, []byte(around[1]))
		resp.body = body
	}
	isObject := bytes.HasPrefix(body, []byte("{"))
	isReady := resp.status != http.StatusAccepted
	if isObject && (len(body) > longestErrorBody || isReady && !mayBeError(body) || hasData(body)) {
		return nil
	}
	e := &institution.Error{Kind: institution.MalformedResponse, HTTPStatus: resp.status, RequestID: resp.requestID}
	switch status := errorStatus(body); {
	case isObject && status != 0:
		c.requestID = resp.requestID
		e := errorResponse(c, &httpclient.Response{Status: status, Header: resp.header, Body: body}, b.clock.Now())
		e.NotCounted = false // it was answered like a read
		return e
	case !isReady:
		e.Kind, e.NotCounted = institution.Preparing, true
		e.RetryAfter = httperror.RetryAfter(resp.header.Get("Retry-After"), b.clock.Now())
		return e
	case !isObject:
		return e
	}
	return nil // Read says what it lacks
}

// mayBeError reports whether a body has a name that every error has. It saves most answers
// from being decoded twice.
func mayBeError(body []byte) bool {
	for _, name := range []string{`"tppMessages"`, `"code"`, `"status"`} {
		if bytes.Contains(body, []byte(name)) {
			return true
		}
	}
	return false
}

// hasData reports whether an answer has a member that only an answer with data has.
func hasData(body []byte) bool {
	var members struct {
		Accounts         json.RawMessage `json:"accounts"`
		CardAccounts     json.RawMessage `json:"cardAccounts"`
		Balances         json.RawMessage `json:"balances"`
		Transactions     json.RawMessage `json:"transactions"`
		CardTransactions json.RawMessage `json:"cardTransactions"`
		Booked           json.RawMessage `json:"booked"`
	}
	if decode(response{body: body}, &members) != nil {
		return false
	}
	for _, raw := range []json.RawMessage{members.Accounts, members.CardAccounts, members.Balances, members.Transactions, members.CardTransactions, members.Booked} {
		if len(raw) > 0 && string(raw) != "null" {
			return true
		}
	}
	return false
}

// errorStatus returns the status of an error that came with another one: the one that the
// body has (RFC 9457 3.1.2), or 400, with which its code decides. It returns 0 for a body
// that is no error.
func errorStatus(body []byte) int {
	var e struct {
		errorBody
		Status text `json:"status"`
	}
	if decode(response{body: body}, &e) != nil {
		return 0
	}
	if status, err := strconv.Atoi(string(e.Status)); err == nil && status >= 400 && status < 600 {
		return status
	}
	if failureIn(body).code != "" {
		return http.StatusBadRequest
	}
	for _, m := range e.TPPMessages {
		if strings.EqualFold(string(m.Category), "ERROR") {
			return http.StatusInternalServerError // a code that no document has
		}
	}
	return 0
}
