package enablebanking

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/institution"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// served is a gateway whose directory a test writes.
func served(t *testing.T, list func() string) (*Gateway, *clock.Manual) {
	t.Helper()
	dir := t.TempDir()
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(testKey())})
	if err := os.WriteFile(filepath.Join(dir, "a.pem"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(list())) }))
	t.Cleanup(s.Close)
	c := valid()
	c.BaseURL = s.URL
	clk := clock.NewManual(now)
	g, err := New(c, institution.Deps{Clock: clk, Dir: dir, Company: "se-gateway"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g, clk
}

func listOf(names ...string) string {
	banks := make([]string, len(names))
	for i, n := range names {
		banks[i] = fmt.Sprintf(`{"name":%q,"country":"SE","psu_types":["personal"],"maximum_consent_validity":86400}`, n)
	}
	return `{"aspsps":[` + strings.Join(banks, ",") + `]}`
}

func TestUpkeep_RenewsDailyAndKeepsTheLastGoodList(t *testing.T) {
	calls, list := 0, listOf("A", "B", "C", "D")
	g, clk := served(t, func() string { calls++; return list })
	if err := g.Upkeep(t.Context()); err != nil || calls != 1 || len(g.Directory().Banks) != 4 {
		t.Fatalf("%d calls, %+v, %v", calls, g.Directory(), err)
	}
	// A day after the last time that follows from the application, to the minute.
	next := g.renewal(clk.Now()).Add(24 * time.Hour)
	if next.Sub(clk.Now()) > 24*time.Hour || !next.Equal(next.Truncate(time.Minute)) {
		t.Fatalf("the next renewal is at %s", next)
	}
	clk.Advance(next.Sub(clk.Now()) - time.Second)
	if err := g.Upkeep(t.Context()); err != nil || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
	clk.Advance(time.Second)
	for i, bad := range []string{listOf("A"), `{"aspsps":[]}`, `<html>`, `{}`} {
		list = bad
		if err := g.Upkeep(t.Context()); err == nil || g.Directory().count("SE") != 4 || calls != 2+i {
			t.Errorf("%s: %v, %d banks, %d calls", bad, err, g.Directory().count("SE"), calls)
		}
		if err := g.Upkeep(t.Context()); err != nil || calls != 2+i {
			t.Errorf("after a failure: %v, %d calls", err, calls)
		}
		clk.Advance(time.Hour)
	}
	list = listOf("A", "B", "E")
	if err := g.Upkeep(t.Context()); err != nil || g.Directory().count("SE") != 3 || len(g.Directory().Banks) != 5 {
		t.Errorf("%v, %+v", err, g.Directory())
	}
	kept, err := LoadDirectory(g.file)
	if err != nil || len(kept.Banks) != 5 || !kept.FetchedAt.Equal(clk.Now()) {
		t.Errorf("%+v, %v", kept, err)
	}
}

// What the directory says of a bank now holds, not what it said at the start.
func TestBank_FollowsTheList(t *testing.T) {
	list := listOf("A")
	g, _ := served(t, func() string { return list })
	if err := g.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, ok := g.Bank("se-eb-a")
	if !ok || len(b.entry().RequiredHeaders) != 0 {
		t.Fatalf("%+v", b)
	}
	list = strings.Replace(list, `"psu_types"`, `"required_psu_headers":["Psu-Geo-Location"],"psu_types"`, 1)
	if err := g.Renew(t.Context()); err != nil || len(b.entry().RequiredHeaders) != 1 {
		t.Errorf("%+v, %v", b.entry(), err)
	}
}

func TestTokens_FollowTheClock(t *testing.T) {
	signer, err := newTokens(testKey(), valid().ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, step := range []struct {
		at    time.Duration
		after int
	}{{0, 1}, {50 * time.Minute, 1}, {56 * time.Minute, 2}, {-time.Hour, 3}, {-time.Hour + time.Minute, 3}} {
		h := http.Header{}
		if err := signer.Sign(t.Context(), h, "", "", nil, now.Add(step.at)); err != nil {
			t.Fatal(err)
		}
		seen[h.Get("Authorization")] = true
		if len(seen) != step.after {
			t.Errorf("at %s: %d tokens, want %d", step.at, len(seen), step.after)
		}
	}
}

func TestNew_SaysWhatFilesLack(t *testing.T) {
	dir := t.TempDir()
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalECPrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ec.pem"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: text}), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"none.pem": "/keyFile", "ec.pem": "2048"} {
		c := valid()
		c.KeyFile, c.CAFile = file, "ca.pem"
		_, err := New(c, institution.Deps{Dir: dir, Company: "x"})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "/caFile") || strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// A clock that was ahead when the list was fetched, and was set back since, does not keep it
// from being renewed.
func TestUpkeep_RenewsAListOfTheFuture(t *testing.T) {
	calls := 0
	g, clk := served(t, func() string { calls++; return listOf("A") })
	g.setDirectory(Directory{FetchedAt: clk.Now().Add(365 * 24 * time.Hour)})
	for range 2 {
		if err := g.Upkeep(t.Context()); err != nil || calls != 1 || !g.Directory().FetchedAt.Equal(clk.Now()) {
			t.Errorf("%d calls, %v", calls, err)
		}
	}
}

// A page in place of an answer comes from something before the gateway: no session has ended.
func TestRevoke_TakesNoPageForTheGatewaysWord(t *testing.T) {
	for name, c := range map[string]struct {
		answer  string
		revoked bool
	}{"answer": {`{"message":"OK"}`, true}, "nothing": {"", true}, "page": {"\n<html>Back soon</html>", false}} {
		g, _ := served(t, func() string { return c.answer })
		b := &Bank{Gateway: g}
		err := b.Revoke(t.Context(), institution.Access{ConsentID: "4604aaaf-a3a3-4ce6-9b3a-1b7a53a0b0a1"})
		if (err == nil) != c.revoked || err != nil && institution.KindOf(err) != institution.Unreachable {
			t.Errorf("%s: %v", name, err)
		}
	}
}
