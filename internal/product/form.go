package product

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Form is the version of the JSON form of stored products. It grows when stored
// products of the version before would be read wrongly as they are; a member that
// is added needs no new form. Products are always written in this form.
const Form = 1

// ErrUnknownForm means that products are stored in a form that this version does
// not know, such as one that a later version wrote.
var ErrUnknownForm = errors.New("product: unknown form of stored products")

// transforms[i] turns stored products of form i+1 into form i+2.
var transforms []func(stored []byte) ([]byte, error)

// Canonical returns stored products of any known form in the form Form. Errors:
// ErrUnknownForm, or that of a transform.
func Canonical(form int, stored []byte) ([]byte, error) {
	return transform(transforms, form, stored)
}

func transform(steps []func([]byte) ([]byte, error), form int, stored []byte) (_ []byte, err error) {
	newest := len(steps) + 1
	if form < 1 || form > newest {
		return nil, fmt.Errorf("%w: %d, the newest known is %d", ErrUnknownForm, form, newest)
	}
	for _, step := range steps[form-1:] {
		if stored, err = step(stored); err != nil {
			return nil, fmt.Errorf("products of form %d: %w", form, err)
		}
	}
	return stored, nil
}

// Without returns stored products without those of a type; the others stay byte for byte.
// The error is ErrMalformed.
func Without(stored []byte, t Type) ([]byte, error) {
	if !bytes.Contains(stored, []byte(t)) {
		return stored, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(stored, &items); err != nil {
		return nil, fmt.Errorf("%w: not a JSON array", ErrMalformed)
	}
	items = slices.DeleteFunc(items, func(item json.RawMessage) bool {
		var head Head
		return json.Unmarshal(item, &head) == nil && head.Type == t
	})
	kept := []byte{'['}
	for i, item := range items {
		if i > 0 {
			kept = append(kept, ',')
		}
		kept = append(kept, item...)
	}
	return append(kept, ']'), nil
}
