package oauth_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"samla/internal/institution/oauth"
)

func TestSecret_IsNeverShown(t *testing.T) {
	const token = "at-5f1c-very-secret"
	s := oauth.Secret(token)
	if fmt.Sprint(s) != "[secret]" || fmt.Sprint(oauth.Secret("")) != "[no secret]" {
		t.Error("a log does not tell whether there is one")
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "s", s)
	all := logged.String() + s.LogValue().String() +
		fmt.Sprint(s, oauth.Tokens{Access: s, Refresh: s}, oauth.CodeGrant(s, s, token), oauth.SecretPost{Secret: s}, oauth.Callback{Code: s}) +
		fmt.Sprintf("%s %q %v %+v %#v %x", s, s, s, s, s, s) + fmt.Errorf("failed: %w", errors.New(fmt.Sprint(s))).Error()
	if strings.Contains(all, token) || strings.Contains(all, fmt.Sprintf("%x", token)) {
		t.Errorf("shown: %s", all)
	}
}

func TestSecret_IsNothingIfEmpty(t *testing.T) {
	for a, want := range map[[2]oauth.Secret]bool{{"a", "a"}: true, {"a", "b"}: false, {"a", "ab"}: false, {"a", ""}: false, {"", ""}: false} {
		if a[0].Is(a[1]) != want {
			t.Errorf("%d and %d characters: not %v", len(a[0]), len(a[1]), want)
		}
	}
}

// RFC 7636 appendix B.
func TestChallenge_IsThatOfTheRFC(t *testing.T) {
	if got := oauth.Challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" {
		t.Errorf("got %s", got)
	}
}

func TestNewSecret_TakesItsRandomness(t *testing.T) {
	s, err := oauth.NewSecret(bytes.NewReader(bytes.Repeat([]byte{0xfb}, 32)))
	if err != nil || len(s) != 43 || s.Reveal()[:4] != "-_v7" {
		t.Errorf("%d characters: %v", len(s), err)
	}
	if _, err := oauth.NewSecret(bytes.NewReader(make([]byte, 31))); err == nil {
		t.Error("a source that ended early was used")
	}
	a, _ := oauth.NewSecret(nil)
	if b, _ := oauth.NewSecret(nil); a == b || a == "" {
		t.Error("the machine's randomness repeats")
	}
}

func TestAuthorization_BuildsTheAddress(t *testing.T) {
	full := oauth.Authorization{
		Endpoint: "https://bank.example/auth?tenant=a%2Fb&x=", ClientID: "PSDSE-FINA-44059", RedirectURI: "https://samla.example/callback/7?y=1",
		Scope: "AIS:cns-204 offline_access", State: "st", Nonce: "no", Challenge: "ch", Request: "e30.e30.",
		Extra: map[string]string{"bic": "SWEDSESS", "scope": "PSD2 x"},
	}
	for name, c := range map[string]struct {
		of   oauth.Authorization
		want string
	}{
		"all members": {full, "https://bank.example/auth?tenant=a%2Fb&x=&bic=SWEDSESS&client_id=PSDSE-FINA-44059&code_challenge=ch&code_challenge_method=S256" +
			"&nonce=no&redirect_uri=https%3A%2F%2Fsamla.example%2Fcallback%2F7%3Fy%3D1&request=e30.e30.&response_type=code&scope=PSD2%20x&state=st"},
		"capitals, and no method (N26)": {oauth.Authorization{Endpoint: "https://xs2a.example/oauth2/authorize", ResponseType: "CODE", Challenge: "ch", NoMethod: true, State: "st"},
			"https://xs2a.example/oauth2/authorize?code_challenge=ch&response_type=CODE&state=st"},
		"on this machine":        {oauth.Authorization{Endpoint: "http://127.0.0.1:8080/a"}, "http://127.0.0.1:8080/a?response_type=code"},
		"by its name":            {oauth.Authorization{Endpoint: "http://localhost/a"}, "http://localhost/a?response_type=code"},
		"a query that ends in &": {oauth.Authorization{Endpoint: "https://bank.example/a?b=1&"}, "https://bank.example/a?b=1&response_type=code"},
	} {
		if got, err := c.of.URL(); err != nil || got != c.want {
			t.Errorf("%s:\n got %s %v\nwant %s", name, got, err, c.want)
		}
	}
}

func TestAuthorization_RefusesAddressesOfNoUse(t *testing.T) {
	for _, endpoint := range []string{
		"", "http://bank.example/auth", "http://192.0.2.1/auth", "https://:8443/auth", "https:bank.example", "bank.example/auth", "javascript:alert(1)", "https:///auth", "https://user@bank.example/", "https://bank.example/#f",
		"https://bank.example/auth?state=theirs", "https://bank.example/auth?a=1&st%61te", "https://bank.example/auth?%zz=1", "//bank.example/auth",
		"https://bank.example/" + strings.Repeat("a", 5000), "https://bank.example:bad/",
	} {
		if got, err := (oauth.Authorization{Endpoint: endpoint, State: "ours"}).URL(); err == nil {
			t.Errorf("%.60s: %.80s", endpoint, got)
		}
	}
}

func TestAddQuery_KeepsTheLinkOfTheBank(t *testing.T) {
	got, err := oauth.AddQuery("https://bank.example/sca?sid=a+b%20c;d=%C3%A5", map[string]string{"state": "s t&=å", "none": ""})
	if want := "https://bank.example/sca?sid=a+b%20c;d=%C3%A5&state=s%20t%26%3D%C3%A5"; err != nil || got != want {
		t.Errorf("got %s %v", got, err)
	}
	got, err = oauth.AddQuery("https://bank.example/sca", nil)
	if err != nil || got != "https://bank.example/sca" {
		t.Errorf("without members: %s %v", got, err)
	}
	u, _ := url.Parse("https://bank.example/sca?state=" + url.QueryEscape("s t&=å"))
	if u.Query().Get("state") != "s t&=å" {
		t.Error("another reader sees another state")
	}
}
