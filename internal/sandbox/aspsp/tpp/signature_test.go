package tpp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/http"
	"strings"
	"testing"
)

const wellFormed = `keyId="SN=9fa1,CA=CN=D-TRUST,O=D-Trust,C=DE",algorithm="rsa-sha256",headers="digest x-request-id",signature="AAAA"`

func TestParseSignature_AcceptsOnlyTheFourMembers(t *testing.T) {
	s, ok := parseSignature(wellFormed)
	if !ok || s.keyID != "SN=9fa1,CA=CN=D-TRUST,O=D-Trust,C=DE" || s.algorithm != "rsa-sha256" ||
		len(s.headers) != 2 || s.headers[1] != "x-request-id" || len(s.value) != 3 {
		t.Errorf("%+v %v", s, ok)
	}
	if _, ok := parseSignature(strings.ReplaceAll(wellFormed, `",`, `", `)); !ok {
		t.Error("spaces after commas are not accepted")
	}
	for name, header := range map[string]string{
		"empty":          "",
		"scheme":         "Signature " + wellFormed,
		"no quotes":      strings.ReplaceAll(wellFormed, `"`, ""),
		"trailing comma": wellFormed + ",",
		"text at end":    wellFormed + "x",
		"double member":  wellFormed + `,algorithm="rsa-sha256"`,
		"fifth member":   wellFormed + `,created="1"`,
		"three members":  strings.Replace(wellFormed, `algorithm="rsa-sha256",`, "", 1),
		"empty headers":  strings.Replace(wellFormed, "digest x-request-id", "", 1),
		"empty value":    strings.Replace(wellFormed, "AAAA", "", 1),
		"not base64":     strings.Replace(wellFormed, "AAAA", "A-_A", 1),
		"unended":        strings.TrimSuffix(wellFormed, `"`),
	} {
		if _, ok := parseSignature(header); ok {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestKeyIDMatches_ComparesSerialAndIssuer(t *testing.T) {
	cert := &x509.Certificate{SerialNumber: big.NewInt(0x9fa1), Issuer: pkix.Name{CommonName: "D-TRUST", Organization: []string{"D-Trust"}, Country: []string{"DE"}}}
	for keyID, want := range map[string]bool{
		"SN=9fa1,CA=CN=D-TRUST,O=D-Trust,C=DE":     true,
		"SN=9FA1,CA=C=DE, O=D-Trust, CN=D-TRUST":   true,
		"SN=009fa1,CA=CN=D-TRUST,O=D-Trust,C=DE":   true,
		"SN=9fa2,CA=CN=D-TRUST,O=D-Trust,C=DE":     false,
		"SN=9fa1,CA=CN=D-TRUST,O=D-Trust":          false,
		"SN=9fa1":                                  false,
		"9fa1,CA=CN=D-TRUST,O=D-Trust,C=DE":        false,
		"SN=,CA=CN=D-TRUST,O=D-Trust,C=DE":         false,
		"SN=40865,CA=CN=D-TRUST,O=D-Trust,C=DE":    false,
		"SN=9fa1,CA=CN=D-TRUST,O=D-Trust,C=DE,X=1": false,
	} {
		if got := keyIDMatches(keyID, cert); got != want {
			t.Errorf("%s: %v", keyID, got)
		}
	}
}

// The digests of the empty body are those of docs/reference/banks.md 9.2.
func TestDigestMatches_SupportsAllowedAlgorithms(t *testing.T) {
	const empty256 = "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	const empty512 = "SHA-512=z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
	for _, c := range []struct {
		header   string
		body     string
		allow512 bool
		want     bool
	}{
		{empty256, "", false, true}, {strings.ToLower(empty256[:7]) + empty256[7:], "", false, true},
		{empty256, " ", false, false}, {empty512, "", true, true}, {empty512, "", false, false},
		{"SHA-256", "", true, false}, {"SHA-256=", "", true, false}, {"MD5=1B2M2Y8AsgTpgAmY7PhCfg==", "", true, false},
	} {
		if got := digestMatches(c.header, []byte(c.body), c.allow512); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestSigningString_KeepsOrderOfNames(t *testing.T) {
	h := http.Header{"Digest": {"SHA-256=x"}, "X-Request-Id": {"1"}, "Psu-Id": {"2", "3"}}
	if got := signingString(h, []string{"x-request-id", "digest", "psu-id"}); got != "x-request-id: 1\ndigest: SHA-256=x\npsu-id: 2, 3" {
		t.Errorf("%q", got)
	}
}

func TestVerify_RejectsEveryFlippedBit(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("text"))
	value, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	s := signature{algorithm: "rsa-sha256", value: value}
	text := []byte("text")
	if !s.verify(&key.PublicKey, text, Rules{}) || s.verify(&key.PublicKey, []byte("texts"), Rules{}) {
		t.Fatal("the valid signature is rejected, or accepted for another text")
	}
	for i := range value {
		value[i] ^= 1
		if s.verify(&key.PublicKey, text, Rules{}) {
			t.Errorf("a flipped bit in byte %d is accepted", i)
		}
		value[i] ^= 1
	}
}

func TestVerify_AcceptsP256WhereTheBankDoes(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := []byte("text")
	sum := sha256.Sum256(text)
	value, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	s := signature{algorithm: "ecdsa-sha256", value: value}
	if !s.verify(&key.PublicKey, text, Rules{P256: true}) {
		t.Error("a valid signature is rejected")
	}
	if s.verify(&key.PublicKey, text, Rules{}) || s.verify(&key.PublicKey, []byte("texts"), Rules{P256: true}) {
		t.Error("a signature is accepted by a bank without P-256, or for another text")
	}
	if s.algorithm = "rsa-sha256"; s.verify(&key.PublicKey, text, Rules{P256: true}) {
		t.Error("a signature is accepted under the name of another algorithm")
	}
}

func FuzzParseSignature(f *testing.F) {
	f.Add(wellFormed)
	f.Add(`keyId="",algorithm="",headers="",signature=""`)
	f.Add(`a="b", c="`)
	f.Fuzz(func(t *testing.T, header string) {
		s, ok := parseSignature(header)
		if !ok {
			return
		}
		if s.keyID == "" || s.algorithm == "" || len(s.headers) == 0 || len(s.value) == 0 {
			t.Fatalf("%q is accepted with an empty member", header)
		}
		again := `keyId="` + s.keyID + `",algorithm="` + s.algorithm + `",headers="` + strings.Join(s.headers, " ") +
			`",signature="` + base64.StdEncoding.EncodeToString(s.value) + `"`
		if _, ok := parseSignature(again); !ok {
			t.Fatalf("%q is accepted but not %q", header, again)
		}
	})
}
