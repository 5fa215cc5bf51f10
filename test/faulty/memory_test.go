package faulty

import (
	"bufio"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// memoryOf is the number of collections whose memory is measured, and pageMiB the size of
// a page. For figures:
//
//	go test ./test/faulty -run Memory -v -collections 20 -page 15
var (
	memoryOf = flag.Int("collections", 4, "collections that read huge pages at once")
	pageMiB  = flag.Int("page", 4, "size of a huge page in MiB")
)

// hugePages answers with pages of transactions, each of some MiB and with a link to a
// next one. No two rows are equal.
func (b *bank) hugePages(size int) http.HandlerFunc {
	var page atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		n := page.Add(1)
		out := bufio.NewWriterSize(w, 64<<10)
		_, _ = out.WriteString(`{"transactions":{"booked":[`)
		day := time.Now().AddDate(0, 0, -3).Format(time.DateOnly)
		for written, i := 0, 0; written < size; i++ {
			if i > 0 {
				_ = out.WriteByte(',')
			}
			k, err := fmt.Fprintf(out, `{"transactionId":"t%d-%d","bookingDate":%q,"transactionAmount":{"currency":"SEK","amount":"-%d.00"},`+
				`"creditorName":"A creditor with a name","remittanceInformationUnstructured":"Payment %d of page %d, with a text of a usual length"}`, n, i, day, i+1, i, n)
			if err != nil {
				return
			}
			written += k
		}
		_, _ = fmt.Fprintf(out, `],"_links":{"next":{"href":"/v1/accounts/a1/transactions?page=%d"}}}}`, n)
		_ = out.Flush()
	}
}

// resetPeak makes the peak of resident memory begin again, and peak returns it in MiB.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600) }

func peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no figures of memory on this system")
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kb >> 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// sizeOf returns the bytes of all files below a directory, in MiB.
func sizeOf(t *testing.T, dir string) int {
	t.Helper()
	var total int64
	if err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		total += info.Size()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return int(total >> 20)
}

// A bank whose pages are huge and never end costs a bounded amount of memory, however
// many collections read it.
func TestMemory_OfHugePagesIsBounded(t *testing.T) {
	skipIfShort(t)
	dir := t.TempDir()
	e := start(t, dir, nil, "se-huge")
	consent := e.sign(t, "se-huge")
	before := peak(t)
	e.banks["se-huge"].fail(e.banks["se-huge"].hugePages(*pageMiB<<20), "/transactions")
	resetPeak()
	began := time.Now()
	ids := make([]string, *memoryOf)
	for i := range ids {
		ids[i] = e.collect(t, "se-huge", consent, true)
	}
	ended := map[string]int{}
	for len(ids) > 0 {
		var left []string
		for _, id := range ids { // polls keep them alive
			if status := e.waitCollection(t, id, 0); status == "RUNNING" || status == "COLLECTING" {
				left = append(left, id)
			} else {
				ended[status]++
			}
		}
		if ids = left; time.Since(began) > 8*time.Minute {
			t.Fatalf("%d collections have not ended", len(ids))
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("%d collections of pages of %d MiB: ended %v after %v, %d requests, peak %d MiB (before %d), store %d MiB",
		*memoryOf, *pageMiB, ended, time.Since(began).Round(time.Second), e.banks["se-huge"].asked.Load(), peak(t), before, sizeOf(t, dir))
	if ended["COMPLETED_PARTIAL"] != *memoryOf {
		t.Errorf("%d of %d collections are COMPLETED_PARTIAL", ended["COMPLETED_PARTIAL"], *memoryOf)
	}
	if peak(t) > before+800 && !raceDetector {
		t.Errorf("a peak of %d MiB", peak(t))
	}
}
