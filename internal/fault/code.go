package fault

// Code names one kind of failure on the wire. The set is closed: the table in this
// package has every code of this server, with what the caller needs to act on it
// (docs/reference/api.md 1.6, 4.6 and the sections of the routes).
type Code string

// The codes. Those of 4.1, which appear inside a consent's status and not as an
// HTTP error, belong to package consent.
const (
	UnsupportedVersion    Code = "UNSUPPORTED_VERSION"
	AmbiguousCredentials  Code = "AMBIGUOUS_CREDENTIALS"
	MalformedJSON         Code = "MALFORMED_JSON"
	InvalidParameter      Code = "INVALID_PARAMETER"
	Unauthorized          Code = "UNAUTHORIZED"
	Forbidden             Code = "FORBIDDEN"
	NotFound              Code = "NOT_FOUND"
	MethodNotAllowed      Code = "METHOD_NOT_ALLOWED"
	IdempotencyInProgress Code = "IDEMPOTENCY_IN_PROGRESS"
	IdempotencyKeyReused  Code = "IDEMPOTENCY_KEY_REUSED"
	BodyTooLarge          Code = "BODY_TOO_LARGE"
	UnsupportedMediaType  Code = "UNSUPPORTED_MEDIA_TYPE"
	MalformedRequest      Code = "MALFORMED_REQUEST"
	ExpectationFailed     Code = "EXPECTATION_FAILED"
	HeadersTooLarge       Code = "HEADERS_TOO_LARGE"
	RateLimited           Code = "RATE_LIMITED"
	Internal              Code = "INTERNAL_ERROR"
	Unavailable           Code = "SERVICE_UNAVAILABLE"

	UserNotFound   Code = "USER_NOT_FOUND"
	UserExists     Code = "USER_EXISTS"
	UserAnonymized Code = "USER_ANONYMIZED"

	ConsentNotFound        Code = "CONSENT_NOT_FOUND"
	ConsentExpired         Code = "CONSENT_EXPIRED"
	ConsentRevoked         Code = "CONSENT_REVOKED"
	ConsentNotAuthorized   Code = "CONSENT_NOT_AUTHORIZED"
	ConsentCompanyMismatch Code = "CONSENT_COMPANY_MISMATCH"
	ConsentNotRevocable    Code = "CONSENT_NOT_REVOCABLE"
	ConsentNotRenewable    Code = "CONSENT_NOT_RENEWABLE"
	ConsentRenewalPending  Code = "CONSENT_RENEWAL_PENDING"

	CollectionNotFound     Code = "COLLECTION_NOT_FOUND"
	CollectionNotFinished  Code = "COLLECTION_NOT_FINISHED"
	CollectionFailed       Code = "COLLECTION_FAILED"
	SupplementNotExpected  Code = "SUPPLEMENT_NOT_EXPECTED"
	DataExpired            Code = "DATA_EXPIRED"
	BackgroundRefreshLimit Code = "BACKGROUND_REFRESH_LIMIT"
	PublicPensionNotFound  Code = "PUBLIC_PENSION_NOT_FOUND"

	CursorExpired Code = "CURSOR_EXPIRED"

	WebhookEndpointNotFound Code = "WEBHOOK_ENDPOINT_NOT_FOUND"
	WebhookEndpointLimit    Code = "WEBHOOK_ENDPOINT_LIMIT"
	WebhookReplayRunning    Code = "WEBHOOK_REPLAY_RUNNING"
	WebhookReplayNotFound   Code = "WEBHOOK_REPLAY_NOT_FOUND"
	EventNotFound           Code = "EVENT_NOT_FOUND"

	FeedRestarted        Code = "FEED_RESTARTED"
	AccountNotFound      Code = "ACCOUNT_NOT_FOUND"
	AccountsNotMergeable Code = "ACCOUNTS_NOT_MERGEABLE"
	AccountNotSplittable Code = "ACCOUNT_NOT_SPLITTABLE"
	RefreshPlanNotFound  Code = "REFRESH_PLAN_NOT_FOUND"
	ConnectLinkNotFound  Code = "CONNECT_LINK_NOT_FOUND"
)

// Attribution is the party that has to act on a fault, or that caused it.
type Attribution string

// The four parties of docs/reference/api.md 1.6.
const (
	ByClient Attribution = "CLIENT"
	ByBank   Attribution = "BANK"
	BySamla  Attribution = "SAMLA"
	ByUser   Attribution = "USER"
)

// Info has what all faults of a code have in common.
type Info struct {
	Status      int // HTTP status
	Title       string
	Attribution Attribution
	Message     string // for people; the default of Fault.Message
	Remedy      string // what to do next, in one sentence
}

// Of returns the Info of a code. For an unknown code it returns that of Internal.
func Of(c Code) Info {
	if info, ok := table[c]; ok {
		return info
	}
	return table[Internal]
}

// Codes returns the closed set in no particular order.
func Codes() []Code {
	codes := make([]Code, 0, len(table))
	for c := range table {
		codes = append(codes, c)
	}
	return codes
}
