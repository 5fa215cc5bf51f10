package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompanies_ATextWithoutACompanyIsAnError(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`[{"company":"se-demo","companyDisplayName":"Demo","status":"FUNCTIONAL","loginMethods":[]}]`))
	}))
	defer server.Close()
	for text, want := range map[string]string{"DEM": "", "nope": `has the text "nope"`} {
		var out bytes.Buffer
		err := run(t.Context(), []string{"companies", "--server", server.URL, "--api-key", "samla_x", text}, &out, new(bytes.Buffer))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\n%s", text, err, out.String())
		}
	}
}

func TestMasterKey_SaysWhatItMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "master.json")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"master-key", file}, &out, new(bytes.Buffer)); err != nil || !strings.Contains(out.String(), file) {
		t.Errorf("%v: %q", err, out.String())
	}
}
