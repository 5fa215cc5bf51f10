package server

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/clock/clocktest"
	"samla/internal/company"
	"samla/internal/institution"
)

func TestUpkeep_CallsEachInstitutionEachFiveSeconds(t *testing.T) {
	clk := clock.NewManual(time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC))
	log := &lockedBuffer{wrote: make(chan struct{}, 10)}
	called := make(chan struct{}, 10)
	failing := func(context.Context) error { called <- struct{}{}; return errors.New("no list") }
	s := &Server{parts: Parts{Clock: clk, Log: slog.New(slog.NewTextHandler(log, nil)), Institutions: institution.Set{
		"se-a": {Company: company.Company{ID: "se-a"}}, "se-b": {Company: company.Company{ID: "se-b"}, Family: "many", Upkeep: failing}}}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.upkeep(ctx) }()
	for range 2 {
		<-called
		<-log.wrote
		clocktest.Waiting(t, clk, 1, "the wait")
		clk.Advance(5 * time.Second)
	}
	<-called
	cancel()
	<-done
	if text := log.String(); !strings.Contains(text, "company=se-b family=many") || strings.Count(text, "no list") < 2 {
		t.Error(text)
	}
}

// What an entry has anew is offered, wrapped where flows use it.
func TestUpkeep_PutsWhatAnEntryHasAnew(t *testing.T) {
	clk := clock.NewManual(time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC))
	told := 0
	now := func() []institution.Institution {
		if told++; told != 2 {
			return nil
		}
		return []institution.Institution{{Company: company.Company{ID: "se-new"}}}
	}
	first := institution.Set{"se-b": {Company: company.Company{ID: "se-b"}, Upkeep: func(context.Context) error { return nil }, Now: now}}
	s := &Server{parts: Parts{Clock: clk, Log: slog.New(slog.DiscardHandler), Institutions: first}, known: institution.NewLive(first), used: institution.NewLive(first),
		wrap: func(i institution.Institution) institution.Institution { i.Family = "wrapped"; return i }}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.upkeep(ctx) }()
	for round := range 2 {
		clocktest.Waiting(t, clk, 1, "the wait")
		if _, known := s.used.Find("se-new"); known != (round == 1) {
			t.Errorf("round %d: known %t", round, known)
		}
		clk.Advance(5 * time.Second)
	}
	cancel()
	<-done
	if s.used.Of("se-new").Family != "wrapped" || s.known.Of("se-new").Family != "" || s.known.Of("se-new").Company.ID == "" {
		t.Errorf("used %+v, known %+v", s.used.All(), s.known.All())
	}
}

// An operator sees a line for each entry of the file, and how many banks a gateway opens.
func TestStart_TellsOfEachEntryOnce(t *testing.T) {
	log := &lockedBuffer{wrote: make(chan struct{}, 10)}
	set := institution.Set{"se-a": {Company: company.Company{ID: "se-a"}, Family: "xs2a"}}
	for _, id := range []string{"se-eb-a", "se-eb-b", "se-eb-c"} {
		set[id] = institution.Institution{Company: company.Company{ID: id}, Family: "many", Entry: "eu-g", Retired: id == "se-eb-c"}
	}
	s := &Server{parts: Parts{Log: slog.New(slog.NewTextHandler(log, nil))}, known: institution.NewLive(set)}
	if n := s.tellInstitutions(); n != 2 {
		t.Errorf("%d entries", n)
	}
	if text := log.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "msg=gateway company=eu-g family=many offered=2 notOffered=1") || !strings.Contains(text, "msg=institution company=se-a") {
		t.Error(text)
	}
}
