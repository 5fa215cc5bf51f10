package client_test

import (
	"strings"
	"testing"

	"samla/internal/client"
)

func TestIdentity_IsShownToPersons(t *testing.T) {
	for name, c := range map[string]struct {
		client.Identity
		good       bool
		named, url string
	}{
		"nothing":            {client.Identity{}, true, "", ""},
		"all":                {client.Identity{LegalName: "Pärmen AB", Number: "556000-0001", Authority: "Finansinspektionen", Contact: "hej@parmen.example"}, true, "Pärmen AB, 556000-0001", "mailto:hej@parmen.example"},
		"a page":             {client.Identity{LegalName: "Pärmen AB", Contact: "https://parmen.example/hjalp"}, true, "Pärmen AB", "https://parmen.example/hjalp"},
		"number only":        {client.Identity{Number: "556000-0001"}, false, ", 556000-0001", ""},
		"a script":           {client.Identity{Contact: "javascript:alert(1)"}, false, "", ""},
		"a page in clear":    {client.Identity{Contact: "http://parmen.example"}, false, "", ""},
		"a name and address": {client.Identity{Contact: "Hej <hej@parmen.example>"}, false, "", ""},
		"two lines":          {client.Identity{LegalName: "a\nb"}, false, "a\nb", ""},
		"long":               {client.Identity{Authority: strings.Repeat("å", 201)}, false, "", ""},
		"at its longest":     {client.Identity{Authority: strings.Repeat("å", 200)}, true, "", ""},
	} {
		if err := c.Check(); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
		if got := c.Named(); got != c.named {
			t.Errorf("%s: named %q", name, got)
		}
		if got := c.ContactURL(); got != c.url {
			t.Errorf("%s: leads to %q", name, got)
		}
	}
}
