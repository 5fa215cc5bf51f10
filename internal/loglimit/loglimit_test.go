package loglimit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"samla/internal/loglimit"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// written passes records to a handler and returns what it wrote.
func written(t *testing.T, write func(log func(after time.Duration, l slog.Level, message string, args ...any))) string {
	t.Helper()
	var out strings.Builder
	h := loglimit.New(slog.NewTextHandler(&out, nil)).WithAttrs([]slog.Attr{slog.String("node", "a")})
	write(func(after time.Duration, l slog.Level, message string, args ...any) {
		r := slog.NewRecord(start.Add(after), l, message, 0)
		r.Add(args...)
		if h.Enabled(context.Background(), l) {
			if err := h.Handle(context.Background(), r); err != nil {
				t.Fatal(err)
			}
		}
	})
	return out.String()
}

func TestHandler_PassesOneRecordOfACausePerMinute(t *testing.T) {
	out := written(t, func(log func(time.Duration, slog.Level, string, ...any)) {
		for i := range 100 {
			log(time.Duration(i)*time.Millisecond, slog.LevelError, "answered", "error", fmt.Errorf("request %d: refused", i))
		}
		log(time.Minute, slog.LevelError, "answered", "error", errors.New("request 7: refused"))
	})
	if strings.Count(out, "\n") != 2 || strings.Count(out, "suppressed=99") != 1 || !strings.Contains(out, "node=a") {
		t.Errorf("written:\n%s", out)
	}
}

func TestHandler_PassesOtherCauses(t *testing.T) {
	failed := errors.New("refused")
	out := written(t, func(log func(time.Duration, slog.Level, string, ...any)) {
		log(0, slog.LevelError, "answered", "error", failed)
		log(0, slog.LevelError, "answered", "error", errors.New("lost"))
		log(0, slog.LevelError, "claimed", "error", failed)
		log(0, slog.LevelWarn, "asked", "company", "se-a", "error", failed)
		log(0, slog.LevelWarn, "asked", "company", "se-b", "error", failed)
		for range 3 { // no cause, or not a warning
			log(0, slog.LevelWarn, "missing", "company", "se-a")
			log(0, slog.LevelInfo, "asked", "company", "se-a", "error", failed)
		}
	})
	if n := strings.Count(out, "\n"); n != 11 {
		t.Errorf("%d records:\n%s", n, out)
	}
}

func TestHandler_ForgetsCausesWhenThereAreMany(t *testing.T) {
	out := written(t, func(log func(time.Duration, slog.Level, string, ...any)) {
		for i := range 3000 {
			log(0, slog.LevelError, fmt.Sprint("message ", i), "error", errors.New("x"))
		}
		log(0, slog.LevelError, "message 0", "error", errors.New("x"))
	})
	if n := strings.Count(out, "\n"); n != 3001 {
		t.Errorf("%d records", n)
	}
}
