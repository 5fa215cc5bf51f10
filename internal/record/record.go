package record

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"samla/internal/collect"
	"samla/internal/deviation"
	"samla/internal/product"
)

// Day is the day that case files assume.
var Day = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

// Player reads answers with today's mapping: collect.Rereader.
type Player interface {
	Play(ctx context.Context, all collect.Recorded) (collect.Played, error)
	Follow(all collect.Recorded, bodies [][]byte, days int) (collect.Recorded, bool)
}

// Bank is what the banks file has of a bank.
type Bank struct {
	BaseURL string          `json:"baseURL"`
	Profile json.RawMessage `json:"profile"`
}

var (
	// ErrOriginal means that no secret was found under which the case has no text of the
	// person.
	ErrOriginal = errors.New("record: a text of the person would be in the case")
	// ErrOther means that no secret was found under which the case has the same result.
	ErrOther = errors.New("record: the case has another result than the collection")
	// ErrFilter means that a case cannot say that the collection was of some accounts only.
	ErrFilter = errors.New("record: a case has no way to say that a collection is of some accounts only")
)

// Made is a case file.
type Made struct {
	Text []byte
	// ByChance is how many numbers of five to eight digits of the collection are in the case,
	// in other places than where the collection has them. Their replacements do not depend on
	// them: in a long list of amounts some number is always another one.
	ByChance int
}

const (
	tries    = 60 // secrets that are tried
	fewTries = 10 // of them for a case without a number by chance
)

// Make returns a case file: the first without a number by chance, or the one of those tried
// with the fewest. Errors: ErrOriginal, ErrOther, ErrFilter, and those of p.
func Make(ctx context.Context, p Player, all collect.Recorded, bank Bank) (best Made, err error) {
	if len(all.Collection.Filter) > 0 || len(all.Scope.AccountIDs) > 0 {
		return best, ErrFilter
	}
	before, err := p.Play(ctx, all)
	if err != nil {
		return best, err
	}
	orig := newOriginals()
	for _, a := range all.Answers {
		orig.add(a.Body)
	}
	for n := 0; n < tries && (n < fewTries || best.Text == nil); n++ {
		key := make([]byte, 32)
		if _, err = rand.Read(key); err != nil {
			return Made{}, err
		}
		var made Made
		made, err = try(ctx, p, all, bank, before, orig, key)
		switch {
		case err == nil && made.ByChance == 0:
			return made, nil
		case err == nil && (best.Text == nil || made.ByChance < best.ByChance):
			best = made
		case err == nil:
		case !errors.Is(err, ErrOther) && !errors.Is(err, ErrOriginal) || ctx.Err() != nil:
			return Made{}, err
		}
	}
	if best.Text != nil {
		return best, nil
	}
	return best, err
}

func try(ctx context.Context, p Player, all collect.Recorded, bank Bank, before collect.Played, orig *originals, key []byte) (Made, error) {
	created := all.Collection.CreatedAt.UTC()
	today := time.Date(created.Year(), created.Month(), created.Day(), 0, 0, 0, 0, time.UTC)
	r := newReplacer(key, int(Day.Sub(today)/(24*time.Hour)), bank.BaseURL)
	r.profile(bank.Profile)
	texts, here := make([]answer, len(all.Answers)), make([][]byte, len(all.Answers))
	for i, a := range all.Answers {
		if a.Refusal == nil {
			texts[i] = r.answer(a.Body)
			here[i] = []byte(strings.ReplaceAll(strings.ReplaceAll(texts[i].content(), "{host}/psd2", r.host+r.base), `"/psd2/`, `"`+r.base+`/`))
		}
	}
	moved, ok := p.Follow(all, here, r.days)
	if !ok {
		return Made{}, ErrOther
	}
	after, err := p.Play(ctx, moved)
	if err != nil || !reflect.DeepEqual(resultOf(before), resultOf(after)) {
		return Made{}, ErrOther
	}
	text, err := r.file(all, moved, texts, after, bank)
	if err != nil {
		return Made{}, err
	}
	made := Made{Text: text}
	for _, original := range orig.found(text, r.clear) {
		if !mayBeChance(original) || r.stayed[original] {
			return Made{}, ErrOriginal
		}
		made.ByChance++
	}
	return made, nil
}

// result is what a case must have in common with the collection.
type result struct {
	Types      []product.Type
	Rows       []int
	Missing    int
	Deviations deviation.Counts
}

func resultOf(p collect.Played) (r result) {
	r.Missing = len(p.Missing)
	for _, each := range p.Products {
		r.Types = append(r.Types, each.Common().Type)
		rows := -1
		if a, is := each.(*product.Psd2Account); is && a.Transactions != nil {
			rows = len(a.Transactions)
		}
		r.Rows = append(r.Rows, rows)
	}
	if len(p.Deviations) > 0 {
		r.Deviations = p.Deviations
	}
	return r
}

// answer returns a body as a case has it.
func (r *replacer) answer(body []byte) answer {
	if out, ok := r.body(body); ok {
		return answer{Body: out}
	}
	text := r.plain(body)
	if inner, marked := bytes.CutPrefix(body, []byte("\xef\xbb\xbf")); marked {
		if out, ok := r.body(inner); ok {
			text = "\ufeff" + string(out)
		}
	}
	return answer{Text: &text}
}

func (a answer) content() string {
	if a.Text != nil {
		return *a.Text
	}
	return string(a.Body)
}

// Summary says in a line what a case has.
func (m Made) Summary() string {
	var c caseFile
	_ = json.Unmarshal(m.Text, &c)
	line := fmt.Sprintf("%d answers, %d bytes, result %s with %d products", len(c.Input.Bank), len(m.Text), c.Want.Collection, len(c.Want.Products))
	if m.ByChance > 0 {
		line += fmt.Sprintf("; %d numbers of five to eight digits are in it by chance, none where it was", m.ByChance)
	}
	return line
}
