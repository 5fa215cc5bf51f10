package nordea

import (
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/institution/loose"
)

// Read implements institution.Collector.
func (b *Bank) Read(a institution.Answer) (institution.Reading, error) {
	_, isCard := ofCard(a.Question.Account)
	switch {
	case a.Question.Kind == askAccounts:
		return b.readAccounts(a)
	case a.Question.Kind == askCards:
		return b.readCards(a)
	case a.Question.Kind == askTransactions && isCard:
		return b.readCardTransactions(a)
	case a.Question.Kind == askTransactions:
		return b.readTransactions(a)
	}
	return institution.Reading{}, &institution.Error{Kind: institution.Refused}
}

// header is the group_header of an answer.
type header struct {
	Pagination struct {
		Key loose.Text `json:"continuation_key"`
	} `json:"message_pagination"`
}

// maxKey is the length of a continuation_key, in bytes: it has to fit into an address.
const maxKey = 4096

// nextPage returns the question for the page that a continuation_key leads to, or nothing.
// An answer that repeats the key that it was asked with does not lead on.
func nextPage(q institution.Question, key loose.Text, d *deviation.Counts) []institution.Question {
	m := mannerOf(q.Detail)
	switch {
	case key == "", string(key) == m.key:
		return nil
	case len(key) > maxKey:
		d.Add(deviation.UnusableLink, 1)
		return nil
	}
	m.key = string(key)
	next := q
	next.Detail, next.Onward = m.String(), true
	next.Essential = false // what the page before it has is worth having
	return []institution.Question{next}
}
