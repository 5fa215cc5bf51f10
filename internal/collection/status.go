package collection

// Status is the public status of a collection. The enum has 27 values
// (docs/reference/api.md 5.7).
type Status string

// The statuses that are not terminal.
const (
	Running                Status = "RUNNING"
	Login                  Status = "LOGIN"
	TwoFactorPending       Status = "TWO_FACTOR_PENDING"
	ContactFormPending     Status = "CONTACT_FORM_PENDING"
	CollectionInputPending Status = "COLLECTION_INPUT_PENDING"
	WaitingForUserAction   Status = "WAITING_FOR_USER_ACTION"
	Collecting             Status = "COLLECTING"
)

// The terminal statuses.
const (
	Completed                       Status = "COMPLETED"
	CompletedPartial                Status = "COMPLETED_PARTIAL"
	CompletedEmpty                  Status = "COMPLETED_EMPTY"
	Failed                          Status = "FAILED"
	FailedPDFParse                  Status = "FAILED_PDF_PARSE"
	FailedPDFUserInput              Status = "FAILED_PDF_USER_INPUT"
	ThirdPartyError                 Status = "THIRD_PARTY_ERROR"
	AccountTemporarilyLocked        Status = "ACCOUNT_TEMPORARILY_LOCKED"
	AuthenticationError             Status = "AUTHENTICATION_ERROR"
	IncorrectCredentials            Status = "INCORRECT_CREDENTIALS"
	AuthenticationTimeout           Status = "AUTHENTICATION_TIMEOUT"
	AuthenticationCancelled         Status = "AUTHENTICATION_CANCELLED"
	AuthenticationConflict          Status = "AUTHENTICATION_CONFLICT"
	AuthenticationMismatch          Status = "AUTHENTICATION_MISMATCH"
	TwoFactorMethodSelectionTimeout Status = "TWO_FACTOR_METHOD_SELECTION_TIMEOUT"
	CollectionInputTimeout          Status = "COLLECTION_INPUT_TIMEOUT"
	KYCForm                         Status = "KYC_FORM"
	ContactForm                     Status = "CONTACT_FORM"
	CustomerEnrollmentRequired      Status = "CUSTOMER_ENROLLMENT_REQUIRED"
	LoginMethodNotApplicable        Status = "LOGIN_METHOD_NOT_APPLICABLE"
)

// Class groups the statuses by what the client has to do next.
type Class int

// The classes of docs/reference/api.md 5.7.
const (
	Unknown    Class = iota // not in the enum
	Active                  // in progress; the person has nothing to do
	Waiting                 // waits for the person
	Success                 // terminal, with data
	Failure                 // terminal, without data
	UserAction              // terminal; the person has to act and start again
)

var classes = map[Status]Class{
	Running: Active, Collecting: Active,
	Login: Waiting, TwoFactorPending: Waiting, ContactFormPending: Waiting, CollectionInputPending: Waiting,
	WaitingForUserAction: Waiting,
	Completed:            Success, CompletedPartial: Success, CompletedEmpty: Success,
	Failed: Failure, FailedPDFParse: Failure, FailedPDFUserInput: Failure, ThirdPartyError: Failure,
	AccountTemporarilyLocked: Failure, AuthenticationError: Failure,
	IncorrectCredentials: UserAction, AuthenticationTimeout: UserAction, AuthenticationCancelled: UserAction,
	AuthenticationConflict: UserAction, AuthenticationMismatch: UserAction,
	TwoFactorMethodSelectionTimeout: UserAction, CollectionInputTimeout: UserAction, KYCForm: UserAction,
	ContactForm: UserAction, CustomerEnrollmentRequired: UserAction, LoginMethodNotApplicable: UserAction,
}

// Statuses returns the whole enum in no particular order.
func Statuses() []Status {
	all := make([]Status, 0, len(classes))
	for s := range classes {
		all = append(all, s)
	}
	return all
}

// Class returns the class of a status, or Unknown if it is not in the enum.
func (s Status) Class() Class { return classes[s] }

// Terminal reports whether nothing follows this status.
func (s Status) Terminal() bool { return s.Class() >= Success }

// HasData reports whether products can be fetched in this status.
func (s Status) HasData() bool { return s == Completed || s == CompletedPartial }
