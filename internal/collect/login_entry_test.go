package collect_test

import (
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/institution"
)

// The entry of an institution can give its logins more or less time than others have
// (docs/adding-a-source.md).
func TestLogin_LastsAsLongAsItsEntrySays(t *testing.T) {
	b := newLoginEnv(t)
	b.source.profile = institution.Profile{LoginTime: 2 * time.Minute}
	b.Service = b.node(b.Env)
	c := b.start()
	for range 5 {
		if b.step(c.ID); b.row(c.ID).Status.Terminal() {
			t.Fatal("the login has ended before its time")
		}
		b.Clock.Advance(23 * time.Second)
		b.poll(c.ID)
	}
	b.Clock.Advance(5 * time.Second)
	b.want(b.step(c.ID), collection.AuthenticationTimeout)
}
