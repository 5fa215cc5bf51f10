package intercept_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
)

func TestReport_LogsEachReasonOnceAMinute(t *testing.T) {
	var logs strings.Builder
	clk := clock.NewManual(morning)
	report := intercept.Observe(clk, intercept.Report(slog.New(slog.NewTextHandler(&logs, nil))))
	fail := func(r institution.Reason, n int) {
		i := intercept.Wrap(all(stub{err: &institution.Error{Kind: institution.Unreachable, Reason: r}}), report)
		var calls sync.WaitGroup
		for range n {
			calls.Go(func() { _ = i.Revoker.Revoke(t.Context(), institution.Access{}) })
		}
		calls.Wait()
	}
	lines := func() []string {
		text := strings.TrimSpace(logs.String())
		logs.Reset()
		if text == "" {
			return nil
		}
		return strings.Split(text, "\n")
	}
	fail(institution.OurCertificateExpired, 50)
	fail(institution.NoAnswerInTime, 50)
	fail("", 50)
	got := lines()
	if len(got) != 2 || !strings.Contains(got[0], "level=ERROR") || !strings.Contains(got[1], "level=WARN") {
		t.Fatalf("logged %q", got)
	}
	for _, want := range []string{"company=se-a", "reason=OUR_CERTIFICATE_EXPIRED", "calls=1", "renew the QWAC"} {
		if !strings.Contains(got[0], want) {
			t.Errorf("%q is missing in %s", want, got[0])
		}
	}
	clk.Advance(59 * time.Second)
	if fail(institution.NoAnswerInTime, 1); len(lines()) != 0 {
		t.Error("logged again within the minute")
	}
	clk.Advance(time.Second)
	fail(institution.NoAnswerInTime, 1)
	if got := lines(); len(got) != 1 || !strings.Contains(got[0], "calls=51") {
		t.Errorf("after a minute: %q", got)
	}
}

func TestReason_HasARemedy(t *testing.T) {
	for _, r := range institution.Reasons() {
		if r.Remedy() == "" {
			t.Errorf("%s has no remedy", r)
		}
	}
}
