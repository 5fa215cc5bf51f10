package server

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/institution"
)

func TestUpkeep_CallsEachInstitutionHourly(t *testing.T) {
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
		for clk.Waiting() == 0 {
			runtime.Gosched()
		}
		clk.Advance(time.Hour)
	}
	<-called
	cancel()
	<-done
	if text := log.String(); !strings.Contains(text, "company=se-b family=many") || strings.Count(text, "no list") < 2 {
		t.Error(text)
	}
}
