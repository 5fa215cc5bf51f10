package xs2a

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"samla/internal/clock"
	"samla/internal/institution"
)

// failureIn returns only documented codes: anything else could be a personal number
// on its way into a log.
func FuzzErrorBody(f *testing.F) {
	f.Add([]byte(`{"tppMessages":[{"category":"ERROR","code":"CONSENT_EXPIRED"}]}`))
	f.Add([]byte(`{"type":"x","code":"NO","additionalErrors":{"code":"FORMAT_ERROR"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		code := failureIn(body).code
		if _, known := kindsByCode[code]; !known && code != "" {
			t.Errorf("an undocumented code")
		}
	})
}

func FuzzReadConsent(f *testing.F) {
	f.Add([]byte(`{"access":{"accounts":[{"iban":"SE4550000000058398257466"}],"balances":[]},"validUntil":"2027-05-21","consentStatus":"valid"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		info, err := readConsent(response{body: body})
		if err != nil && institution.KindOf(err) != institution.MalformedResponse {
			t.Error(err)
		}
		if info.Scope == nil {
			return
		}
		for _, id := range info.Scope.AccountIDs {
			if id == "" {
				t.Error("a grant for no account")
			}
		}
	})
}

func FuzzReadAuthorisation(f *testing.F) {
	f.Add([]byte(`{"scaStatus":"received","authorisationId":"a","hintCode":"started","psuMessage":"x",
		"challengeData":{"data":["67df3917-fa0d-44e5-b327-edcc928297f8","bankid.x"],"image":"iVBORw0KGgo="}}`))
	f.Add([]byte(`{"scaStatus":"failed","tppMessage":[{"code":"PSU_CREDENTIALS_INVALID"}]}`))
	profile := Profile{}.withDefaults()
	b := &Bank{wire: profile.wire(), clock: clock.NewManual(time.Unix(0, 0))}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := documentOf(response{body: body})
		a := b.authorisation(d, response{}, "sv-SE", true)
		if err != nil {
			if institution.KindOf(err) != institution.MalformedResponse {
				t.Error(err)
			}
			return
		}
		if (a.State == institution.AuthorizationFailed) != (a.Failure != "") {
			t.Errorf("state %d with failure %q", a.State, a.Failure)
		}
		if i := a.Instructions; i != nil && (a.State != institution.AuthorizationPending ||
			i.AutoStartToken != "" && !isToken(i.AutoStartToken) || i.QRImage != "" && pngBase64(i.QRImage) != i.QRImage || i.QRData != "" && !strings.HasPrefix(i.QRData, "bankid.") ||
			len(i.UserMessage.Text) > 4*maxMessage) {
			t.Errorf("state %d with instructions %+v", a.State, i)
		}
	})
}

// What repair returns is JSON, and JSON stays as it is.
func FuzzRepair(f *testing.F) {
	for _, s := range []string{`{"a":NaN,"b":[1,],}`, "{\"a\":\"x\ny\\q\\u12\"}", `{"a":"\"NaN,]"}`, `{"a":"`, `[undefined]`, "\"\\"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		repaired := repair(body)
		if repaired != nil && !json.Valid(repaired) {
			t.Errorf("%q becomes %q", body, repaired)
		}
		if json.Valid(body) && !bytes.Equal(repaired, body) {
			t.Errorf("the JSON %q becomes %q", body, repaired)
		}
	})
}

// Every body becomes UTF-8 unless it already has letters in UTF-8, and what is UTF-8
// stays as it is.
func FuzzToUTF8(f *testing.F) {
	f.Add([]byte("L\xf6n"), "application/json;charset=ISO-8859-1")
	f.Add([]byte("L\xc3\xb6n \xff"), "")
	f.Add([]byte("\xff\xfe{\x00\x00"), "x; charset=utf-16")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		got := toUTF8(body, contentType)
		if !utf8.Valid(got) && (isLatin(charsetOf(contentType)) || !hasUTF8Letter(body)) {
			t.Errorf("%q becomes %q", body, got)
		}
		if utf8.Valid(body) && !strings.HasPrefix(charsetOf(contentType), "utf-16") && !bytes.Equal(got, body) {
			t.Errorf("%q becomes %q", body, got)
		}
	})
}

// An answer in the shape of the standard gives the same rows when it is decoded as an
// irregular one.
func FuzzReadReport(f *testing.F) {
	f.Add([]byte(`{"transactions":{"booked":[{"transactionId":"1","transactionAmount":{"currency":"SEK","amount":"1"}}],"pending":[]}}`))
	f.Add([]byte(`{"cardTransactions":{"booked":{"0":{}},"_links":{"next":"x"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := readReport(body)
		if err != nil {
			if institution.KindOf(err) != institution.MalformedResponse {
				t.Error(err)
			}
			return
		}
		if irregular, _ := readIrregularReport(body); irregular != nil && irregular.isPresent() &&
			(len(irregular.Booked) != len(page.Booked) || len(irregular.Pending) != len(page.Pending)) {
			t.Errorf("%q: %d and %d rows, %d and %d as an irregular report", body,
				len(page.Booked), len(page.Pending), len(irregular.Booked), len(irregular.Pending))
		}
	})
}
