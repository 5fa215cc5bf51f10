package audit

import (
	"strconv"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/jsontext"
	"samla/internal/uuid7"
)

// DataRead is the kind of an entry that a client was given data.
const DataRead Kind = "DATA_READ"

// Basis is what permitted a read.
type Basis string

// The bases.
const (
	ByConsent Basis = "CONSENT" // of the person at a bank, RTS art. 10 and 36
	ByLogin   Basis = "LOGIN"   // the person logged in for this collection
)

// BasisOf returns what permits a collection to read.
func BasisOf(c collection.Collection) Basis {
	if c.Mode == collection.Dialogue {
		return ByLogin
	}
	return ByConsent
}

// Access is a read of stored data by a client.
type Access struct {
	ClientID string
	KeyID    string // id of the API key; empty: with a session of the user
	// UserID is the person whom the data is about; empty: a collection without a user.
	UserID       string
	ConsentID    consent.ID
	CollectionID string // empty: data of several collections
	// Consents are the lineages that the data came through, where ConsentID does not say it
	// (consent.Consent.LineageID).
	Consents   []consent.ID
	AccountIDs []string // that were asked for; ids of accounts that are UUIDs of ours
	Accounts   int      // how many were given, if they have no such ids; 0 = not known
	Route      string   // operation of the API, such as getCollectionData
	Basis      Basis
}

// Entry is the entry for the access. Account ids that are not UUIDs may be IBANs: they are
// counted and not named. It is made by hand, because it is on the path of each read.
func (a Access) Entry(ids *uuid7.Generator, at time.Time) Entry {
	b := make([]byte, 0, 256)
	if a.KeyID != "" {
		b = jsontext.AppendMember(b, `{"by":"API_KEY","keyId":`, a.KeyID)
	} else {
		b = append(b, `{"by":"SESSION"`...)
	}
	b = jsontext.AppendNonEmpty(b, `,"collectionId":`, a.CollectionID)
	sep := `,"consents":[`
	for _, id := range a.Consents {
		b = jsontext.AppendString(append(b, sep...), string(id))
		sep = `,`
	}
	if sep == `,` {
		b = append(b, ']')
	}
	counted := a.Accounts
	sep = `,"accountIds":[`
	for _, id := range a.AccountIDs {
		if !isUUID(id) {
			counted++
			continue
		}
		b = jsontext.AppendString(append(b, sep...), id)
		sep = `,`
	}
	if sep == `,` {
		b = append(b, ']')
	}
	if counted > 0 {
		b = strconv.AppendInt(append(b, `,"accounts":`...), int64(counted), 10)
	}
	b = jsontext.AppendMember(b, `,"route":`, a.Route)
	b = append(jsontext.AppendMember(b, `,"basis":`, string(a.Basis)), '}')
	return Entry{ID: ids.New(), At: at, ClientID: a.ClientID, UserID: a.UserID, ConsentID: a.ConsentID, Kind: string(DataRead), Detail: b}
}

// isUUID reports whether s has the form of a UUID, which no IBAN has.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
