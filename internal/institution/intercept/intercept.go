// Package intercept wraps the verbs of institutions: it reports the outcome of each
// call and limits the calls in flight. The flows call the verbs as usual.
package intercept

import (
	"context"
	"slices"

	"samla/internal/institution"
)

// Call describes one call of a verb.
type Call struct {
	Company string
	Verb    institution.Verb
	Subject string // see institution.WithSubject; "" = not known
}

// Interceptor wraps a call. It calls do at most once and returns the error of
// do, or an *institution.Error of its own if it does not call do. It must be safe
// for concurrent use.
type Interceptor func(ctx context.Context, c Call, do func(context.Context) error) error

// Wrap returns i with every call wrapped by the interceptors; the first one is
// outermost. A verb that i does not have stays nil.
func Wrap(i institution.Institution, interceptors ...Interceptor) institution.Institution {
	c := chain{company: i.Company.ID, interceptors: interceptors}
	if i.Opener != nil {
		i.Opener = opener{i.Opener, c}
	}
	if i.AccountLister != nil {
		i.AccountLister = accountLister{i.AccountLister, c}
	}
	if i.Authorizer != nil {
		i.Authorizer = authorizer{i.Authorizer, c}
	}
	if i.ConsentReader != nil {
		i.ConsentReader = consentReader{i.ConsentReader, c}
	}
	if i.Revoker != nil {
		i.Revoker = revoker{i.Revoker, c}
	}
	if i.Collector != nil {
		i.Collector = collector{i.Collector, c}
	}
	if i.Completer != nil {
		i.Completer = completer{i.Completer, c}
	}
	if i.Refresher != nil {
		i.Refresher = refresher{i.Refresher, c}
	}
	if i.Loginer != nil {
		i.Loginer = loginer{i.Loginer, c}
	}
	return i
}

// chain is the interceptors of one institution.
type chain struct {
	company      string
	interceptors []Interceptor
}

// run calls do through the chain.
func run[T any](ctx context.Context, c chain, verb institution.Verb, do func(context.Context) (T, error)) (result T, err error) {
	call := Call{Company: c.company, Verb: verb, Subject: institution.SubjectOf(ctx)}
	next := func(ctx context.Context) (err error) {
		result, err = do(ctx)
		return err
	}
	for _, around := range slices.Backward(c.interceptors) {
		inner := next
		next = func(ctx context.Context) error { return around(ctx, call, inner) }
	}
	err = next(ctx)
	return result, err
}
