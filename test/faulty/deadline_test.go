package faulty

import (
	"io"
	"net/http"
	"testing"
	"time"

	"samla/internal/server"
	"samla/test/harness"
)

// hangs never answers, and drips sends one byte of a body every half second.
func (b *bank) hangs(_ http.ResponseWriter, r *http.Request) { b.sleep(r, time.Hour) }

func (b *bank) drips(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, `{"accounts":[`)
	for w.(http.Flusher).Flush(); b.sleep(r, 500*time.Millisecond); w.(http.Flusher).Flush() {
		if _, err := io.WriteString(w, " "); err != nil {
			return
		}
	}
}

// pages answers with pages of transactions that never end.
func (b *bank) pages(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"transactions":{"booked":[],"_links":{"next":{"href":"/v1/accounts/a1/transactions?page=`+
		time.Now().Format("150405.000000000")+`"}}}}`)
}

// Whatever a bank does, its collections and openings end in a documented status by their
// deadlines, here of some seconds.
func TestDeadlines_EndWhatAnIllBankKeepsOpen(t *testing.T) {
	skipIfShort(t)
	const limit, slack = 3 * time.Second, 3 * time.Minute // without a deadline none of them ends
	for store, database := range harness.Stores {
		t.Run(store, func(t *testing.T) {
			const accounts, transactions = "/accounts", "/transactions"
			ills := map[string]struct {
				fault func(*bank) http.HandlerFunc
				path  string
				want  string
			}{
				"se-hangs": {func(b *bank) http.HandlerFunc { return b.hangs }, accounts, "THIRD_PARTY_ERROR"},
				"se-part":  {func(b *bank) http.HandlerFunc { return b.hangs }, transactions, "COMPLETED_PARTIAL"},
				"se-drips": {func(b *bank) http.HandlerFunc { return b.drips }, accounts, "THIRD_PARTY_ERROR"},
				"se-pages": {func(b *bank) http.HandlerFunc { return b.pages }, transactions, "COMPLETED_PARTIAL"},
			}
			companies := []string{}
			for company := range ills {
				companies = append(companies, company)
			}
			e := start(t, database(t), func(c *server.Config) {
				c.OpenTime, c.ReadTime, c.ReadTimeUnattended = limit, limit, limit
			}, companies...)
			type running struct {
				company, id, want string
				began             time.Time
			}
			consents := map[string]string{}
			for company := range ills { // takes longer than the limit
				consents[company] = e.sign(t, company)
			}
			var all []running
			for company, ill := range ills {
				e.banks[company].fail(ill.fault(e.banks[company]), ill.path)
				for _, attended := range []bool{true, false} {
					all = append(all, running{company, e.collect(t, company, consents[company], attended), ill.want, time.Now()})
				}
			}
			for _, c := range all {
				if status := e.waitCollection(t, c.id, limit+slack); status != c.want || time.Since(c.began) > limit+slack {
					t.Errorf("%s: %s after %v, want %s", c.company, status, time.Since(c.began), c.want)
				}
			}
			for company, b := range e.banks {
				for path, fault := range map[string]http.HandlerFunc{"/consents": b.hangs, "/authorisations": b.drips} {
					b.fail(fault, path)
					began := time.Now()
					id := e.createConsent(t, company)
					status := e.wait(t, "/consents/"+id+"/status", limit+slack, "INITIATED")
					if status != "FAILED" || time.Since(began) > limit+slack {
						t.Errorf("an opening is %s after %v", status, time.Since(began))
					}
				}
				break
			}
		})
	}
}
