package bench

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestOrderStarts_ReadsAJournalThatIsBeingWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bankid.jsonl")
	lines := `{"ref":"a","order":{"orderRef":"a","qrStartToken":"t1","startedAt":"2026-04-01T08:00:00Z"},"state":{}}
{"ref":"a","state":{"status":"failed"}}
{"ref":"b","order":{"orderRef":"b","qrStartToken":"t2","startedAt":"2026-04-01T08:00:01.5Z"},"state":{}}
{"ref":"c","order":{"qrStartTok`
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	starts, err := orderStarts(path)
	first := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	if err != nil || len(starts) != 2 || !starts["t1"].Equal(first) || !starts["t2"].Equal(first.Add(1500*time.Millisecond)) {
		t.Errorf("%v, %v", starts, err)
	}
}

// A poll counts if it was due within the measurement, and from when it was due. A QR text
// is as old as its second, by the order that it belongs to.
func TestCrowdResult_CountsFromWhenPollsWereDue(t *testing.T) {
	start := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	c := &crowd{CrowdConfig: CrowdConfig{Config: Config{Logf: t.Logf}, Waiting: 3, Bank: "rsa"}}
	c.guests = []*guest{
		{state: awaiting, samples: []sample{
			{due: at(9), took: time.Hour},
			{due: at(10), took: 20 * time.Millisecond, token: "t1", second: 9},
			{due: at(11), took: 40 * time.Millisecond, token: "t1", second: 10},
			{due: at(12), took: time.Hour},
		}},
		{state: awaiting, samples: []sample{{due: at(10.5), took: 10 * time.Millisecond, token: "t2", second: 3}}},
		{state: refused},
	}
	r, err := c.result(at(10), at(12), map[string]time.Time{"t1": start, "t2": at(7)})
	if err != nil || r.P99Ms != 40 || r.QRAgeP99Ms != 1040 || r.Refused != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	c.guests[0].state, c.guests[0].status = over, "FAILED AUTHENTICATION_TIMEOUT"
	if _, err := c.result(at(10), at(12), nil); err == nil {
		t.Error("a consent has ended, and the crowd is measured")
	}
}

func TestPercentile_ReturnsAValue(t *testing.T) {
	values := make([]int, 200)
	for i := range values {
		values[i] = 200 - i
	}
	for share, want := range map[float64]int{0: 1, 0.5: 100, 0.99: 198, 1: 200} {
		if got := percentile(values, share); got != want {
			t.Errorf("%v: %d, want %d", share, got, want)
		}
	}
	if got := percentile([]int(nil), 0.99); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
}

func TestCPUTime_GrowsWithWork(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc")
	}
	before := cpuTime(os.Getpid())
	for n := 0; cpuTime(os.Getpid()) == before; n++ {
		if n > 1_000_000 {
			t.Fatal("a busy process uses no processor time")
		}
	}
	if peakMemory() < 1 {
		t.Errorf("%v MiB of memory", peakMemory())
	}
}
