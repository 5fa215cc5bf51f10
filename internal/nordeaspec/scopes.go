package nordeaspec

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"samla/internal/specs"
)

// Member is what a file says of one member of an object.
type Member struct {
	Scopes   []string // x-accessScopes: the member is there with one of them; none: always
	Required bool     // the schema requires it, for whoever may see it
	NotIn    []string // x-notSupportedCountries
}

// Members returns the members of a schema of one of the accounts files, such as
// "AccountDetails", as the file has them. The test is skipped where the file is
// missing.
func Members(tb testing.TB, f specs.File, schema string) map[string]Member {
	tb.Helper()
	data := specs.Read(tb, f)
	doc, err := parse(f, data) // not complete: with the required members of the file
	if err != nil {
		tb.Fatalf("nordeaspec: %v", err)
	}
	found := doc.Components.Schemas[schema]
	if found == nil {
		tb.Fatalf("nordeaspec: %s has no schema %s", f.Path, schema)
	}
	return members(doc, found.Value)
}

func members(doc *openapi3.T, s *openapi3.Schema) map[string]Member {
	out := map[string]Member{}
	for name, ref := range s.Properties {
		m := Member{Required: slices.Contains(s.Required, name)}
		target := ref.Value
		if named := doc.Components.Schemas[refName(ref.Ref)]; ref.Ref != "" && named != nil {
			target = named.Value
		}
		extensions := target.Extensions
		if ref.Ref != "" {
			extensions = ref.Extensions
		}
		m.Scopes, m.NotIn = texts(extensions["x-accessScopes"]), texts(extensions["x-notSupportedCountries"])
		if ref.Ref != "" && m.Scopes == nil {
			// A reference has no members beside it in OpenAPI 3: what it refers to says it.
			for _, inner := range members(doc, target) {
				m.Scopes = append(m.Scopes, inner.Scopes...)
			}
			slices.Sort(m.Scopes)
			m.Scopes = slices.Compact(m.Scopes)
		}
		out[name] = m
	}
	return out
}

func refName(ref string) string {
	const prefix = "#/components/schemas/"
	if len(ref) <= len(prefix) {
		return ""
	}
	return ref[len(prefix):]
}

func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// CheckScopes returns an error when the object has a member that these scopes do not
// allow, or lacks a required one that they allow, by the members of its schema. Members
// that the file does not know pass.
func CheckScopes(members map[string]Member, object map[string]any, scopes []string) error {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		m := members[name]
		allowed := len(m.Scopes) == 0 || slices.ContainsFunc(m.Scopes, func(s string) bool { return slices.Contains(scopes, s) })
		_, there := object[name]
		if there && !allowed {
			return fmt.Errorf("nordeaspec: %s is there and needs one of %v", name, m.Scopes)
		}
		if !there && allowed && m.Required {
			return fmt.Errorf("nordeaspec: %s is missing and the scopes %v allow it", name, scopes)
		}
	}
	return nil
}

// optionalSince54 are required in the file and optional since accounts 5.4
// (docs/reference/families.md 3.6, N6).
var optionalSince54 = []string{"bank", "country", "currency"}

// checkAccounts returns an error when an account in an answer has some members of a scope
// and not all that the file requires: then the bank has forgotten some, because it gives all
// of a scope or none.
func checkAccounts(file map[string]Member, status int, body []byte) error {
	var answer struct {
		Response struct {
			Accounts []map[string]any `json:"accounts"`
			ID       *string          `json:"_id"`
		} `json:"response"`
	}
	var one struct {
		Response map[string]any `json:"response"`
	}
	if file == nil || status != http.StatusOK || json.Unmarshal(body, &answer) != nil || json.Unmarshal(body, &one) != nil {
		return nil // the schema has been checked
	}
	accounts := answer.Response.Accounts
	if len(one.Response) > 1 && answer.Response.ID != nil { // a conversion has the id alone
		accounts = append(accounts, one.Response)
	}
	table := maps.Clone(file)
	for _, name := range optionalSince54 {
		m := table[name]
		m.Required = false
		table[name] = m
	}
	for _, a := range accounts {
		scopes := []string{"ACCOUNTS_BASIC"}
		for name := range a {
			scopes = append(scopes, table[name].Scopes...)
		}
		if err := CheckScopes(table, a, scopes); err != nil {
			return err
		}
	}
	return nil
}
