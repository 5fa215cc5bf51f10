package collect

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"samla/internal/institution"
)

var packedAt = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func TestPacked_KeepsAnswers(t *testing.T) {
	q := institution.Question{Kind: "transactions", Account: "a\nb", Link: "/v1/x?y={1}"}
	for name, a := range map[string]institution.Answer{
		"small":   {Question: q, Body: []byte(`{"a":"` + "\n" + `"}`), FetchedAt: packedAt},
		"empty":   {Question: q, FetchedAt: packedAt},
		"large":   {Question: q, Body: bytes.Repeat([]byte("row\n"), 1<<18), FetchedAt: packedAt},
		"refused": {Question: q, FetchedAt: packedAt, Refusal: &institution.Error{Kind: institution.Refused, HTTPStatus: 400}},
	} {
		p, err := pack(a)
		if err != nil {
			t.Fatal(name, err)
		}
		if name == "large" && len(p) > len(a.Body)/20 {
			t.Errorf("a large answer takes %d bytes", len(p))
		}
		checkPacked(t, name, p, a)
		old, err := json.Marshal(a) // as the release before wrote it
		if err != nil {
			t.Fatal(err)
		}
		checkPacked(t, name+", old form", old, a)
	}
}

func checkPacked(t *testing.T, name string, p packed, want institution.Answer) {
	t.Helper()
	got, err := p.unpack()
	if err != nil || got.Question != want.Question || !bytes.Equal(got.Body, want.Body) || !got.FetchedAt.Equal(want.FetchedAt) ||
		(got.Refusal == nil) != (want.Refusal == nil) || got.Refusal != nil && *got.Refusal != *want.Refusal {
		t.Errorf("%s: got %+v, %v", name, got, err)
	}
	if q, err := p.question(); err != nil || q != want.Question || p.size() != len(want.Body) {
		t.Errorf("%s: question %+v, %v; %d bytes", name, q, err, p.size())
	}
}

func FuzzPacked(f *testing.F) {
	for _, body := range []string{"", "{}", string(bytes.Repeat([]byte("x"), smallData+1))} {
		p, err := pack(institution.Answer{Question: institution.Question{Kind: "accounts"}, Body: []byte(body), FetchedAt: packedAt})
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(p))
	}
	f.Add([]byte(`{"question":{"kind":"accounts"},"body":"e30="}`))
	f.Add([]byte("\x02{}\nnot gzip"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := packed(data).unpack()
		if err != nil {
			return
		}
		again, err := pack(a)
		if err != nil {
			t.Fatal(err)
		}
		checkPacked(t, "packed again", again, a)
	})
}
