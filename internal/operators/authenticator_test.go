package operators_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"samla/internal/operators"
)

// authenticator is a passkey in software, with what can be wrong about its answers.
type authenticator struct {
	*testing.T
	key    *ecdsa.PrivateKey
	id     []byte
	handle string
	count  uint32

	origin, party string
	flags         byte // 1: present, 4: verified
	sign          *ecdsa.PrivateKey
}

const (
	origin = "http://localhost:8081"
	party  = "localhost"
)

func newAuthenticator(t *testing.T) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return &authenticator{T: t, key: key, id: id, origin: origin, party: party, flags: 5, sign: key}
}

var b64 = base64.RawURLEncoding

// options are the members of a challenge that an authenticator reads.
type options struct {
	Challenge string `json:"challenge"`
	User      struct {
		ID string `json:"id"`
	} `json:"user"`
	Selection struct {
		ResidentKey      string `json:"residentKey"`
		UserVerification string `json:"userVerification"`
	} `json:"authenticatorSelection"`
	UserVerification string `json:"userVerification"`
	RPID             string `json:"rpId"`
	Exclude          []any  `json:"excludeCredentials"`
}

func (a *authenticator) read(c operators.Challenge) (o options) {
	a.Helper()
	text, err := json.Marshal(c.Options)
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		a.Fatal(err)
	}
	return o
}

func (a *authenticator) client(kind, challenge string) []byte {
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	if err != nil {
		a.Fatal(err)
	}
	return text
}

func (a *authenticator) data(flags byte) []byte {
	of := sha256.Sum256([]byte(a.party))
	return binary.BigEndian.AppendUint32(append(of[:], flags), a.count)
}

func (a *authenticator) answer(response map[string]string) []byte {
	text, err := json.Marshal(map[string]any{"id": b64.EncodeToString(a.id), "rawId": b64.EncodeToString(a.id), "type": "public-key",
		"response": response, "clientExtensionResults": map[string]any{}})
	if err != nil {
		a.Fatal(err)
	}
	return text
}

// create answers the challenge for a new passkey (https://www.w3.org/TR/webauthn-3/#sctn-attestation).
func (a *authenticator) create(c operators.Challenge) []byte {
	a.Helper()
	o := a.read(c)
	if o.Selection.ResidentKey != "required" || o.Selection.UserVerification != "required" {
		a.Errorf("the challenge does not ask for a passkey of two factors: %+v", o)
	}
	handle, err := b64.DecodeString(o.User.ID)
	if err != nil {
		a.Fatal(err)
	}
	a.handle = string(handle)
	data := a.data(a.flags | 0x40)
	data = append(data, make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(data, a.id...)
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		a.Fatal(err)
	}
	data = append(data, 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32) // COSE: EC2, ES256, P-256
	data = append(data, point[1:33]...)
	data = append(data, 0x22, 0x58, 32)
	data = append(data, point[33:]...)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	return a.answer(map[string]string{"clientDataJSON": b64.EncodeToString(a.client("webauthn.create", o.Challenge)), "attestationObject": b64.EncodeToString(append(object, data...))})
}

// get answers the challenge of a sign-in.
func (a *authenticator) get(c operators.Challenge) []byte {
	a.Helper()
	o := a.read(c)
	if o.UserVerification != "required" || o.RPID != party {
		a.Errorf("the challenge does not ask for two factors: %+v", o)
	}
	client, data := a.client("webauthn.get", o.Challenge), a.data(a.flags)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(data[:len(data):len(data)], hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.sign, sum[:])
	if err != nil {
		a.Fatal(err)
	}
	return a.answer(map[string]string{"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data),
		"signature": b64.EncodeToString(signature), "userHandle": b64.EncodeToString([]byte(a.handle))})
}
