package server

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	v20250101 "samla/internal/api/v20250101"
	v20260401 "samla/internal/api/v20260401"
)

// The document is sent in gzip to those who accept it, and not sent again to those who
// have it.
func TestServer_SendsDocumentOnce(t *testing.T) {
	s := newServer(t, Config{})
	get := func(header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/openapi.json", nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w
	}
	contract, err := v20260401.Contract()
	if err != nil {
		t.Fatal(err)
	}
	plain, packed := get(), get("Accept-Encoding", "gzip, br")
	if plain.Body.String() != string(contract.Text()) || plain.Header().Get("Content-Encoding") != "" {
		t.Errorf("%d bytes, %v", plain.Body.Len(), plain.Header())
	}
	size := packed.Body.Len()
	r, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != string(contract.Text()) || size > len(text)/5 || packed.Header().Get("Content-Encoding") != "gzip" {
		t.Errorf("%d bytes of %d, %v, %v", size, len(text), packed.Header(), err)
	}
	tag := plain.Header().Get("ETag")
	for name, w := range map[string]*httptest.ResponseRecorder{"plain": plain, "packed": packed} {
		if h := w.Header(); tag == "" || h.Get("ETag") != tag || !slices.Equal(h.Values("Vary"), []string{"Insurely-Version", "Accept-Encoding"}) || h.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %v", name, h)
		}
	}
	if w := get("If-None-Match", tag, "Accept-Encoding", "gzip"); w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header().Get("ETag") != tag {
		t.Errorf("%d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
	if w := get("If-None-Match", `W/"of another release"`); w.Code != http.StatusOK {
		t.Errorf("%d", w.Code)
	}
}

// The header chooses the document. Without one it is the newest, for tools that send none.
func TestServer_SendsDocumentOfVersion(t *testing.T) {
	s := newServer(t, Config{})
	for name, want := range map[string]string{"": v20260401.Version, v20260401.Version: v20260401.Version, v20250101.Version: v20250101.Version, "2024-01-01": ""} {
		r := httptest.NewRequest(http.MethodGet, "/openapi.json", nil)
		r.Header.Set("Insurely-Version", name)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		var d struct {
			Info struct{ Version string }
			Code string
		}
		err := json.Unmarshal(w.Body.Bytes(), &d)
		if err != nil || d.Info.Version != want || (d.Code == "UNSUPPORTED_VERSION") != (want == "") {
			t.Errorf("%q: %d %.100s, %v", name, w.Code, w.Body, err)
		}
	}
}
