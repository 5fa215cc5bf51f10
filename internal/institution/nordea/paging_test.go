package nordea_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/institution"
)

// However the bank cuts a history into pages, and whatever its keys are, each row is read
// once and the questions come to an end: also where a key leads back.
func TestPaging_ReadsEachRowOnceAndEnds(t *testing.T) {
	b := newReader(t)
	rapid.Check(t, func(t *rapid.T) {
		account := rapid.SampledFrom([]string{"account/1", "card/1"}).Draw(t, "account")
		pages := rapid.IntRange(1, 6).Draw(t, "pages")
		keys := rapid.SliceOfNDistinct(rapid.StringMatching(`[ -~åäö&=%+/]{1,12}`), pages, pages, rapid.ID[string]).Draw(t, "keys")
		back := rapid.IntRange(-1, pages-1).Draw(t, "back") // the last page leads to this one; -1: nowhere
		sizes := rapid.SliceOfN(rapid.IntRange(0, 3), pages, pages).Draw(t, "sizes")
		var want, got []string
		answers := map[string]string{} // by the key that it is asked with
		for i := range pages {
			next := ""
			switch {
			case i < pages-1:
				next = keys[i+1]
			case back > 0:
				next = keys[back]
			}
			var page []string
			for j := range sizes[i] {
				id := fmt.Sprintf("t-%d-%d", i, j)
				want = append(want, id)
				page = append(page, fmt.Sprintf(`{"transaction_id":%[1]q,"id":%[1]q,"booking_date":"2026-11-19","status":"billed","amount":1,"currency":"SEK"}`, id))
			}
			at := ""
			if i > 0 {
				at = keys[i]
			}
			answers[at] = pageBody(account, strings.Join(page, ","), next)
		}
		asked := map[institution.Question]bool{}
		questions := []institution.Question{transactions(account)}
		for len(questions) > 0 {
			q := questions[0]
			questions = questions[1:]
			if asked[q] {
				continue // as package collect does: an answer that leads back does not lead on
			}
			if asked[q] = true; len(asked) > pages {
				t.Fatalf("%d questions for %d pages", len(asked), pages)
			}
			key := keyOf(q)
			body, there := answers[key]
			if !there {
				t.Fatalf("asks for the page %q", key)
			}
			r, err := b.Read(institution.Answer{Question: q, Body: []byte(body), FetchedAt: noon})
			if err != nil || len(r.Deviations) != 0 {
				t.Fatalf("%v %v", r.Deviations, err)
			}
			for _, row := range r.Facts.Histories[0].Transactions {
				got = append(got, row.ID)
			}
			for _, next := range r.Questions {
				if next.Account != q.Account || next.From != q.From || next.Needs != q.Needs || !next.Onward || next.Essential {
					t.Fatalf("%+v after %+v", next, q)
				}
			}
			questions = append(questions, r.Questions...)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("read %v, want %v", got, want)
		}
	})
}

func pageBody(account, rows, next string) string {
	if strings.HasPrefix(account, "card/") {
		return fmt.Sprintf(`{"group_header":{"http_code":200},"response":{"continuation_key":%s,"transactions":[%s]}}`, quoted(next), rows)
	}
	return fmt.Sprintf(`{"group_header":{"http_code":200,"message_pagination":{"continuation_key":%s}},"response":{"transactions":[%s]}}`, quoted(next), rows)
}

func quoted(s string) string {
	if s == "" {
		return "null"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
