package uptime_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"samla/internal/availability"
	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/deviation"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
	"samla/internal/store/sqlstore"
	"samla/internal/uptime"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// onStores runs a test over both stores.
func onStores(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { test(t, flowtest.Postgres(t)) })
}

func open(t *testing.T, dsn string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dsn, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// node is one node of a service, whose work is done by and by.
type node struct {
	*uptime.Service
	clk *clock.Manual
}

func newNode(db *sqlstore.Store, clk *clock.Manual) node {
	return node{uptime.New(uptime.Deps{Store: db, Health: &company.Health{}, Clock: clk, Log: slog.New(slog.DiscardHandler),
		Institutions: institution.Set{"se-a": {Company: company.Company{ID: "se-a"}}, "se-b": {Company: company.Company{ID: "se-b"}}}}), clk}
}

// visit counts the calls of persons from..to-1.
func (n node) visit(from, to int, by fault.Attribution, took time.Duration) {
	for i := from; i < to; i++ {
		n.Observe(intercept.Outcome{Call: intercept.Call{Company: "se-a", Subject: fmt.Sprint("person-", i)}, At: n.clk.Now(), Duration: took, Attribution: by})
	}
}

// work stores what was counted, and reads what is published.
func (n node) work(t *testing.T) {
	t.Helper()
	uptime.Step(t.Context(), n.Service)
}

// hour returns the figures of the hour that begins at start.
func (n node) hour(t *testing.T, start time.Time) availability.Published {
	t.Helper()
	list, _ := n.Published(1)
	if len(list) != 2 || list[0].Company.ID != "se-a" || len(list[0].Hours) != 24 {
		t.Fatalf("%d institutions", len(list))
	}
	for _, h := range list[0].Hours {
		if h.Start.Equal(start) {
			return h.Published
		}
	}
	return availability.Published{}
}

// Persons are counted once over all nodes, by their last outcome; an hour is told when it
// has settled, and stays as it is.
func TestUptime_CountsPersonsOfAllNodesOnce(t *testing.T) {
	onStores(t, func(t *testing.T, dsn string) {
		clk := clock.NewManual(noon.Add(time.Minute))
		db := open(t, dsn)
		one, two := newNode(db, clk), newNode(db, clk)
		one.visit(0, 10, fault.ByBank, time.Second)
		one.work(t)
		clk.Advance(time.Minute)
		two.visit(5, 10, "", 200*time.Millisecond)
		two.visit(10, 20, "", 200*time.Millisecond)
		two.visit(10, 12, fault.ByUser, 200*time.Millisecond)
		two.work(t)
		one.work(t)
		if p := one.hour(t, noon); p.Availability != nil {
			t.Errorf("the running hour is told: %v", *p.Availability)
		}
		clk.Set(noon.Add(time.Hour + 9*time.Minute))
		one.work(t)
		if p := one.hour(t, noon); p.Availability != nil {
			t.Error("the hour is told before it has settled")
		}
		clk.Set(noon.Add(time.Hour + 10*time.Minute))
		for range 2 {
			one.work(t)
			two.work(t)
			for _, n := range []node{one, two} {
				p := n.hour(t, noon)
				if p.Availability == nil || *p.Availability != 0.75 || p.Errors[availability.ByInstitution] == nil || *p.Errors[availability.ByInstitution] != 0.25 || *p.Errors[availability.BySamla] != 0 {
					t.Fatalf("%+v", p)
				}
				if *p.P50 < 200*time.Millisecond || *p.P50 > 280*time.Millisecond || *p.P99 > 280*time.Millisecond {
					t.Errorf("p50 %v, p99 %v", *p.P50, *p.P99)
				}
			}
			clk.Advance(30 * time.Minute)
		}
		fresh := newNode(db, clk) // after a restart
		fresh.work(t)
		if p := fresh.hour(t, noon); p.Availability == nil || *p.Availability != 0.75 {
			t.Errorf("after a restart: %+v", p)
		}
		if list, _ := fresh.Published(90); len(list[0].Hours) != 90*24 || list[1].LastDay.Availability != nil {
			t.Errorf("%d hours", len(list[0].Hours))
		}
	})
}

func TestUptime_TellsNothingOfFourPersons(t *testing.T) {
	clk := clock.NewManual(noon)
	n := newNode(open(t, t.TempDir()), clk)
	for hour := range 10 { // the same four persons, hour after hour
		clk.Set(noon.Add(time.Duration(hour) * time.Hour))
		n.visit(0, 4, fault.ByBank, time.Second)
		n.work(t)
	}
	clk.Advance(2 * time.Hour)
	n.work(t)
	list, _ := n.Published(1)
	for _, f := range append(list[0].Hours, list[0].LastDay) {
		if f.Availability != nil || f.P50 != nil || f.Errors[availability.ByInstitution] != nil {
			t.Errorf("%v: %+v", f.Start, f)
		}
	}
}

// What could not be stored is counted on.
func TestUptime_KeepsWhatCouldNotBeStored(t *testing.T) {
	clk := clock.NewManual(noon)
	n := newNode(open(t, t.TempDir()), clk)
	n.visit(0, 5, fault.ByBank, time.Second)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	uptime.Step(ended, n.Service)
	n.visit(5, 10, "", time.Second)
	n.work(t)
	clk.Advance(2 * time.Hour)
	n.work(t)
	if p := n.hour(t, noon); p.Availability == nil || *p.Availability != 0.5 {
		t.Errorf("%+v", p)
	}
}

// Deviations are stored once, and again when more come; a node tells its own.
func TestUptime_StoresDeviations(t *testing.T) {
	onStores(t, func(t *testing.T, dsn string) {
		clk := clock.NewManual(noon)
		db := open(t, dsn)
		n := newNode(db, clk)
		n.Deviations = &deviation.Register{}
		n.Deviations.Add("se-a", deviation.Counts{deviation.Bounded: 2})
		n.Deviations.Add("se-b", deviation.Counts{deviation.UnknownMember: 1})
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		uptime.Step(ended, n.Service)
		n.work(t)
		n.work(t)
		n.Deviations.Add("se-a", deviation.Counts{deviation.Bounded: 3, deviation.Unanswered: 1})
		n.work(t)
		got, err := db.DeviationsSince(t.Context(), "se-a", noon)
		want := []deviation.Hour{{Company: "se-a", Kind: deviation.Bounded, Start: noon, N: 5}, {Company: "se-a", Kind: deviation.Unanswered, Start: noon, N: 1}}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// The last write comes at the end of Run.
func TestUptime_StoresAtTheEnd(t *testing.T) {
	clk := clock.NewManual(noon)
	db := open(t, t.TempDir())
	n := newNode(db, clk)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); n.Run(ctx) }()
	n.visit(0, 5, "", time.Second)
	cancel()
	<-done
	hours, err := db.AvailabilityHours(t.Context(), noon)
	if err != nil || len(hours) != 1 || hours[0].Persons != 5 {
		t.Errorf("%+v, %v", hours, err)
	}
}
