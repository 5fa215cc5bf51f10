package xs2a_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

const picture = "\x89PNG\r\n\x1a\n\xfb\xff\xbf rest"

func TestInstructions_FindBankIDData(t *testing.T) {
	std := base64.StdEncoding.EncodeToString([]byte(picture))
	full := base64.StdEncoding.EncodeToString([]byte(picture))
	start := "https://app.bankid.com/?autostarttoken=" + token + "&redirect=null"
	for body, want := range map[string]struct{ token, qr, image string }{
		`{"challengeData":{"data":"` + token + `"}}`:                                                  {token, "", ""},
		`{"challengeData":{"data":["` + qrText + `","` + token + `"]}}`:                               {token, qrText, ""},
		`{"challengeData":{"data":{"autoStartToken":"` + token + `"}}}`:                               {token, "", ""},
		`{"challengeData":[{"data":["` + token + `"]}]}`:                                              {token, "", ""},
		`{"challengeData":"` + token + `"}`:                                                           {token, "", ""},
		`{"challengeData":{"data":["{\"autoStartToken\":\"` + token + `\",\"orderRef\":\"x\"}"]}}`:    {token, "", ""},
		`{"bankid":"{\"orderRef\":\"` + token + `\"}"}`:                                               {},
		`{"challengeData":{"data":["bankid:///?autostarttoken=` + token + `&redirect=null"]}}`:        {token, "", ""},
		`{"challengeData":{"data":"` + start + `"}}`:                                                  {token, "", ""},
		`{"_links":{"scaRedirect":{"href":"` + start + `"}}}`:                                         {token, "", ""},
		`{"launch":"https://x.example/?u=` + url.QueryEscape(start) + `"}`:                            {token, "", ""},
		`{"auto_start_token":"` + token + `","qr_data":"` + qrText + `"}`:                             {token, qrText, ""},
		`{"autostart_token":"` + token + `","qr_string":"` + qrText + `"}`:                            {token, qrText, ""},
		`{"bankId":{"AutoStartToken":["` + token + `"],"qr":{"text":"` + qrText + `"}}}`:              {token, qrText, ""},
		`{"challengeData":{"image":"` + strings.TrimRight(std, "=") + `"}}`:                           {"", "", full},
		`{"challengeData":{"image":"data:image/png;base64,` + std + `"}}`:                             {"", "", full},
		`{"challengeData":{"image":"DATA:IMAGE/PNG;charset=utf-8;base64, ` + std + `"}}`:              {"", "", full},
		`{"challengeData":{"image":"` + base64.RawURLEncoding.EncodeToString([]byte(picture)) + `"}}`: {"", "", full},
		`{"challengeData":{"image":"` + std[:8] + `\n` + std[8:] + `"}}`:                              {"", "", full},
		`{"qrImage":"` + std + `"}`:                                                                   {"", "", full},
		`{"challengeData":{"image":["` + std + `"]}}`:                                                 {"", "", full},
		// Other ids look like tokens; other texts and pictures are not BankID's.
		`{"authorisationId":"` + token + `","id":"` + token + `"}`:                          {},
		`{"qrStartToken":"` + token + `","challengeData":{"qrStartToken":"` + token + `"}}`: {},
		`{"psuMessage":"` + start + `"}`:                                                    {},
		`{"logo":"` + std + `"}`:                                                            {},
		`{"challengeData":{"data":["bankid://x","javascript:alert(1)"]}}`:                   {},
		`{"x":"?autostarttoken=` + token + `0"}`:                                            {},
	} {
		if !json.Valid([]byte(body)) {
			t.Fatalf("%s is no JSON", body)
		}
		got, err := status(t, `{"scaStatus":"received",`+body[1:], nil)
		if err != nil {
			t.Fatal(err)
		}
		var have struct{ token, qr, image string }
		if i := got.Instructions; i != nil {
			have.token, have.qr, have.image = i.AutoStartToken, i.QRData, i.QRImage
		}
		if have != want {
			t.Errorf("%s: got %+v", body, have)
		}
	}
}

// The members that the profile names come first.
func TestInstructions_PreferThePlaceThatTheProfileNames(t *testing.T) {
	other := strings.Replace(token, "67", "76", 1)
	got, err := status(t, `{"scaStatus":"received","challengeData":{"data":["`+other+`"]},"mine":"bankid:///?autostarttoken=`+token+`"}`,
		func(c *xs2a.Config) { at := "/mine"; c.Profile.AutoStartToken = &at })
	if err != nil || got.Instructions.AutoStartToken != token {
		t.Errorf("got %+v, %v", got.Instructions, err)
	}
}

// A picture that the bank gives by link is fetched from the bank, and from no other
// host.
func TestInstructions_FetchThePictureFromTheBank(t *testing.T) {
	start := institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person}
	for link, want := range map[string]bool{"/psd2/v1/qr/1.png": true, "/v1/qr/1.png": true, "https://evil.example/psd2/v1/qr/1.png": false, "data:,": false} {
		for _, form := range []string{picture, base64.RawStdEncoding.EncodeToString([]byte(picture)), "<svg/>", strings.Repeat(picture, 60_000)} {
			s := newScriptedBank(t, nil, func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/qr/") {
					if r.Header.Get("Accept") != "image/png" {
						t.Errorf("accepts %q", r.Header.Get("Accept"))
					}
					_, _ = io.WriteString(w, form)
					return
				}
				responds(201, `{"scaStatus":"received","authorisationId":"au1","challengeData":{"imageLink":"`+link+`"}}`)(w, r)
			})
			got, err := s.StartAuthorization(t.Context(), start)
			if err != nil || got.ID != "au1" {
				t.Fatalf("%s: %+v, %v", link, got, err)
			}
			shown := got.Instructions != nil && got.Instructions.QRImage == base64.StdEncoding.EncodeToString([]byte(picture))
			if valid := len(form) < 100 && form[0] != '<'; shown != (want && valid) || !shown && got.Instructions != nil {
				t.Errorf("%s with %.10q: %+v", link, form, got.Instructions)
			}
		}
	}
}
