package cases

import (
	"encoding/json"
	"strings"
	"testing"
)

// outcome is a player after its steps: with these collections, at a bank that received
// one request for transactions.
func outcome(t *testing.T, collections ...collection) *player {
	t.Helper()
	return &player{T: t, bank: &bank{journal: []exchange{{ask: ask, counted: true}, {ask: ask}}}, collections: collections}
}

// made is a collection with these products.
func made(t *testing.T, status, products string) collection {
	t.Helper()
	return collection{status: status, products: mustDecode(t, products)}
}

func TestVerdict_EveryMemberOfWantMustHold(t *testing.T) {
	const row = `[{"accountId": "a", "transactions": [{"transactionId": "1"}]}]`
	good, bad := made(t, "COMPLETED", row), made(t, "FAILED", `null`)
	for _, c := range []struct {
		name, want string
		of         []collection
		holds      bool
	}{
		{"nothing", `{}`, nil, true},
		{"status", `{"collection": "COMPLETED"}`, []collection{good}, true},
		{"status of the second", `{"collection": "COMPLETED"}`, []collection{good, bad}, false},
		{"no collection", `{"collection": "COMPLETED"}`, nil, false},
		{"no collection for products", `{"products": []}`, nil, false},
		{"products", `{"products": [{"accountId": "a"}]}`, []collection{good}, true},
		{"no products", `{"products": []}`, []collection{bad}, false},
		{"as many requests", `{"requests": {"` + ask + `": 1}}`, nil, true},
		{"too many requests", `{"requests": {"` + ask + `": 0}}`, nil, false},
		{"another request", `{"requests": {"GET /v1/accounts": 0}}`, nil, true},
		{"no instructions", `{"instructions": {}}`, nil, false},
		{"nothing unattended", `{"unattended": {"started": 1}}`, nil, false},
		{"one of two", `{"anyOf": [{"collection": "FAILED"}, {"collection": "COMPLETED"}]}`, []collection{good}, true},
		{"none of two", `{"anyOf": [{"collection": "FAILED"}, {"products": []}]}`, []collection{good}, false},
		{"one of two and another member", `{"collection": "FAILED", "anyOf": [{}]}`, []collection{good}, false},
		{"same", `{"same": ["accountId", "transactionId"]}`, []collection{good, good}, true},
		{"same as what is not there", `{"same": ["accountId"]}`, []collection{good, bad}, false},
		{"same without a second", `{"same": ["accountId"]}`, []collection{good}, false},
	} {
		var w want
		if err := json.Unmarshal([]byte(c.want), &w); err != nil {
			t.Fatal(err)
		}
		if got := outcome(t, c.of...).misfits("want", w); (len(got) == 0) != c.holds {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestVerdict_SameComparesOneMember(t *testing.T) {
	one := made(t, "", `[{"accountId": "a", "transactions": [{"transactionId": "1", "accountId": "a"}]}]`)
	two := made(t, "", `[{"accountId": "a", "transactions": [{"transactionId": "2", "accountId": "a"}, {"transactionId": "3"}]}]`)
	if m := same("want.same", "accountId", []collection{one, two}); m != "" {
		t.Error(m)
	}
	if m := same("want.same", "transactionId", []collection{one, two}); !strings.Contains(m, `"2"`) {
		t.Errorf("%q", m)
	}
}

func TestVerdict_HasTheImplicitRules(t *testing.T) {
	twice := `[{"transactions": [{"transactionId": "1"}, {"transactionId": "1"}]}]`
	apart := `[{"transactions": [{"transactionId": "1"}]}, {"transactions": [{"transactionId": "1"}]}]`
	for products, holds := range map[string]bool{twice: false, apart: true} {
		if got := outcome(t, made(t, "COMPLETED", products)).implicit(); (len(got) == 0) != holds {
			t.Errorf("%s: %q", products, got)
		}
	}
	p := outcome(t)
	p.bank.violations = []string{"a request without TLS"}
	if got := p.implicit(); len(got) != 1 {
		t.Errorf("%q", got)
	}
}
