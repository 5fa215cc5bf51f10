package eidas_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"samla/internal/eidas"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const fca, fcaID = "Financial Conduct Authority", "GB-FCA"

// statements are what the examples of the UK "eIDAS PSD2 Certificate Signing
// Request Profiles" 2.2 say, by their names in docs/reference/vectors.json.
var statements = []struct {
	name string
	want eidas.Statements
}{
	{"QWAC_PSP_AI", eidas.Statements{Type: eidas.Web, Roles: []eidas.Role{eidas.AI}, NCAName: fca, NCAID: fcaID}},
	{"QWAC_PSP_PI", eidas.Statements{Type: eidas.Web, Roles: []eidas.Role{eidas.PI}, NCAName: fca, NCAID: fcaID}},
	{"QWAC_PSP_PI_PSP_AI", eidas.Statements{Type: eidas.Web, Roles: []eidas.Role{eidas.PI, eidas.AI}, NCAName: fca, NCAID: fcaID}},
	{"QSEAL_PSP_AI", eidas.Statements{Type: eidas.Seal, Roles: []eidas.Role{eidas.AI}, NCAName: fca, NCAID: fcaID}},
}

// vectors returns the DER of each example, in the order of statements.
func vectors(t testing.TB) [][]byte {
	t.Helper()
	raw, err := os.ReadFile("../../docs/reference/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Hex map[string]string `json:"psd2QcStatementsExtensionDerHex"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	all := make([][]byte, len(statements))
	for i, s := range statements {
		if all[i], err = hex.DecodeString(file.Hex[s.name]); err != nil || len(all[i]) == 0 {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	return all
}

func TestParseDER_ReadsPublishedExamples(t *testing.T) {
	ders := vectors(t)
	for i, v := range statements {
		der := ders[i]
		got, err := eidas.ParseDER(der)
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		if diff := cmp.Diff(v.want, got); diff != "" {
			t.Errorf("%s: %s", v.name, diff)
		}
		back, err := got.Marshal()
		if err != nil || !bytes.Equal(back, der) {
			t.Errorf("%s: written back as %x (%v)", v.name, back, err)
		}
	}
}

func TestParse_ReturnsErrNoneWithoutExtension(t *testing.T) {
	if _, err := eidas.Parse(&x509.Certificate{}); !errors.Is(err, eidas.ErrNone) {
		t.Errorf("got %v", err)
	}
	if got := eidas.OrganizationIdentifier(&x509.Certificate{}); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestParse_ReadsExtensionAndSubject(t *testing.T) {
	der := vectors(t)[0]
	cert := &x509.Certificate{
		Extensions: []pkix.Extension{{Id: eidas.ExtensionOID, Value: der}},
		Subject:    pkix.Name{Names: []pkix.AttributeTypeAndValue{{Type: eidas.OrganizationOID, Value: "PSDSE-FINA-1"}}},
	}
	s, err := eidas.Parse(cert)
	if err != nil || !s.Has(eidas.AI) || s.Has(eidas.PI) {
		t.Errorf("got %+v, %v", s, err)
	}
	if got := eidas.OrganizationIdentifier(cert); got != "PSDSE-FINA-1" {
		t.Errorf("got %q", got)
	}
}

func TestParseDER_RejectsMalformedInput(t *testing.T) {
	good := vectors(t)[0]
	for name, der := range map[string][]byte{
		"empty": {}, "truncated": good[:len(good)-1], "trailing": append(bytes.Clone(good), 0),
		"not a sequence": {0x02, 0x01, 0x01},
	} {
		if _, err := eidas.ParseDER(der); !errors.Is(err, eidas.ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := (eidas.Statements{Roles: []eidas.Role{"PSP_XX"}}).Marshal(); err == nil {
		t.Error("an unknown role was written")
	}
}

func TestMarshal_RoundTripsThroughParseDER(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := eidas.Statements{
			Type:    rapid.SampledFrom([]eidas.QcType{eidas.Unknown, eidas.Seal, eidas.Web}).Draw(t, "type"),
			Roles:   rapid.SliceOfDistinct(rapid.SampledFrom([]eidas.Role{eidas.AS, eidas.PI, eidas.AI, eidas.IC}), rapid.ID).Draw(t, "roles"),
			NCAName: rapid.String().Draw(t, "name"), NCAID: rapid.String().Draw(t, "id"),
		}
		if len(in.Roles) == 0 {
			in.Roles = nil
		}
		der, err := in.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		out, err := eidas.ParseDER(der)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, out); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzParseDER(f *testing.F) {
	for _, der := range vectors(f) {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		s, err := eidas.ParseDER(der)
		if err != nil {
			return
		}
		again, err := s.Marshal()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if s2, err := eidas.ParseDER(again); err != nil || !cmp.Equal(s, s2) {
			t.Fatalf("%+v became %+v (%v)", s, s2, err)
		}
	})
}
