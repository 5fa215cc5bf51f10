package api_test

import (
	"net/url"
	"testing"

	"samla/internal/api"
)

// The store gets ids only, whatever the cursor.
func FuzzCursor(f *testing.F) {
	f.Add("MDE5N2IxZjAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDBh")
	f.Add("x")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := api.Page(url.Values{"cursor": {text}})
		if err == nil && p.After != "" && !api.IsID(p.After) {
			t.Errorf("%q goes to the store", p.After)
		}
	})
}
