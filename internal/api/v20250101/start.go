package v20250101

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"samla/internal/api"
	"samla/internal/api/collections"
	"samla/internal/collect"
	"samla/internal/company"
	"samla/internal/fault"
)

// request is the body of initiateCollection (docs/reference/products.md 10.2). Its member
// consents is ignored.
type request struct {
	Company     string `json:"company"`
	LoginMethod string `json:"loginMethod"`
	Input       input  `json:"input"`
}

// input has the documented keys. Only the first is used here.
type input struct {
	PersonalNumber          string `json:"SWEDISH_PERSONAL_NUMBER"`
	NorwegianPersonalNumber string `json:"NORWEGIAN_PERSONAL_NUMBER"`
	NorwegianPhoneNumber    string `json:"NORWEGIAN_PHONE_NUMBER"`
	Username                string `json:"USERNAME"`
	Password                string `json:"PASSWORD"`
	Lastname                string `json:"LASTNAME"`
	AccountOwnerName        string `json:"ACCOUNT_OWNER_NAME"`
}

// Format hides the input from every verb of package fmt.
func (input) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// unused returns the keys that have a value and no company here uses.
func (i input) unused() (keys []string) {
	for key, value := range map[string]string{"NORWEGIAN_PERSONAL_NUMBER": i.NorwegianPersonalNumber, "NORWEGIAN_PHONE_NUMBER": i.NorwegianPhoneNumber,
		"USERNAME": i.Username, "PASSWORD": i.Password, "LASTNAME": i.Lastname, "ACCOUNT_OWNER_NAME": i.AccountOwnerName} {
		if value != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// personalNumber is the pointer to the key that is used.
const personalNumber = "/input/SWEDISH_PERSONAL_NUMBER"

func (o *operations) startCollection(c *api.Call) error {
	body, f := c.Body()
	r, err := o.readRequest(body, f)
	if err != nil {
		return err
	}
	c.Rewrite(olderStatus)
	return o.shared.Start(c, r, body, func(id string) string { return "/wealth/collection/" + id + "/status" })
}

// readRequest converts a body to one of version 2026-04-01 and validates it by the same
// rules. f is what the contract says of the body. Faults: f, and InvalidParameter with all
// invalid fields.
func (o *operations) readRequest(body []byte, f *fault.Fault) (collect.Request, error) {
	whole := func(field fault.Field) bool { return field.Pointer == "" } // the body is no object
	if f != nil && (f.Code != fault.InvalidParameter || slices.ContainsFunc(f.Fields, whole)) {
		return collect.Request{}, f
	}
	var r request
	if err := json.Unmarshal(body, &r); err != nil && f == nil {
		return collect.Request{}, fault.Wrap(err)
	}
	v := violations{}
	if f != nil {
		v.add(f.Fields...)
	}
	for _, key := range r.Input.unused() { // data that nobody needs is refused, not dropped
		v.add(fault.Field{Pointer: "/input/" + key, Code: fault.NotSupported, Message: "is not used by this company"})
	}
	newer := collections.Request{Company: r.Company, LoginMethod: r.LoginMethod}
	if number := r.Input.PersonalNumber; number != "" {
		newer.Parameters = []collections.Parameter{{Type: collections.SwedishBankID, PersonalNumber: number}}
	}
	validated := collections.New(o.Institutions, o.Clock.Now(), newer)
	out := validated.Collection()
	at, known := o.Institutions.Find(r.Company)
	if known && at.Loginer == nil {
		v.add(fault.Field{Pointer: "/company", Code: fault.NotSupported, Message: "can be used in version 2026-04-01 only"})
	} else if f := fault.From(validated.Err()); f != nil {
		for _, field := range f.Fields {
			v.add(older(field, at.Company, newer))
		}
	}
	return out, v.err()
}

// older returns a field of version 2026-04-01 as one of this version.
func older(f fault.Field, of company.Company, r collections.Request) fault.Field {
	switch f.Pointer {
	case "/parameters/0/personalNumber", "/parameters/0/type":
		f.Pointer = personalNumber
	case "/parameters":
		if len(r.Parameters) == 0 && of.NeedsToKnow(company.NeedsPersonalNumber) {
			return fault.Field{Pointer: personalNumber, Code: fault.Required, Message: "is missing: this company needs it"}
		}
		return fault.Field{Pointer: "/company", Code: fault.NotSupported, Message: "needs to know what version 2026-04-01 can say only"}
	}
	return f
}

// violations are invalid fields by their pointers, the first of each.
type violations map[string]fault.Field

func (v violations) add(fields ...fault.Field) {
	for _, f := range fields {
		if _, reported := v[f.Pointer]; !reported {
			v[f.Pointer] = f
		}
	}
}

func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}
	return fault.Params(slices.SortedFunc(maps.Values(v), func(a, b fault.Field) int { return cmp.Compare(a.Pointer, b.Pointer) })...)
}
