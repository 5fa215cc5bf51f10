package cases

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"samla/internal/collect"
	"samla/internal/plaintext"
	"samla/internal/record"
)

// envRecord plays the recorded form of every case; without it, of every tenth.
const envRecord = "SAMLA_RECORD"

// notRecorded are cases of which no case with the same result is found: their result hangs on
// words or numbers that are replaced. The command then writes nothing and says so.
var notRecorded = map[string]bool{"own-booking-date-is-none": true, "own-profile-types": true, "own-not-a-number": true}

// TestRecord makes a case file of the first collection of each case, and plays it: the
// result is the same, and no text of the original is in it.
func TestRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var mu sync.Mutex
	refused, written, n := map[string]int{}, 0, 0
	t.Run("record", func(t *testing.T) {
		s := setting{startTime, t.TempDir(), func(caseFile) bool {
			n++
			return os.Getenv(envRecord) != "" || n%10 == 1
		}, false}
		s.playFolder(t, "testdata", func(p *player) {
			if len(p.collections) == 0 || p.collections[0].id == "" || !strings.HasPrefix(p.collections[0].status.(string), "COMPLETED") {
				return
			}
			text, why := recorded(p)
			mu.Lock()
			defer mu.Unlock()
			if why != "" {
				refused[why]++
				if why != record.ErrFilter.Error() && !notRecorded[p.Name] {
					p.Error(why)
				}
				return
			}
			written++
			if err := os.WriteFile(filepath.Join(dir, "rec-"+p.Name+".json"), text, 0o600); err != nil {
				p.Error(err)
			}
		})
	})
	t.Logf("%d cases recorded, refused %v", written, refused)
	t.Run("play", func(t *testing.T) {
		setting{startTime, t.TempDir(), func(caseFile) bool { return true }, false}.playFolder(t, dir, nil)
	})
}

// recorded returns the case of the first collection, or why there is none.
func recorded(p *player) (text []byte, why string) {
	rereader := p.env.Server.Rereader()
	all, err := rereader.Recorded(p.Context(), p.collections[0].id)
	if errors.Is(err, collect.ErrNotRereadable) {
		return nil, err.Error()
	}
	if err != nil {
		p.Fatal(err)
	}
	bank := record.Bank{BaseURL: "https://" + p.bank.host + basePath, Profile: p.Input.Config["profile"]}
	made, err := record.Make(p.Context(), rereader, all, bank)
	if err != nil {
		return nil, err.Error()
	}
	text = made.Text
	for _, a := range all.Answers {
		searchIn(p.T, string(text), a.Body)
	}
	return text, ""
}

// searchIn looks for the numbers of accounts and the names of an answer in a case.
func searchIn(t *testing.T, text string, body []byte) {
	t.Helper()
	var of any
	if json.Unmarshal(body, &of) != nil {
		return
	}
	var walk func(member string, v any)
	walk = func(member string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, of := range v {
				walk(name, of)
			}
		case []any:
			for _, of := range v {
				walk(member, of)
			}
		case string:
			personal := map[string]bool{"iban": true, "bban": true, "ownerName": true, "creditorName": true, "debtorName": true,
				"remittanceInformationUnstructured": true, "transactionId": true, "resourceId": true}[member]
			if personal && len(v) >= 8 && !plaintext.IsFiller(v) && strings.Trim(v, v[:1]) != "" && strings.Contains(text, v) {
				t.Errorf("%s %q is in the case", member, v)
			}
		}
	}
	walk("", of)
}
