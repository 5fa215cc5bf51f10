package source

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/jsontext"
	"samla/internal/strictjson"
)

// pageKind is the kind of the only question: a page. Its Detail is the cursor; the first
// page has none.
const pageKind = "page"

// pageSpace is the space of the request ids of pages.
var pageSpace = uuid.MustParse("5ad3d2ad-2b3c-4c0b-9d7c-6f3a4a9f1f10")

// pageID returns the request id of a page. It is the same each time, so that a page that is
// asked for again, on any node, is a repeated request.
func pageID(session, cursor string) string {
	return uuid.NewSHA1(pageSpace, []byte(session+"\x00"+cursor)).String()
}

// Start implements institution.Collector. The scope of a consent has no meaning here.
func (*Source) Start(consent.Scope, string) []institution.Question {
	return []institution.Question{{Kind: pageKind, Essential: true}}
}

// Fetch implements institution.Collector.
func (s *Source) Fetch(ctx context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	if q.Kind != pageKind {
		return institution.Answer{}, &institution.Error{Kind: institution.Refused, NotSent: true}
	}
	c := s.page(a.Session, q.Detail)
	body, err := s.exchange(ctx, c)
	if err != nil {
		return institution.Answer{}, err
	}
	if HasTooMany(body) {
		return institution.Answer{}, &institution.Error{Kind: institution.MalformedResponse, Reason: institution.AnswerTooLarge,
			HTTPStatus: http.StatusOK, RequestID: c.requestID}
	}
	return institution.Answer{Question: q, Body: body, FetchedAt: s.clock.Now()}, nil
}

// Instead implements institution.Collector: there is nothing less than a page.
func (*Source) Instead(q institution.Question, _ *institution.Error, _ time.Time) (institution.Question, bool) {
	return q, false
}

// Mapping implements institution.Collector.
func (*Source) Mapping() int { return 1 }

// Read implements institution.Collector.
func (s *Source) Read(a institution.Answer) (institution.Reading, error) {
	if a.Question.Kind != pageKind {
		return institution.Reading{}, &institution.Error{Kind: institution.Refused}
	}
	page, faults := ReadPage(a.Body, a.FetchedAt)
	if len(faults) > 0 {
		return institution.Reading{}, malformed("", faults)
	}
	reading := institution.Reading{Facts: page.Facts, Deviations: page.Deviations}
	if page.Next != "" {
		reading.Questions = []institution.Question{{Kind: pageKind, Detail: page.Next, Onward: true}}
	}
	return reading, nil
}

const (
	// maxElements is the number of elements that the lists of a page may have: more could
	// fill the memory when they are decoded.
	maxElements = 200_000
	maxProduct  = 1 << 20 // bytes of one product
	maxCursor   = 2000    // bytes
)

// The limits of all pages of a person (docs/source-protocol/README.md, Limits). Package
// collect reads no more of them.
const (
	MaxPages        = 200
	MaxBytes        = 32 << 20
	MaxProducts     = 5000
	MaxAccounts     = 1000
	MaxTransactions = 100_000
)

// HasTooMany reports whether the lists of a page have more elements than they may have.
func HasTooMany(page []byte) bool { return jsontext.HasManyElements(page, maxElements) }

type wirePage struct {
	Products []json.RawMessage `json:"products"`
	Accounts []json.RawMessage `json:"accounts"`
	Missing  []json.RawMessage `json:"missing"`
	Next     *string           `json:"next"`
}

func (p wirePage) empty() bool {
	return len(p.Products) == 0 && len(p.Accounts) == 0 && len(p.Missing) == 0 && p.Next == nil
}

// hasMember reports whether an object has one of the members, null included. An object
// without any is the answer of something else, and must not be taken for a person who has
// nothing.
func hasMember(object []byte, names ...string) bool {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(object, &members) // the caller has decoded it
	return slices.ContainsFunc(names, func(name string) bool { return members[name] != nil })
}

// ReadPage reads a page that was got at a time. One that is not of the form of a page has
// faults; what is wrong with single products and accounts is in the deviations, and in
// Problems for the authors of the source.
func ReadPage(body []byte, at time.Time) (Page, strictjson.Faults) {
	var r reader
	var in wirePage
	if !r.decode("", body, &in) {
		return Page{}, r.faults
	}
	if in.empty() && !hasMember(body, "products", "accounts", "missing", "next") {
		r.add("", "has none of products, accounts, missing and next")
		return Page{}, r.faults
	}
	page := Page{at: at}
	for i, raw := range in.Products {
		page.product(i, raw)
	}
	for i, raw := range in.Accounts {
		page.account(i, raw)
	}
	page.Missing = len(in.Missing)
	page.Deviations.Add(deviation.MissingAtSource, len(in.Missing))
	switch {
	case in.Next == nil:
	case *in.Next == "": // what many write for "no more"; nothing is missing
		page.problem("/next", deviation.UnknownValue, "must not be empty; it is absent on the last page")
	case len(*in.Next) > maxCursor:
		page.problem("/next", deviation.UnusableLink, "must have at most 2000 bytes")
	default:
		page.Next = *in.Next
	}
	return page, nil
}
