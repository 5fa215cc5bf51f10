package institution

import "context"

// Verb names an operation of an institution in log lines, metrics and the list of
// capabilities.
type Verb string

// The verbs. Each names an interface of Institution, except for
// VerbAuthorizationStatus, which is the second method of Authorizer, and VerbTurn,
// VerbAnswer and VerbEndLogin, which are methods of Loginer.
const (
	VerbOpen                Verb = "open"
	VerbListAccounts        Verb = "list-accounts"
	VerbAuthorize           Verb = "authorize"
	VerbAuthorizationStatus Verb = "authorization-status"
	VerbReadConsent         Verb = "read-consent"
	VerbRevoke              Verb = "revoke"
	VerbCollect             Verb = "collect"
	VerbLogin               Verb = "login"
	VerbTurn                Verb = "turn"
	VerbAnswer              Verb = "answer"
	VerbEndLogin            Verb = "end-login"
	VerbComplete            Verb = "complete"
	VerbRefresh             Verb = "refresh-token"
)

// Verbs lists all verbs.
func Verbs() []Verb {
	return []Verb{VerbOpen, VerbListAccounts, VerbAuthorize, VerbAuthorizationStatus, VerbReadConsent, VerbRevoke, VerbCollect, VerbLogin, VerbTurn, VerbAnswer, VerbEndLogin,
		VerbComplete, VerbRefresh}
}

type subjectKey struct{}

// WithSubject returns a context for work on behalf of one subject: the id of the
// user, or of the collection that belongs to no user. Calls under it are counted
// as that subject's (package institution/intercept). A subject is never sent to
// an institution.
func WithSubject(ctx context.Context, subject string) context.Context {
	return context.WithValue(ctx, subjectKey{}, subject)
}

// SubjectOf returns the subject of a context, or "" if it has none.
func SubjectOf(ctx context.Context) string {
	subject, _ := ctx.Value(subjectKey{}).(string)
	return subject
}
