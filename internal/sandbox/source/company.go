package source

import (
	"slices"
	"strings"

	"samla/internal/sandbox/household"
)

// script is the steps of a login.
type script []step

// The credentials by which a client proves who it is. Each has a path of its own (BasePath).
const (
	BearerSecret      = "bearer" // Authorization: Bearer
	ClientCertificate = "mutual" // a client certificate
)

// company is an institution that the sandbox serves.
type company struct {
	Institution
	Credential string
	// rows are the persons with a login of their own.
	rows []row
	// second are the steps after the login method for everybody without such steps.
	second []step
	// contents is what persons without contents of their own have.
	contents contents
}

// contents is what a session reads.
type contents struct {
	Household household.Contents
	Types     []string // only these; nil: all but PUBLIC_PENSION
	Missing   []missing
	// Fails: from this page on, the institution does not answer; 0: never.
	Fails int
	// Empty is the number of pages without items before the first item, a second each.
	Empty int
}

// row is a person with a login or contents of their own at an institution.
type row struct {
	number, email string
	login         []step // in place of the steps of the login method; nil: those
	then          []step // after the login; nil: those of the company
	contents      *contents
	people        []Person // how the row is reached; package docs
}

// check returns an error for a login that the institution does not offer.
func (c *company) check(l login) error {
	switch {
	case !slices.Contains(c.LoginMethods, l.LoginMethod):
		return badRequest("the institution does not offer this login method")
	case l.LoginMethod == methodEmail && l.Email != "" && !strings.Contains(l.Email, "@"):
		return badRequest("the email is none")
	case l.LoginMethod != methodEmail && !isNumber(l.PersonalNumber):
		return badRequest("the login needs a personalNumber of 12 digits")
	}
	return nil
}

func isNumber(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

// row returns the row of the person who logs in, or an empty one.
func (c *company) row(l login) row {
	for _, r := range c.rows {
		if l.LoginMethod == methodEmail && r.email != "" && r.email == l.Email ||
			l.LoginMethod != methodEmail && r.number != "" && r.number == l.PersonalNumber {
			return r
		}
	}
	return row{}
}

// scriptOf returns the steps of a login.
func (c *company) scriptOf(l login) script {
	r := c.row(l)
	sc := script(slices.Clone(r.login))
	if len(sc) == 0 || l.LoginMethod == methodMockClientSide && (sc[0].Kind == stepPicture || sc[0].Kind == stepQR) {
		sc = firstSteps(l.LoginMethod) // no QR code on the same device
	}
	if l.LoginMethod == methodEmail && l.Email == "" { // it asks where to send the link
		sc = append(script{input(inputEmail)}, sc...)
	}
	if then := r.then; then != nil {
		sc = append(sc, then...)
	} else {
		sc = append(sc, c.second...)
	}
	if last := sc[max(0, len(sc)-1):]; len(last) == 0 || last[0].Kind != stepOut && last[0].Kind != stepIn {
		sc = append(sc, step{Kind: stepIn})
	}
	return sc
}

// contentsOf returns what the person of a login has.
func (c *company) contentsOf(l login, number string) contents {
	if r := c.row(l); r.contents != nil {
		return *r.contents
	}
	have := c.contents
	if c.ID == DemoCompany {
		have.Household = household.ContentsOf(number)
	}
	return have
}

// The login methods (docs/reference/api.md 6.3).
const (
	methodAny            = "SWEDISH_MOBILE_BANKID_ANY_DEVICE"
	methodOther          = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"
	methodSame           = "SWEDISH_MOBILE_BANKID_SAME_DEVICE"
	methodClientSide     = "SWEDISH_MOBILE_BANKID_SAME_DEVICE_CLIENT_SIDE_AUTHENTICATION"
	methodMock           = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK"
	methodMockClientSide = "SWEDISH_MOBILE_BANKID_SAME_DEVICE_CLIENT_SIDE_AUTHENTICATION_MOCK"
	methodAnyTest        = "SWEDISH_MOBILE_BANKID_ANY_DEVICE_TEST"
	methodOtherTest      = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_TEST"
	methodSameTest       = "SWEDISH_MOBILE_BANKID_SAME_DEVICE_TEST"
	methodToken          = "SWEDISH_SECURITY_TOKEN"
	methodEmail          = "EMAIL"
)

// firstSteps returns the steps of a login method.
func firstSteps(method string) script {
	switch method {
	case methodMock:
		return script{work(workTime)}
	case methodMockClientSide:
		return script{device()}
	case methodEmail:
		return script{{Kind: stepMail, Limit: mailTime, Late: timedOut}}
	case methodToken:
		return script{code(wrongCredentials)}
	case methodSame, methodSameTest:
		return script{{Kind: stepBankID, Same: true}}
	case methodClientSide:
		return script{{Kind: stepBankID, Same: true}, device()}
	}
	return script{{Kind: stepBankID}}
}

func device() step { return step{Kind: stepDevice, Limit: personTime, Late: timedOut} }
