package server

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/clock/clocktest"
	"samla/internal/company"
	"samla/internal/institution"
)

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
	wrote chan struct{}
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.wrote <- struct{}{} }()
	return b.Buffer.Write(p)
}

func TestWarnOfCertificates_WarnsEachDayFromThirtyDaysAhead(t *testing.T) {
	clk := clock.NewManual(time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC))
	log := &lockedBuffer{wrote: make(chan struct{}, 10)}
	s := &Server{parts: Parts{Clock: clk, Log: slog.New(slog.NewTextHandler(log, nil)), Institutions: institution.Set{"se-a": {
		Company: company.Company{ID: "se-a"}, Certificates: []institution.Certificate{
			{Use: "QWAC", Until: clk.Now().Add(30 * 24 * time.Hour)}, {Use: "QSealC", Until: clk.Now().Add(31*24*time.Hour + time.Hour)}}}}}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.warnOfCertificates(ctx) }()
	<-log.wrote
	clocktest.Waiting(t, clk, 1, "the wait")
	clk.Advance(25 * time.Hour)
	<-log.wrote // QWAC
	<-log.wrote // QSealC, which now has 30 days and no hour
	cancel()
	<-done
	text := log.String()
	if strings.Count(text, "certificate=QWAC") != 2 || strings.Count(text, "certificate=QSealC") != 1 {
		t.Error(text)
	}
}
