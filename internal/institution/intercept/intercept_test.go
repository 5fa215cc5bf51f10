package intercept_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
)

// stub has every verb; each returns err.
type stub struct {
	institution.Collector // its pure methods are not called
	err                   error
	inside                func(context.Context)
}

func (s stub) run(ctx context.Context) error {
	if s.inside != nil {
		s.inside(ctx)
	}
	return s.err
}

func (s stub) OpenConsent(ctx context.Context, _ institution.OpenRequest) (institution.Opened, error) {
	return institution.Opened{ConsentID: "c-1"}, s.run(ctx)
}

func (s stub) ListAccounts(ctx context.Context, _ institution.OpenRequest) ([]consent.Account, error) {
	return nil, s.run(ctx)
}

func (s stub) StartAuthorization(ctx context.Context, _ institution.AuthorizeRequest) (institution.Authorization, error) {
	return institution.Authorization{}, s.run(ctx)
}

func (s stub) AuthorizationStatus(ctx context.Context, _ institution.Access, _, _ string, _ bool) (institution.Authorization, error) {
	return institution.Authorization{}, s.run(ctx)
}

func (s stub) Consent(ctx context.Context, _ institution.Access) (institution.ConsentInfo, error) {
	return institution.ConsentInfo{}, s.run(ctx)
}

func (s stub) Revoke(ctx context.Context, _ institution.Access) error { return s.run(ctx) }

func (s stub) Fetch(ctx context.Context, _ institution.Access, _ institution.Question) (institution.Answer, error) {
	return institution.Answer{}, s.run(ctx)
}

func (s stub) Login(ctx context.Context, _ institution.LoginRequest) (institution.LoginSession, error) {
	return institution.LoginSession{}, s.run(ctx)
}

func (s stub) Turn(ctx context.Context, _ string) (dialogue.Turn, error) {
	return dialogue.Turn{}, s.run(ctx)
}

func (s stub) Answer(ctx context.Context, _, _ string, _ dialogue.Answer) (dialogue.Turn, error) {
	return dialogue.Turn{}, s.run(ctx)
}

func (s stub) Complete(ctx context.Context, _ institution.Completion) (institution.Completed, error) {
	return institution.Completed{}, s.run(ctx)
}

func (s stub) Refresh(ctx context.Context, _ institution.Access) (institution.Tokens, error) {
	return institution.Tokens{}, s.run(ctx)
}

func (s stub) EndLogin(ctx context.Context, _, _ string) error { return s.run(ctx) }

func all(s stub) institution.Institution {
	return institution.Institution{Company: company.Company{ID: "se-a"},
		Opener: s, AccountLister: s, Authorizer: s, ConsentReader: s, Revoker: s, Collector: s, Loginer: s, Completer: s, Refresher: s}
}

// Every method of every verb that takes a context is an exchange, and must pass
// the interceptors: a verb that is added later too.
func TestWrap_InterceptsEveryExchange(t *testing.T) {
	var calls []intercept.Call
	count := func(ctx context.Context, c intercept.Call, do func(context.Context) error) error {
		calls = append(calls, c)
		return do(ctx)
	}
	fault := &institution.Error{Kind: institution.Busy}
	wrapped := reflect.ValueOf(intercept.Wrap(all(stub{err: fault}), count))
	ctx := reflect.ValueOf(institution.WithSubject(t.Context(), "user-1"))
	seen := map[institution.Verb]bool{}
	for field := range wrapped.NumField() {
		verb := wrapped.Field(field)
		if verb.Kind() != reflect.Interface {
			continue
		}
		name := wrapped.Type().Field(field).Name
		if verb.IsNil() {
			t.Errorf("%s is not tested here", name)
			continue
		}
		for m := range verb.NumMethod() {
			method := verb.Method(m)
			if method.Type().NumIn() == 0 || method.Type().In(0) != reflect.TypeFor[context.Context]() {
				continue
			}
			in := []reflect.Value{ctx}
			for i := 1; i < method.Type().NumIn(); i++ {
				in = append(in, reflect.Zero(method.Type().In(i)))
			}
			before := len(calls)
			out := method.Call(in)
			if got := out[len(out)-1].Interface(); got != error(fault) {
				t.Errorf("%s: error %v", name, got)
			}
			if len(calls) != before+1 {
				t.Errorf("%s: method %d passed the interceptor %d times", name, m, len(calls)-before)
				continue
			}
			c := calls[before]
			if c.Company != "se-a" || c.Subject != "user-1" || c.Verb == "" || seen[c.Verb] {
				t.Errorf("%s: reported as %+v", name, c)
			}
			seen[c.Verb] = true
		}
	}
}

func TestWrap_KeepsMissingVerbsNil(t *testing.T) {
	if i := intercept.Wrap(institution.Institution{}); len(i.Capabilities()) != 0 {
		t.Errorf("can %v", i.Capabilities())
	}
}

func TestWrap_FirstInterceptorIsOutermost(t *testing.T) {
	var order string
	step := func(name string) intercept.Interceptor {
		return func(ctx context.Context, _ intercept.Call, do func(context.Context) error) error {
			order += name
			defer func() { order += name }()
			return do(ctx)
		}
	}
	i := intercept.Wrap(all(stub{}), step("a"), step("b"))
	opened, err := i.Opener.OpenConsent(t.Context(), institution.OpenRequest{})
	if err != nil || opened.ConsentID != "c-1" || order != "abba" {
		t.Errorf("%+v, %v, order %s", opened, err, order)
	}
}

func TestWrap_InterceptorMayRefuse(t *testing.T) {
	refusal := &institution.Error{Kind: institution.Unreachable}
	refuse := func(context.Context, intercept.Call, func(context.Context) error) error { return refusal }
	i := intercept.Wrap(all(stub{inside: func(context.Context) { t.Error("called") }}), refuse)
	if err := i.Revoker.Revoke(t.Context(), institution.Access{}); !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
}
