package collections

import (
	"encoding/json"
	"strings"
	"unicode"

	"samla/internal/dialogue"
	"samla/internal/fault"
	"samla/internal/wire"
)

// The types of supplements (docs/reference/api.md 5.8).
const (
	TwoFactorCode   = "TWO_FACTOR_CODE"
	TwoFactorChoice = "TWO_FACTOR_CHOICE"
	ResponseObject  = "RESPONSE_OBJECT"
	CollectionInput = "COLLECTION_INPUT"
)

// maxResponse is the largest headers and response of a RESPONSE_OBJECT together, in bytes:
// with what is around them, they fit into a body of 1 MiB here and at the source
// (docs/source-protocol/README.md, Rules).
const maxResponse = 1<<20 - 1<<10

// supplement has the members of all types. Those of other types are empty.
type supplement struct {
	Type       string            `json:"type"`
	QuestionID string            `json:"questionId"`
	Value      string            `json:"value"`
	Headers    json.RawMessage   `json:"headers"`
	Response   json.RawMessage   `json:"response"`
	Values     map[string]string `json:"values"`
}

// ReadSupplement returns the answer that a body of addSupplementInformation has. f is what
// the contract says of it. Faults: f, InvalidParameter with all invalid fields, and
// BodyTooLarge for a body above wire.MaxBody that is no RESPONSE_OBJECT, and for headers and
// response above 1023 KiB.
func ReadSupplement(body []byte, f *fault.Fault) (dialogue.Answer, error) {
	if f != nil && f.Code != fault.InvalidParameter {
		return dialogue.Answer{}, f
	}
	var s supplement
	err := decode(body, &s)
	switch {
	case s.Type != ResponseObject && len(body) > wire.MaxBody, len(s.Headers)+len(s.Response) > maxResponse:
		return dialogue.Answer{}, fault.New(fault.BodyTooLarge)
	case f != nil:
		return dialogue.Answer{}, withoutNames(f)
	case err != nil:
		return dialogue.Answer{}, fault.Wrap(err)
	}
	v := &Validation{}
	v.checkText("/questionId", s.QuestionID)
	a := dialogue.Answer{Question: s.QuestionID}
	switch s.Type {
	case TwoFactorCode, TwoFactorChoice:
		v.checkText("/value", s.Value)
		if s.Type == TwoFactorCode {
			a.Code = s.Value
		} else {
			a.Choice = s.Value
		}
	case CollectionInput:
		v.checkInputs(s.Values)
		a.Inputs = s.Values
	case ResponseObject:
		a.Response = &dialogue.DeviceResponse{Headers: given(s.Headers), Body: given(s.Response)}
	}
	return a, v.Err()
}

// checkInputs reports values with control characters, and names that no input has. Such a
// name is not repeated: it may be a value.
func (v *Validation) checkInputs(inputs map[string]string) {
	for key, value := range inputs {
		if !isInputType(key) {
			v.report("/values", fault.Invalid, "has a name that REQUIRED_INPUT_TYPES does not list")
			continue
		}
		v.checkText("/values/"+key, value)
	}
}

// withoutNames returns a fault whose pointers have no names of inputs that the client has
// made up.
func withoutNames(f *fault.Fault) error {
	v := &Validation{}
	for _, field := range f.Fields {
		if name, ok := strings.CutPrefix(field.Pointer, "/values/"); ok && !isInputType(name) {
			v.report("/values", fault.Invalid, "has a name that REQUIRED_INPUT_TYPES does not list")
			continue
		}
		v.report(field.Pointer, field.Code, field.Message)
	}
	return v.Err()
}

// isInputType reports whether a text can be one of REQUIRED_INPUT_TYPES, such as
// MOBILE_PHONE_NUMBER (docs/reference/api.md 5.5).
func isInputType(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'A' || c > 'Z') && c != '_' && (c < '0' || c > '9' || i == 0) {
			return false
		}
	}
	return text != "" && len(text) <= 64
}

// checkText reports control characters.
func (v *Validation) checkText(pointer, text string) {
	if strings.ContainsFunc(text, unicode.IsControl) {
		v.report(pointer, fault.Invalid, "must not contain control characters")
	}
}

// given returns a value, or nil for null.
func given(value json.RawMessage) json.RawMessage {
	if string(value) == "null" {
		return nil
	}
	return value
}
