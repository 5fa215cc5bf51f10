package v20250101

import (
	"bytes"

	"samla/internal/collection"
)

// olderStatus returns a CollectionStatusResponse of version 2026-04-01 in the form of this
// one (docs/reference/products.md 10.2): without pollingInterval and consentId, and the two statuses that
// this version has not are FAILED.
func olderStatus(newer []byte) ([]byte, error) {
	v := view{scanner: scanner{text: newer}, out: make([]byte, 0, len(newer))}
	err := v.object(func(key []byte) error {
		value, err := v.value()
		switch {
		case err != nil || string(key) == "pollingInterval" || string(key) == "consentId":
			return err
		case string(key) == "status":
			value = olderValue(value)
		}
		v.member(key, value)
		return nil
	})
	if err == nil && !v.atEnd() {
		err = errForm
	}
	return v.out, err
}

// olderValue returns a quoted status in the form of this version.
func olderValue(value []byte) []byte {
	s := collection.Status(bytes.Trim(value, `"`))
	if in := s.In(Version); in != s {
		return []byte(`"` + string(in) + `"`)
	}
	return value
}
