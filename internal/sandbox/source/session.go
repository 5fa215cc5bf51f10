package source

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// session is one login of a person, and the reading after it. The exported fields are what
// the journal stores.
type session struct {
	ID        string                     `json:"id"`
	Key       string                     `json:"key"` // random; tokens are derived from it
	RequestID string                     `json:"requestId"`
	Login     login                      `json:"login"`
	Created   time.Time                  `json:"created"`
	State     state                      `json:"state"`
	First     json.RawMessage            `json:"first"`              // the answer to the request that made it
	Answered  map[string]json.RawMessage `json:"answered,omitempty"` // answers given, by Request-Id
	Ended     bool                       `json:"ended,omitempty"`    // by DELETE

	company *company
	script  script
	used    time.Time // the last request
}

// derive returns 32 hexadecimal digits that only this session has, for one purpose in one
// step.
func (s *session) derive(step int, purpose string) string {
	mac := hmac.New(sha256.New, []byte(s.Key))
	mac.Write([]byte(purpose + "/" + strconv.Itoa(step))) // never fails
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// uuid is derive in the form of a UUID of version 4.
func (s *session) uuid(step int, purpose string) string {
	mac := hmac.New(sha256.New, []byte(s.Key))
	mac.Write([]byte("uuid/" + purpose + "/" + strconv.Itoa(step))) // never fails
	id, err := uuid.FromBytes(mac.Sum(nil)[:16])
	if err != nil { // 16 bytes are always a UUID
		panic("source: " + err.Error())
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}

// person is whose data is read: who signed, or else who was named.
func (s *session) person() string {
	switch {
	case s.State.Signer != "":
		return s.State.Signer
	case s.Login.PersonalNumber != "":
		return s.Login.PersonalNumber
	}
	return numberOf(s.email())
}

// email is the address that the login named, or else the one that the person was asked for.
func (s *session) email() string { return cmp.Or(s.Login.Email, s.State.Email) }

// name is how the person is known: by the address with the login method EMAIL, else by the
// number.
func (s *session) name() string {
	if s.Login.LoginMethod == methodEmail {
		return s.email()
	}
	return s.Login.PersonalNumber
}

// loggedIn is the personal number that the institution reports after the login; empty: it
// does not know it.
func (s *session) loggedIn(st step, now state) string {
	switch {
	case st.Mask != "":
		return st.Mask
	case now.Signer != "":
		return now.Signer
	}
	return s.Login.PersonalNumber
}

// numberOf returns the number that stands for a person who is known by an e-mail address.
// Its serial is 000, which is never issued.
func numberOf(email string) string {
	sum := sha256.Sum256([]byte("samla-sandbox/" + email))
	year, month, day := 1950+int(sum[0])%50, 1+int(sum[1])%12, 1+int(sum[2])%28
	return strconv.Itoa(year*10000+month*100+day) + "000" + strconv.Itoa(int(sum[3])%10)
}
