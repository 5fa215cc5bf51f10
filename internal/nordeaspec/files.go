package nordeaspec

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"samla/internal/specs"
	"samla/internal/specs/exchange"
)

// Nordea's files (docs/reference/families.md 0, N1 and N4).
var (
	AccessV5   = specs.File{Path: "nordea/ia-v5.json", SHA256: "3874bc4daa9c4b2cb23b6e8d971539bc80af33857b5be60844d895e3cb30c147"}
	AccessV4   = specs.File{Path: "nordea/ia-v4.json", SHA256: "0eb343623b06d9d65d3d15e98064a8dfd31fdc39b97f60adf10710ff193d1c7c"}
	BusinessV5 = specs.File{Path: "nordea/ia-nb-v5.json", SHA256: "f46f5cbf77750b27e39d16506917572f26de47711703de4baadb2ffe96cdf6fd"}
	AccountsV5 = specs.File{Path: "nordea/ais-v5.yaml", SHA256: "a53102ec04ece25754ea9598d51183264d1329071831e0475400eb36dc1bf9df"}
	AccountsV4 = specs.File{Path: "nordea/ais-v4.json", SHA256: "2e1f75ce1eac0f23757914b87206ac4e9ea3d5d82dd9c9481f51700392617d56"}
	CardsV4    = specs.File{Path: "nordea/cards-v4.json", SHA256: "229885b21be2da9056726d6f1b788075b2b497b68cf9bceb3dbfbcef0c5d2533"}
)

// The files that define the operations below /personal and below /business.
var (
	personalFiles = []specs.File{AccessV5, AccountsV5, AccountsV4, CardsV4, AccessV4}
	businessFiles = []specs.File{BusinessV5, AccountsV5, AccountsV4, AccessV4}
)

// Edition is which text of Nordea's the files are read with.
type Edition int

const (
	// Files is what the files say, with the few exceptions that complete explains.
	Files Edition = iota
	// Newer adds what a client shows that was generated from a newer file, which we do not
	// have (docs/reference/families.md 0, N5; T): the status cancelled of a login, scopes of
	// cards without a redirect, decoupled logins in all countries, assets of version 5.
	Newer
)

// definition is one file, ready to validate with.
type definition struct {
	router  routers.Router
	account map[string]Member // of AccountDetails, as the file has them; nil: it has none
}

type edition struct {
	specs.File
	Edition
}

var definitions sync.Map // edition -> func() (*definition, error)

// load reads a file once and changes it as docs/reference/families.md 14.1 says.
func load(f specs.File, e Edition) (*definition, error) {
	once, _ := definitions.LoadOrStore(edition{f, e}, sync.OnceValues(func() (*definition, error) { return read(f, e) }))
	return once.(func() (*definition, error))()
}

func read(f specs.File, e Edition) (*definition, error) {
	data, err := specs.Load(f)
	if err != nil {
		return nil, err
	}
	doc, err := parse(f, data)
	if err != nil {
		return nil, fmt.Errorf("nordeaspec: %s: %w", f.Path, err)
	}
	var account map[string]Member
	if s := doc.Components.Schemas["AccountDetails"]; s != nil {
		account = members(doc, s.Value)
	}
	complete(doc)
	if e == Newer {
		renew(doc)
	}
	router, err := exchange.Router(doc, openapi3.DisableExamplesValidation())
	if err != nil {
		return nil, fmt.Errorf("nordeaspec: %s: %w", f.Path, err)
	}
	return &definition{router, account}, nil
}

// parse returns the file as OpenAPI 3.
func parse(f specs.File, data []byte) (*openapi3.T, error) {
	if path.Ext(f.Path) == ".yaml" {
		return openapi3.NewLoader().LoadFromData(data)
	}
	var old openapi2.T
	if err := json.Unmarshal(data, &old); err != nil {
		return nil, err
	}
	old.Host = strings.TrimPrefix(old.Host, "https://")
	for at, item := range old.Paths {
		for method, op := range item.Operations() {
			op.Security = nil // some operations name a scheme that is not defined
			for _, p := range op.Parameters {
				if p.In == "path" {
					p.Required = true // session_id is not, which no OpenAPI allows
				}
			}
			// Nordea's newer Postman collection sends a form where the file has a query
			// (docs/reference/families.md 3.4).
			if at == "/v5/decoupled/token" && method == http.MethodPost {
				op.Consumes = []string{"application/x-www-form-urlencoded"}
				for _, p := range op.Parameters {
					if p.In == "query" {
						p.In = "formData"
					}
				}
			}
		}
	}
	return openapi2conv.ToV3(&old)
}

// complete changes what the files lack or say too strictly.
func complete(doc *openapi3.T) {
	doc.Components.SecuritySchemes, doc.Security = nil, nil
	for at, item := range doc.Paths.Map() {
		if strings.HasSuffix(at, "/token/revoke") {
			// The file says that the answer is a text and not which; RFC 7009 2.2 needs none.
			item.Post.Responses.Status(http.StatusOK).Value.Content = nil
		}
		for _, op := range item.Operations() {
			op.Security, op.OperationID = nil, "" // the ids would not be unique with the copies below
			// No file names these statuses. What the bank answers with is of the form of
			// its other errors, or of the gateway before it (checkError).
			for _, status := range []int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
				if op.Responses.Status(status) == nil {
					op.AddResponse(status, openapi3.NewResponse().WithDescription("not in the file"))
				}
			}
		}
		// Version 5 of these is in no file and has the form of version 4
		// (docs/reference/families.md 3.5, 3.7; N2 calls the revocation of version 5).
		if strings.HasPrefix(at, "/v4/cards") || at == "/v4/authorize/token/revoke" {
			doc.Paths.Set("/v5"+strings.TrimPrefix(at, "/v4"), item)
		}
	}
	// An account has what the scopes of the token allow, and no schema can say so: CheckScopes does.
	if s := doc.Components.Schemas["AccountDetails"]; s != nil {
		s.Value.Required = []string{"_id", "account_numbers"} // currency is optional since accounts 5.x, N3
	}
	if s := doc.Components.Schemas["Transaction"]; s != nil {
		s.Value.Required = []string{"booking_date", "currency", "status"} // transaction_id is optional since accounts 5.2, N3
	}
}

// renew adds what is known of the newer file.
func renew(doc *openapi3.T) {
	if item := doc.Paths.Value("/v4/assets"); item != nil {
		doc.Paths.Set("/v5/assets", item)
	}
	for at, values := range map[[2]string][]any{
		{"AuthenticationResponse", "status"}:               {"cancelled"},
		{"AuthenticationRequest", "authentication_method"}: {"MTA", "MTA_NO", "MTA_DK", "CCALC"},
		{"AuthenticationRequest", "country"}:               {"FI", "NO", "DK"},
		{"AuthRequest", "authentication_method"}:           {"MITID", "MTA_QR", "MTA_DK", "QRT_DK"},
	} {
		if s := doc.Components.Schemas[at[0]]; s != nil {
			member := s.Value.Properties[at[1]].Value
			member.Enum = append(member.Enum, values...)
		}
	}
	if s := doc.Components.Schemas["AuthorizeRequest"]; s != nil {
		scope := s.Value.Properties["scope"].Value.Items.Value
		scope.Enum = append(scope.Enum, "CARDS_INFORMATION", "CARDS_TRANSACTIONS")
	}
}
