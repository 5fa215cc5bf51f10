package authorize_test

import (
	"context"
	"fmt"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// orders is a bank whose BankID orders end after 30 seconds without a scan. Each
// authorization has a token of its own.
type orders struct {
	*env
	signed string // the authorization that the person signs; "" = none
	polls  func() // of the person who waits
}

// present lets the person of a consent poll.
func (o *orders) present(id consent.ID) {
	o.polls = func() {
		c := o.Consent(id)
		if _, err := o.Show(o.Context(), c); err != nil {
			o.Error(err)
		}
	}
}

func (o *orders) start(institution.AuthorizeRequest) (institution.Authorization, error) {
	return o.order(len(o.bank.started)), nil
}

func (o *orders) order(n int) institution.Authorization {
	a := o.pending(fmt.Sprintf("bankid.%d", n))
	a.ID, a.StatusLink, a.Progress, a.Instructions.AutoStartToken = fmt.Sprintf("auth-%d", n), "", consent.NotScanned, fmt.Sprintf("token-%d", n)
	a.Instructions.ExpiresAt = time.Time{}
	return a
}

// expiring returns an env with such a bank.
func expiring(b *env) *orders {
	o := &orders{env: b}
	var began time.Time
	b.bank.onStart = func(r institution.AuthorizeRequest) (institution.Authorization, error) {
		began = b.Clock.Now()
		return o.start(r)
	}
	b.bank.onStatus = func(int) (institution.Authorization, error) {
		if o.polls != nil {
			defer o.polls()
		}
		asked := b.bank.authorizations[len(b.bank.authorizations)-1]
		switch {
		case asked == o.signed:
			return institution.Authorization{State: institution.AuthorizationDone}, nil
		case b.Clock.Now().Sub(began) >= 30*time.Second:
			return institution.Authorization{State: institution.AuthorizationFailed, Failure: consent.AuthenticationTimeout}, nil
		}
		return o.order(len(b.bank.started)), nil
	}
	return o
}

// dies is a store whose writes fail after some of them, as those of a node that has died.
type dies struct {
	store.Store
	after int
}

func (d *dies) Write(ctx context.Context, f func(store.Tx) error) error {
	if d.after--; d.after < 0 {
		return errFailing
	}
	return d.Store.Write(ctx, f)
}
