package dialogue

// Reason is why a login ended without success. The set is closed; a connector turns what
// it does not know into Failed.
type Reason string

// The reasons. Package collection has the status of each (docs/reference/api.md 5.7).
const (
	Cancelled           Reason = "CANCELLED"
	TimedOut            Reason = "TIMEOUT"
	ChoiceTimedOut      Reason = "CHOICE_TIMEOUT"
	InputTimedOut       Reason = "INPUT_TIMEOUT"
	WrongCredentials    Reason = "INCORRECT_CREDENTIALS"
	Locked              Reason = "LOCKED"
	Conflict            Reason = "CONFLICT"              // another login of the person is going on
	Mismatch            Reason = "MISMATCH"              // another person logged in
	KYCRequired         Reason = "KYC_REQUIRED"          // the institution wants its know-your-customer form
	ContactRequired     Reason = "CONTACT_REQUIRED"      // it wants contact details
	EnrollmentRequired  Reason = "ENROLLMENT_REQUIRED"   // the person is no customer
	MethodNotApplicable Reason = "METHOD_NOT_APPLICABLE" // the login method does not fit the person
	Unavailable         Reason = "UNAVAILABLE"           // a fault of the institution
	LoginFailed         Reason = "LOGIN_FAILED"          // another failure of the login
	Failed              Reason = "FAILED"                // unspecified
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{Cancelled, TimedOut, ChoiceTimedOut, InputTimedOut, WrongCredentials, Locked, Conflict, Mismatch,
		KYCRequired, ContactRequired, EnrollmentRequired, MethodNotApplicable, Unavailable, LoginFailed, Failed}
}
