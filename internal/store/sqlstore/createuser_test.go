package sqlstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"samla/internal/store"
	"samla/internal/testpg"
	"samla/internal/user"
)

func newTestUser(externalID string) user.User {
	return user.User{ID: uuid.Must(uuid.NewV7()).String(), ClientID: "018f0000-0000-7000-8000-000000000001", ExternalID: externalID,
		CreatedAt: time.UnixMicro(1).UTC()}
}

// The connection is lost after the users of a batch were committed. The second try
// must not take the users of the first one for somebody else's.
func TestCreateUser_SurvivesLostConnection(t *testing.T) {
	proxy, url := startLossyProxy(t, testpg.URL(t), "customer-lost-alone", "customer-lost-in-batch")
	s, err := Open(t.Context(), Config{DSN: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	alone := newTestUser("customer-lost-alone")
	if err := s.CreateUser(ctx, alone); err != nil {
		t.Errorf("a user by itself: %v", err)
	}
	<-proxy.lost

	taken := newTestUser(alone.ExternalID)
	batch := []*insertion[user.User]{{row: newTestUser("customer-1")}, {row: newTestUser("customer-lost-in-batch")}, {row: taken}}
	for _, r := range batch {
		r.done = make(chan struct{})
	}
	s.users.store(batch)
	<-proxy.lost
	for _, r := range batch[:2] {
		if r.err != nil {
			t.Errorf("%s: %v", r.row.ExternalID, r.err)
		}
		if _, err := s.User(ctx, r.row.ClientID, r.row.ID); err != nil {
			t.Errorf("%s was not stored: %v", r.row.ExternalID, err)
		}
	}
	if !errors.Is(batch[2].err, store.ErrExists) {
		t.Errorf("an external id that is taken: got error %v, want %v", batch[2].err, store.ErrExists)
	}
}
