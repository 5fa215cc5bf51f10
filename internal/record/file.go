package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"samla/internal/collect"
	"samla/internal/institution"
	"samla/internal/money"
	"samla/internal/product"
)

// caseFile is the form of test/cases/testdata/README.md.
type caseFile struct {
	Case     string `json:"case"`
	Concerns string `json:"concerns"`
	Input    input  `json:"input"`
	Expect   string `json:"expect"`
	Want     want   `json:"want"`
}

type input struct {
	Do     []string                   `json:"do"`
	Scope  map[string]bool            `json:"scope,omitempty"`
	Config map[string]json.RawMessage `json:"config,omitempty"`
	Bank   []answer                   `json:"bank"`
}

type answer struct {
	Ask    string            `json:"ask"`
	If     map[string]string `json:"if,omitempty"`
	Status int               `json:"status,omitempty"`
	Body   json.RawMessage   `json:"body,omitempty"`
	Text   *string           `json:"text,omitempty"`
}

type want struct {
	Collection string           `json:"collection"`
	Products   []map[string]any `json:"products"`
}

// mostRows is how many transactions are wanted by their members. Of longer lists only the
// length is wanted.
const mostRows = 60

// file writes the case: moved are the answers in their new place, texts the bodies of all.
func (r *replacer) file(all, moved collect.Recorded, texts []answer, played collect.Played, bank Bank) ([]byte, error) {
	c := caseFile{Case: "A recorded collection. Say here what the bank does.", Concerns: "recorded",
		Expect: string(all.Collection.Status) + ", with the products that the recorded collection has",
		Want:   want{Collection: string(all.Collection.Status), Products: []map[string]any{}}}
	c.Input.Do = []string{"collect"}
	if !all.Collection.Attended {
		c.Input.Do = []string{"collect unattended"}
	}
	if s := all.Scope; !s.Balances || !s.Transactions {
		c.Input.Scope = map[string]bool{"balances": s.Balances, "transactions": s.Transactions}
	}
	if len(bank.Profile) > 0 {
		c.Input.Config = map[string]json.RawMessage{"profile": standardSigning(bank.Profile)}
	}
	byBody := map[string]answer{}
	for i, t := range texts {
		byBody[strings.ReplaceAll(strings.ReplaceAll(t.content(), "{host}/psd2", r.host+r.base), `"/psd2/`, `"`+r.base+`/`)] = texts[i]
	}
	for _, a := range moved.Answers {
		said := answer{}
		if a.Refusal != nil {
			said = refusal(a.Refusal)
		} else {
			said = byBody[string(a.Body)]
		}
		said.Ask, said.If = asked(a.Question, bank)
		c.Input.Bank = append(c.Input.Bank, said)
	}
	// The bank gave no answer, or none that can be read. Which it was is not stored.
	for _, q := range played.Missing {
		a := answer{Status: http.StatusInternalServerError, Body: json.RawMessage("{}")}
		a.Ask, a.If = asked(q, bank)
		c.Input.Bank = append(c.Input.Bank, a)
	}
	for _, p := range played.Products {
		c.Want.Products = append(c.Want.Products, pattern(p))
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(c)
	return out.Bytes(), err
}

// standardSigning returns a profile without the paths of the signing, which is that of all
// cases.
func standardSigning(profile json.RawMessage) json.RawMessage {
	var all map[string]json.RawMessage
	var paths map[string]json.RawMessage
	if json.Unmarshal(profile, &all) != nil || json.Unmarshal(all["paths"], &paths) != nil {
		return profile
	}
	delete(paths, "consents")
	delete(paths, "authorisations")
	all["paths"], _ = json.Marshal(paths)
	text, err := json.Marshal(all)
	if err != nil {
		return profile
	}
	return text
}

// refusal is the answer of a bank that refuses a question. Of its text only the code stays.
func refusal(e *institution.Error) answer {
	message := map[string]string{"category": "ERROR", "code": "FORMAT_ERROR"}
	if codes[strings.ToLower(e.Code)] {
		message["code"] = e.Code
	}
	if parameters[strings.ToLower(e.Parameter)] {
		message["path"] = e.Parameter
	}
	body, _ := json.Marshal(map[string]any{"tppMessages": []any{message}}) // strings only
	switch {
	case e.Code != "":
	case message["path"] != "":
		body, _ = json.Marshal(map[string]string{"message": e.Parameter + " is not allowed"})
	default:
		body = []byte("{}")
	}
	return answer{Status: cmp.Or(e.HTTPStatus, http.StatusBadRequest), Body: body}
}

// asked returns the request of a question, and the parameters that tell a page from others.
func asked(q institution.Question, bank Bank) (string, map[string]string) {
	address := q.Link
	if address == "" {
		address = "/" + firstPath(q.Kind, bank)
	}
	path, query, _ := strings.Cut(address, "?")
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	conditions := map[string]string{}
	if strings.Contains(q.Detail, "page") {
		values, _ := url.ParseQuery(query)
		for name := range values {
			if value := values.Get(name); value != "" { // an empty condition means that there is none
				conditions[name] = value
			}
		}
	}
	if q.Until != "" && len(conditions) == 0 {
		conditions["dateTo"] = q.Until
	}
	return "GET " + path, conditions
}

// firstPath returns the path of a list.
func firstPath(kind string, bank Bank) string {
	var profile struct {
		Cards *string `json:"cards"`
		Paths struct{ Accounts, Cards string }
	}
	_ = json.Unmarshal(bank.Profile, &profile)
	if kind == "accounts" {
		return cmp.Or(profile.Paths.Accounts, "v1/accounts")
	}
	cards := "card-accounts"
	if profile.Cards != nil {
		cards = *profile.Cards
	}
	return cmp.Or(profile.Paths.Cards, "v1/"+cards)
}

// pattern is what is wanted of a product.
func pattern(p product.Product) map[string]any {
	want := map[string]any{"type": string(p.Common().Type)}
	a, is := p.(*product.Psd2Account)
	if !is {
		return want
	}
	if a.BookedBalance != nil {
		want["bookedBalance"] = amountOf(*a.BookedBalance)
	}
	if a.Transactions == nil {
		return want
	}
	rows := make([]map[string]any, len(a.Transactions))
	for i, t := range a.Transactions {
		rows[i] = map[string]any{}
		if len(rows) <= mostRows {
			rows[i]["status"], rows[i]["amount"] = string(t.Status), amountOf(t.Amount)
		}
	}
	want["transactions"] = rows
	return want
}

func amountOf(a money.Amount) any {
	text := a.Value().String() + " " + a.Currency()
	if a.Currency() == "" {
		return map[string]any{"amount": json.Number(a.Value().String())}
	}
	return text
}
