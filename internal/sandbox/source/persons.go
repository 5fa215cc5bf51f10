package source

import (
	"slices"
	"strings"
)

// Person is a row of the table of persons in docs/sandbox.md: what a person does at an
// institution, and which statuses the collection has (docs/reference/api.md 5.7).
type Person struct {
	Company     string
	LoginMethod string
	Who         string // personal number, or e-mail address
	// Does is what the person and the client do, in order. The actions are those of
	// docs/sandbox.md; empty: they wait.
	Does []string
	// Statuses are those that a client sees after RUNNING, in this order; the last one is
	// final. Others may come between them.
	Statuses []string
	// Shows says in a few words what the row is for.
	Shows string
}

// Persons returns the table of docs/sandbox.md.
func Persons() []Person {
	var list []Person
	for _, c := range companies() {
		for _, r := range c.rows {
			for _, p := range r.people {
				p.Company = c.ID
				if p.LoginMethod == "" {
					p.LoginMethod = c.LoginMethods[0]
				}
				if p.Who == "" {
					p.Who = r.number + r.email
				}
				list = append(list, p)
			}
		}
	}
	return list
}

// The statuses of docs/reference/api.md 5.7 that persons reach.
const (
	isLogin       = "LOGIN"
	isTwoFactor   = "TWO_FACTOR_PENDING"
	isContact     = "CONTACT_FORM_PENDING"
	isInput       = "COLLECTION_INPUT_PENDING"
	isElsewhere   = "WAITING_FOR_USER_ACTION"
	isCollecting  = "COLLECTING"
	isCompleted   = "COMPLETED"
	isPartial     = "COMPLETED_PARTIAL"
	isEmpty       = "COMPLETED_EMPTY"
	isFailed      = "FAILED"
	isThirdParty  = "THIRD_PARTY_ERROR"
	isLocked      = "ACCOUNT_TEMPORARILY_LOCKED"
	isAuthError   = "AUTHENTICATION_ERROR"
	isIncorrect   = "INCORRECT_CREDENTIALS"
	isTimeout     = "AUTHENTICATION_TIMEOUT"
	isCancelled   = "AUTHENTICATION_CANCELLED"
	isConflict    = "AUTHENTICATION_CONFLICT"
	isMismatch    = "AUTHENTICATION_MISMATCH"
	isNoChoice    = "TWO_FACTOR_METHOD_SELECTION_TIMEOUT"
	isNoInput     = "COLLECTION_INPUT_TIMEOUT"
	isKYC         = "KYC_FORM"
	isContactForm = "CONTACT_FORM"
	isEnrollment  = "CUSTOMER_ENROLLMENT_REQUIRED"
	isMethod      = "LOGIN_METHOD_NOT_APPLICABLE"
)

// person is a person who logs in by the first login method of the company.
func person(shows string, statuses ...string) Person {
	return Person{Shows: shows, Statuses: statuses}
}

// does returns the person with what they do.
func (p Person) does(actions ...string) Person { p.Does = actions; return p }

// by returns the person with another login method.
func (p Person) by(method string) Person { p.LoginMethod = method; return p }

// demo is a row of se-demo.
func demo(number string, people ...Person) row { return row{number: number, people: people} }

func (r row) withLogin(steps ...step) row { r.login = steps; return r }
func (r row) withThen(steps ...step) row  { r.then = steps; return r }
func (r row) withContents(c contents) row { r.contents = &c; return r }
func concat(rows ...[]row) []row          { return slices.Concat(rows...) }

// Row returns the person as a line of the table in docs/sandbox.md.
func (p Person) Row() string {
	does := "waits"
	if len(p.Does) > 0 {
		does = "`" + strings.Join(p.Does, "`, `") + "`"
	}
	return "| `" + p.Company + "` | `" + p.LoginMethod + "` | `" + p.Who + "` | " + p.Shows + " | " + does + " | `" + strings.Join(p.Statuses, "`, `") + "` |"
}
