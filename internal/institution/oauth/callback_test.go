package oauth_test

import (
	"errors"
	"strings"
	"testing"

	"samla/internal/institution/oauth"
)

func TestParseCallback_ReadsEveryOutcome(t *testing.T) {
	long := strings.Repeat("a", 5000)
	for name, c := range map[string]struct {
		query, fragment string
		want            oauth.Callback
	}{
		"a code":                       {"?code=c%2B1&state=st&foo=%zz&code2=x", "", oauth.Callback{Outcome: oauth.Granted, Code: "c+1", State: "st"}},
		"a code in the fragment":       {"", "#code=c&id_token=e30.e30.x&state=st", oauth.Callback{Outcome: oauth.Granted, Code: "c", IDToken: "e30.e30.x", State: "st"}},
		"our own value in the query":   {"v=7", "code=c&state=st&iss=https%3A%2F%2Fbank.example", oauth.Callback{Outcome: oauth.Granted, Code: "c", State: "st", Issuer: "https://bank.example"}},
		"the person cancelled":         {"error=access_denied&error_description=Avbr%C3%B6ts&state=st", "", oauth.Callback{Outcome: oauth.RefusedByPerson, Error: "access_denied", State: "st"}},
		"the server failed":            {"error=server_error&state=st", "", oauth.Callback{Outcome: oauth.Temporary, Error: "server_error", State: "st"}},
		"try again":                    {"error=temporarily_unavailable", "", oauth.Callback{Outcome: oauth.Temporary, Error: "temporarily_unavailable"}},
		"the bank refuses":             {"error=invalid_scope&state=st", "", oauth.Callback{Outcome: oauth.RefusedByBank, Error: "invalid_scope", State: "st"}},
		"an error that nobody knows":   {"error=E-4711-Anna&state=st", "", oauth.Callback{Outcome: oauth.RefusedByBank, Error: "other", State: "st"}},
		"a confirmation code":          {"confirmationCode=cc&state=st", "", oauth.Callback{Outcome: oauth.Returned, Confirmation: "cc", State: "st"}},
		"nothing":                      {"", "", oauth.Callback{Outcome: oauth.Returned}},
		"an empty code":                {"code=&state=st", "", oauth.Callback{Outcome: oauth.Returned, State: "st"}},
		"an enclosed answer":           {"response=e30.e30.x", "", oauth.Callback{Outcome: oauth.Enclosed, Response: "e30.e30.x"}},
		"a code twice":                 {"code=a&code=a", "", oauth.Callback{Outcome: oauth.Malformed}},
		"a code twice, once escaped":   {"code=a&c%6Fde=b", "", oauth.Callback{Outcome: oauth.Malformed}},
		"a state in both forms":        {"state=a", "code=b&state=a", oauth.Callback{Outcome: oauth.Malformed}},
		"a code and an error":          {"code=a&error=access_denied&state=st", "", oauth.Callback{Outcome: oauth.Malformed}},
		"a token and an error":         {"id_token=a&error=access_denied&state=st", "", oauth.Callback{Outcome: oauth.Malformed}},
		"an enclosed answer beside it": {"response=a&code=b", "", oauth.Callback{Outcome: oauth.Malformed}},
		"a long code":                  {"code=" + long, "", oauth.Callback{Outcome: oauth.Malformed}},
		"a code with a line break":     {"code=a%0ab", "", oauth.Callback{Outcome: oauth.Malformed}},
		"the last letters":             {"code=!~&state=%7E%20!", "", oauth.Callback{Outcome: oauth.Granted, Code: "!~", State: "~ !"}},
		"a state that is not ASCII":    {"code=a&state=%C3%A5", "", oauth.Callback{Outcome: oauth.Malformed}},
		"a broken escape":              {"code=a%2", "", oauth.Callback{Outcome: oauth.Malformed}},
		"too many members":             {strings.Repeat("a=1&", 200) + "code=a", "", oauth.Callback{Outcome: oauth.Malformed}},
		"too much":                     {"a=" + strings.Repeat("a", 70<<10) + "&code=a", "", oauth.Callback{Outcome: oauth.Malformed}},
	} {
		if got := oauth.ParseCallback(c.query, c.fragment); got != c.want {
			t.Errorf("%s: got %s %q: %v", name, got.Outcome, got.Error, got)
		}
	}
}

// Each of these must end before a token request (docs/reference/families.md 15: R10, O6).
func TestCallback_RefusesWhatDoesNotAnswerOurRequest(t *testing.T) {
	const bank, other = "https://bank.example", "https://attacker.example"
	asked := oauth.Expected{State: "ours", Issuer: bank}
	announced := oauth.Expected{State: "ours", Issuer: bank, IssuerRequired: true}
	for name, c := range map[string]struct {
		query    string
		expected oauth.Expected
		want     error
	}{
		"ours":                               {"code=a&state=ours", asked, nil},
		"ours, with the issuer":              {"code=a&state=ours&iss=" + bank, announced, nil},
		"forged: another state":              {"code=a&state=theirs", asked, oauth.ErrState},
		"code injection: no state":           {"code=a", asked, oauth.ErrState},
		"a prefix of the state":              {"code=a&state=our", asked, oauth.ErrState},
		"an error with another state":        {"error=access_denied&state=theirs", asked, oauth.ErrState},
		"nothing was expected":               {"code=a&state=ours", oauth.Expected{}, oauth.ErrState},
		"mix-up: another issuer":             {"code=a&state=ours&iss=" + other, asked, oauth.ErrIssuer},
		"mix-up: an error of another issuer": {"error=access_denied&state=ours&iss=" + other, asked, oauth.ErrIssuer},
		"mix-up: the issuer is left out":     {"code=a&state=ours", announced, oauth.ErrIssuer},
		"an issuer that is almost ours":      {"code=a&state=ours&iss=" + bank + "/", asked, oauth.ErrIssuer},
		"an issuer we know nothing of":       {"code=a&state=ours&iss=" + bank, oauth.Expected{State: "ours"}, nil},
		"a bank that returns no state":       {"code=a", oauth.Expected{State: "ours", NoState: true}, nil},
		"the same, with another state":       {"code=a&state=theirs", oauth.Expected{State: "ours", NoState: true}, oauth.ErrState},
	} {
		if err := oauth.ParseCallback(c.query, "").Check(c.expected); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func FuzzParseCallback(f *testing.F) {
	for _, s := range []string{"code=a&state=b", "error=access_denied&state=b", "#id_token=a.b.c&code=d", "code=a&code=b", "response=x", "c%6fde=%C3%A5", "&&&==%"} {
		f.Add(s, "")
		f.Add("", s)
	}
	f.Fuzz(func(t *testing.T, query, fragment string) {
		c := oauth.ParseCallback(query, fragment)
		switch c.Outcome {
		case oauth.Malformed:
			if c != (oauth.Callback{Outcome: oauth.Malformed}) {
				t.Error("a malformed callback has members")
			}
		case oauth.Granted:
			if c.Code == "" || c.Error != "" || c.Response != "" {
				t.Error("granted in contradiction")
			}
		case oauth.RefusedByPerson, oauth.RefusedByBank, oauth.Temporary:
			if c.Error == "" || c.Code != "" || c.IDToken != "" {
				t.Error("refused in contradiction")
			}
		case oauth.Enclosed:
			if c.Response == "" {
				t.Error("enclosed without a response")
			}
		case oauth.Returned:
			if c.Code != "" || c.Error != "" {
				t.Error("returned with a code or an error")
			}
		default:
			t.Errorf("outcome %q", c.Outcome)
		}
		for _, s := range []string{c.Code.Reveal(), c.State.Reveal(), c.IDToken.Reveal(), c.Issuer, c.Confirmation.Reveal(), c.Error} {
			if strings.ContainsAny(s, "\x00\r\n\x7f") || len(s) > 64<<10 {
				t.Error("a member with control characters")
			}
		}
	})
}
