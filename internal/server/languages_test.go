package server_test

import (
	"strings"
	"testing"

	"samla/internal/server"
	"samla/internal/words"
)

func TestConfig_RefusesALanguageWithoutTexts(t *testing.T) {
	c := server.Config{Database: t.TempDir(), Languages: words.Offer{words.Swedish, words.Finnish}}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	c.Languages = append(c.Languages, "de")
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), `"de"`) {
		t.Errorf("%v", err)
	}
}

func TestConfig_RefusesATimeZoneThatThereIsNot(t *testing.T) {
	for zone, good := range map[string]bool{"": true, "Europe/Helsinki": true, "UTC": true, "Stockholm": false, "Local": false} {
		if err := (server.Config{Database: t.TempDir(), TimeZone: zone}).Check(); (err == nil) != good || !good && !strings.Contains(err.Error(), zone) {
			t.Errorf("%q: %v", zone, err)
		}
	}
}
