package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/event"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/uuid7"
)

// The ids in triggered events lead to nothing: no row is made.
type triggerCmd struct {
	devKeyFlags
	Event    string `arg:"" help:"Type of the event, such as COLLECTION, or all for one of each type."`
	Status   string `default:"COMPLETED" help:"Status in the event COLLECTION."`
	Database string `help:"PostgreSQL URL of samla dev, if it has one; then with --api-key or --data for the key."`
}

// Validate reports an unknown type.
func (c *triggerCmd) Validate() error {
	if _, err := c.types(); err != nil {
		return err
	}
	if c.Data == "" && c.Database == "" {
		return errors.New("give --data with the directory of samla dev")
	}
	return nil
}

func (c *triggerCmd) types() ([]event.Type, error) {
	if c.Event == "all" { // TEST is about an endpoint: POST /webhook-endpoints/{id}/test
		return slices.DeleteFunc(event.Types(), func(t event.Type) bool { return t == event.TypeTest }), nil
	}
	t := event.Type(strings.ToUpper(c.Event))
	if !t.Valid() || t == event.TypeTest {
		var names []string
		for _, t := range event.Types() {
			if t != event.TypeTest {
				names = append(names, string(t))
			}
		}
		return nil, fmt.Errorf("%q is no type of event: use all, %s", c.Event, strings.Join(names, ", "))
	}
	return []event.Type{t}, nil
}

// Run adds events to the database of a development server, which finds them within about
// a second.
func (c *triggerCmd) Run(a *app) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	types, err := c.types()
	if err != nil {
		return err
	}
	dsn := existingStore{storeFlags{Data: c.Data, Database: c.Database}}
	if err := dsn.Validate(); err != nil {
		return err
	}
	if c.Database == "" && filepath.Base(dsn.dsn()) != "store" {
		return errors.New("--data must be the directory of samla dev")
	}
	return withStore(a, dsn.storeFlags, func(db *sqlstore.Store) error {
		owner, err := db.APIKeyByHash(a.ctx, client.HashOf(key))
		if err != nil {
			return fmt.Errorf("the database does not know this API key: %w", err)
		}
		now := clock.System().Now()
		ids := uuid7.NewGenerator(clock.System(), rand.Reader)
		for _, t := range types {
			e := triggered(ids, t, owner.ClientID, c.Status, now)
			if err := db.Write(a.ctx, func(tx store.Tx) error { return tx.AddEvent(a.ctx, e) }); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s\t%s\n", e.Type, e.ID)
		}
		return nil
	})
}

// triggered returns an event of a type with ids that lead to nothing.
func triggered(ids *uuid7.Generator, t event.Type, clientID, status string, now time.Time) event.Event {
	user := ids.New()
	c := consent.Consent{ID: consent.ID(ids.New()), ClientID: clientID, UserID: user, Status: consent.Authorized, ExpiresAt: now.Add(7 * 24 * time.Hour)}
	switch t {
	case event.TypeConsentFailed:
		c.Status = consent.Failed
	case event.TypeConsentRevoked:
		c.Status = consent.Revoked
	case event.TypeConsentExpired:
		c.Status = consent.Expired
	case event.TypeConsentExpiring:
		return event.ConsentExpiring(ids, c, now)
	case event.TypeConsentRenewed:
		renews := c
		renews.ID = consent.ID(ids.New())
		return event.ConsentRenewed(ids, c, renews, now)
	case event.TypeAccountUpdated:
		return event.AccountUpdated(ids, event.AccountNews{ClientID: clientID, UserID: user, AccountID: ids.New(), Generation: 1, Added: 1}, now)
	case event.TypeRefreshPlanChanged:
		return event.RefreshPlanChanged(ids, event.PlanChange{ClientID: clientID, UserID: user, ConsentID: string(c.ID), State: "ACTIVE"}, now)
	case event.TypeCollection:
		return event.Collection(ids, collection.Collection{ID: ids.New(), ClientID: clientID, UserID: user, Status: collection.Status(status)}, now)
	}
	e, _ := event.Consent(ids, c, now)
	return e
}
