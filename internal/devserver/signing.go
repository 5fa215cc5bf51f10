package devserver

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"samla/internal/institution/xs2a"
	"samla/internal/sandbox"
	"samla/internal/strictjson"
)

// secretFile is the file with the client secret at the bank where one is needed.
const secretFile = "prestep.secret"

// signingOf adds how the person signs at one of the sandbox's banks to its entry. dir is
// the directory of the file, where a client secret is written.
func signingOf(b *bank, info sandbox.BankInfo, dir string) error {
	yes, no, none := true, false, ""
	p := &b.Profile
	onPage := func(sca string) { p.SCA = sca }
	if at := info.Behaviour.AccountsPath(); at != "/v1" {
		p.Paths.Consents = strings.TrimPrefix(info.Behaviour.ConsentsPath(), "/") + "/consents"
		p.Paths.Accounts, p.Paths.Cards = at[1:]+"/accounts", at[1:]+"/card-accounts"
	}
	switch info.Company {
	case "se-demo-redirect":
		onPage("redirect")
		// The bank lets only this person sign, so it does not matter where the person comes back.
		p.NeedsPSUID, p.NamesSigner = true, true
	case "se-demo-redirect-explicit":
		onPage("redirect")
		p.Redirect.ExplicitStart = &yes
	case "se-demo-oauth", "se-sandbox-confirm":
		onPage("oauth")
	case "se-demo-prestep":
		onPage("redirect-after-login")
		p.ListFirst = true
		b.Query = info.Behaviour.Query
		b.Headers = map[string]string{"Date": "{date}", "X-AffiliatedASPSP-ID": info.Behaviour.BIC}
		server := info.Behaviour.Server
		b.OAuth = xs2a.OAuth{AuthorizationEndpoint: info.BaseURL + server.Authorize, TokenEndpoint: info.BaseURL + server.Token,
			RevocationEndpoint: info.BaseURL + server.Revoke, ClientID: server.ClientID, ClientAuth: "post", SecretFile: secretFile, Scope: server.Scope, AuthorizationQuery: server.Query}
		return os.WriteFile(filepath.Join(dir, secretFile), []byte(server.Secret), 0o600)
	case "se-demo-prestep-decoupled":
		onPage("decoupled-after-login")
		p.Redirect.ExplicitStart, p.BookingStatus, p.Cards, p.Paths.Cards = &no, "booked", &none, ""
		p.FullHistory = strictjson.Duration(info.Behaviour.FreshFor)
		b.Signature.None = true
		b.Headers = map[string]string{"User-Agent": "samla"}
		server := info.Behaviour.Server
		b.OAuth = xs2a.OAuth{AuthorizationEndpoint: info.BaseURL + server.Authorize, TokenEndpoint: info.BaseURL + server.Token, Scope: server.Scope,
			ResponseType: "CODE", Challenge: "unnamed", TokenQuery: server.TokenQuery, CodeErrors: []string{"invalid_request"}}
	case "se-sandbox-methods":
		p.SCAMethods, p.SameDevice = []string{"mbid-other"}, []string{"mbid-same"}
	case "se-sandbox-cosign":
		onPage("redirect")
		p.SecondSigner = strictjson.Duration(72 * time.Hour)
	}
	return nil
}
