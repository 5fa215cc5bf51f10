package intercept

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"samla/internal/institution"
)

// reportInterval is the shortest time between two log lines about one reason at one
// institution.
const reportInterval = time.Minute

// Report returns an observer that tells the operator why calls fail, and what to do:
// one log line for each reason at each institution and minute, with the number of
// calls that have failed for it since the line before.
func Report(log *slog.Logger) Observer {
	return &report{log: log, lines: map[line]*reported{}}
}

type report struct {
	log   *slog.Logger
	mu    sync.Mutex
	lines map[line]*reported
}

// line is what one log line is about. Both members are from closed sets.
type line struct {
	company string
	reason  institution.Reason
}

type reported struct {
	at     time.Time
	failed int // since at, without a line
}

// Observe implements Observer.
func (r *report) Observe(o Outcome) {
	if o.Reason == "" {
		return
	}
	failed, due := r.count(line{o.Company, o.Reason}, o.At)
	if !due {
		return
	}
	level := slog.LevelWarn
	if o.Reason.ByUs() {
		level = slog.LevelError
	}
	r.log.Log(context.Background(), level, "an institution cannot be used", "company", o.Company, "reason", o.Reason,
		"calls", failed, "remedy", o.Reason.Remedy())
}

// count counts a failed call. It returns the number of calls that the next line is
// about, and reports whether it is due.
func (r *report) count(l line, now time.Time) (failed int, due bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.lines[l]
	if last == nil {
		last = &reported{at: now.Add(-reportInterval)}
		r.lines[l] = last
	}
	last.failed++
	if now.Sub(last.at) < reportInterval {
		return 0, false
	}
	failed, last.failed, last.at = last.failed, 0, now
	return failed, true
}
