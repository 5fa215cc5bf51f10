package xs2a

import (
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/institution"
)

// errorCode returns only documented codes: anything else could be a personal number
// on its way into a log.
func FuzzErrorBody(f *testing.F) {
	f.Add([]byte(`{"tppMessages":[{"category":"ERROR","code":"CONSENT_EXPIRED"}]}`))
	f.Add([]byte(`{"type":"x","code":"NO","additionalErrors":{"code":"FORMAT_ERROR"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		code := errorCode(body)
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
