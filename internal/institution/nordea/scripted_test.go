package nordea_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/nordea"
	"samla/internal/nordeaspec"
	"samla/internal/psu"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	clientID = "client-1"
	secret   = "s3cret-of-the-application"
	token    = "nd-at-01"
)

// person is a test person of Skatteverket (docs/reference/banks.md 14.1).
var person = psu.Context{PersonalNumber: "191212121212", IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"}

var full = consent.Scope{Balances: true, Transactions: true}

// since is the first booking date of the questions in tests.
const since = "2026-08-25"

var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// keyDir returns a folder with the key, the secret and, if there is one, the certificate of
// a server.
func keyDir(t testing.TB, server *x509.Certificate) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string][]byte{
		"key.pem":    pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(signingKey())}),
		"secret.txt": []byte(secret + "\n"),
	}
	if server != nil {
		files["ca.pem"] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Raw})
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func baseConfig(url string) nordea.Config {
	return nordea.Config{BaseURL: url, ClientID: clientID, SecretFile: "secret.txt", KeyFile: "key.pem"}
}

// recorded is one request that the scripted bank received.
type recorded struct {
	method, path, query string
	header              http.Header
	body                string
}

// scripted is a bank over HTTPS whose answers a test writes.
type scripted struct {
	*nordea.Bank
	clock  *clock.Manual
	mu     sync.Mutex
	log    []recorded
	answer http.HandlerFunc
}

func (s *scripted) requests() []recorded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]recorded(nil), s.log...)
}

func (s *scripted) last(t *testing.T) recorded {
	t.Helper()
	all := s.requests()
	if len(all) == 0 {
		t.Fatal("the bank received no request")
	}
	return all[len(all)-1]
}

// newScripted starts a bank. It validates each request against Nordea's files, verifies its
// signature, and answers with the handler of the test.
func newScripted(t *testing.T, change func(*nordea.Config), answer http.HandlerFunc) *scripted {
	t.Helper()
	return newEdition(t, nordeaspec.Files, change, answer)
}

func newEdition(t *testing.T, e nordeaspec.Edition, change func(*nordea.Config), answer http.HandlerFunc) *scripted {
	t.Helper()
	s := &scripted{clock: clock.NewManual(noon), answer: answer}
	oracle := nordeaspec.New(t, "https://bank", e)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := oracle.CheckRequest(r, body); err != nil {
			t.Errorf("the request breaks the files: %v", err)
		}
		checkSignature(t, r, body)
		s.mu.Lock()
		s.log = append(s.log, recorded{r.Method, r.URL.Path, r.URL.RawQuery, r.Header, string(body)})
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		s.answer(w, r)
	}))
	server.StartTLS()
	t.Cleanup(server.Close)
	c := baseConfig(server.URL)
	c.Certificates.CAFile = "ca.pem"
	if change != nil {
		change(&c)
	}
	var err error
	s.Bank, err = nordea.New(c, nordea.Deps{Deps: institution.Deps{Clock: s.clock, Dir: keyDir(t, server.Certificate())}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

var signatureRE = regexp.MustCompile(`^keyId="client-1",algorithm="rsa-sha256",headers="([^"]*)",signature="([^"]*)"$`)

// checkSignature is a second reading of docs/reference/families.md 3.3, by the bank.
func checkSignature(t *testing.T, r *http.Request, body []byte) {
	t.Helper()
	m := signatureRE.FindStringSubmatch(r.Header.Get("Signature"))
	if m == nil {
		t.Errorf("Signature is malformed: %s", r.Header.Get("Signature"))
		return
	}
	var lines []string
	for _, name := range strings.Fields(m[1]) {
		value := r.Header.Get(name)
		if name == "(request-target)" {
			value = strings.ToLower(r.Method) + " " + r.RequestURI
		}
		lines = append(lines, name+": "+value)
	}
	want := "(request-target) x-nordea-originating-host x-nordea-originating-date"
	if len(body) > 0 {
		want += " content-type digest"
		sum := sha256.Sum256(body)
		if r.Header.Get("Digest") != "sha-256="+base64.StdEncoding.EncodeToString(sum[:]) {
			t.Error("Digest is wrong")
		}
	}
	signature, err := base64.StdEncoding.DecodeString(m[2])
	hash := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	if err != nil || m[1] != want || rsa.VerifyPKCS1v15(&signingKey().PublicKey, crypto.SHA256, hash[:], signature) != nil {
		t.Errorf("the signature over %q is not valid", m[1])
	}
	for name, value := range map[string]string{
		"X-IBM-Client-Id": clientID, "X-IBM-Client-Secret": secret, "X-Nordea-Originating-Host": r.Host,
		"X-Nordea-Originating-Date": noon.Format(http.TimeFormat),
	} {
		if r.Header.Get(name) != value {
			t.Errorf("%s is %q", name, r.Header.Get(name))
		}
	}
}

func responds(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// steps answers each request with the next handler.
func steps(t *testing.T, answers ...http.HandlerFunc) http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		if n == len(answers) {
			t.Errorf("one more request: %s %s", r.Method, r.URL.Path)
			return
		}
		answers[n](w, r)
		n++
	}
}

// refuses is an error of the bank (docs/reference/families.md 3.8).
func refuses(status int, code, description, path string) http.HandlerFunc {
	return responds(status, `{"group_header":{"message_identification":"m-7d4","creation_date_time":"2026-11-20T10:00:03.000Z","http_code":`+
		strconv.Itoa(status)+`},"error":{"request":{"url":"/v5"},"failures":[{"code":"`+code+`","description":"`+description+`","path":"`+path+`"}]}}`)
}

// open opens a consent.
func (s *scripted) open(t *testing.T, scope consent.Scope) consent.RemoteID {
	t.Helper()
	opened, err := s.OpenConsent(t.Context(), institution.OpenRequest{RequestID: "5f3c2d7e-9a41-4b8e-8c06-2f1d7a90b3e4", Scope: scope, ValidUntil: noon.AddDate(0, 0, 30), PSU: person})
	if err != nil || opened.ConsentID == "" || opened.Started != nil {
		t.Fatalf("%+v, %v", opened, err)
	}
	return opened.ConsentID
}

func (s *scripted) access(t *testing.T) institution.Access {
	t.Helper()
	return institution.Access{ConsentID: s.open(t, full), Token: token, Refresh: "nd-rt-01", PSU: person}
}

func kindOf(t *testing.T, err error) institution.ErrorKind {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	return institution.KindOf(err)
}
