package metrics_test

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"samla/internal/api"
	"samla/internal/audit"
	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/deviation"
	"samla/internal/event"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
	"samla/internal/metrics"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/webhook"
	"samla/internal/webhooks"
)

var now = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func newMetrics(deviations *deviation.Register) *metrics.Metrics {
	banks := institution.Set{}
	for _, id := range []string{"se-a", "se-b"} {
		banks[id] = institution.Institution{Company: company.Company{ID: id},
			Certificates: []institution.Certificate{{Use: "QWAC", Until: now.AddDate(1, 0, 0)}, {Use: "QWAC", Until: now}, {Use: "QSealC", Until: now}},
			Signatures: func() institution.SignatureFigures {
				return institution.SignatureFigures{Signed: 7, Failed: 1, Waiting: 2, Waited: time.Second, Took: 3 * time.Second}
			}}
	}
	return metrics.New(metrics.Config{Institutions: banks, Deviations: deviations, Clock: clock.NewManual(now)})
}

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	s := httptest.NewServer(m.Handler())
	defer s.Close()
	got, err := http.Get(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusOK {
		t.Fatal(got.Status, err)
	}
	return string(text)
}

func checkLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
}

func TestMetrics_WriteDeviations(t *testing.T) {
	r := &deviation.Register{}
	r.Add("se-b", deviation.Counts{deviation.UnreadableRow: 3, deviation.LinkReplaced: 1})
	checkLines(t, scrape(t, newMetrics(r)),
		`samla_deviations_total{company="se-b",incomplete="true",kind="UNREADABLE_ROW"} 3`,
		`samla_deviations_total{company="se-b",incomplete="false",kind="LINK_REPLACED"} 1`)
}

func TestMetrics_CountWhatTheyAreTold(t *testing.T) {
	m := newMetrics(&deviation.Register{})
	route := m.ObserveRoute(api.Route{Method: "GET", Pattern: "/consents/{consentId}/status", Version: "2026-04-01"})
	for range 3 {
		route.Observe(200, time.Millisecond)
	}
	route.Observe(503, time.Second)
	route.Observe(0, time.Second)
	call := intercept.Call{Company: "se-a", Verb: institution.VerbCollect, Subject: "u-1"}
	m.Observe(intercept.Outcome{Call: call, Duration: 20 * time.Millisecond})
	m.Observe(intercept.Outcome{Call: call, Cancelled: true})
	m.Observe(intercept.Outcome{Call: call, Kind: institution.Busy, Attribution: fault.ByBank})
	m.Returned("se-a", authorize.ReturnHeld)
	m.Exchanged("se-a", authorize.ExchangeDone)
	m.Refreshed("se-b", authorize.RefreshDenied)
	m.ObserveOutages(func() []string { return []string{"se-b", "se-x", "se-y"} })
	m.Recorded([]audit.Entry{
		{Kind: string(audit.ConsentCreated), Detail: []byte(`{"company":"se-a"}`)},
		{Kind: string(audit.ConsentFailed), Detail: []byte(`{"failure":"BANK_UNAVAILABLE","cause":"FAILED"}`)},
		{Kind: string(audit.ConsentRevoked), Detail: []byte(`{"cause":"USER"}`)},
		{Kind: string(audit.RevocationDelivered), Detail: []byte(`{}`)},
		{Kind: string(audit.RevocationGivenUp), Detail: []byte(`{"cause":"BANK_REFUSED"}`)},
		{Kind: string(audit.CollectionStarted), Detail: []byte(`{"mode":"DIALOGUE","attended":true,"status":"RUNNING"}`)},
		{Kind: string(audit.CollectionFinished), Detail: []byte(`{"mode":"DIALOGUE","attended":true,"status":"COMPLETED"}`)},
		{Kind: string(audit.DataRead), Detail: []byte(`{"by":"API_KEY"}`)},
	})
	m.Transaction(time.Millisecond, false, "")
	m.Transaction(time.Second, true, store.DiskFull)
	m.Commit(5, time.Millisecond)
	m.ObservePool(func() sqlstore.Pool { return sqlstore.Pool{Max: 4, Open: 3, InUse: 1, Waits: 9, Waited: time.Second} })
	m.Attempt(webhooks.Observation{Outcome: webhook.Outcome{Status: 200}, First: true, Waited: time.Second})
	m.Attempt(webhooks.Observation{Outcome: webhook.Outcome{Err: webhook.TimedOut}})
	m.Sequenced([]event.Event{{Type: event.TypeTest, At: now.Add(-time.Second)}})
	page := scrape(t, m)
	checkDocument(t, page)
	checkLines(t, page,
		`samla_http_requests_total{class="2xx",method="GET",route="/consents/{consentId}/status",version="2026-04-01"} 3`,
		`samla_http_requests_total{class="5xx",method="GET",route="/consents/{consentId}/status",version="2026-04-01"} 1`,
		`samla_http_requests_total{class="none",method="GET",route="/consents/{consentId}/status",version="2026-04-01"} 1`,
		`samla_http_request_duration_seconds_count{method="GET",route="/consents/{consentId}/status",version="2026-04-01"} 5`,
		`samla_institution_calls_total{attribution="NONE",company="se-a",kind="OK",verb="collect"} 1`,
		`samla_institution_calls_total{attribution="NONE",company="se-a",kind="CANCELLED",verb="collect"} 1`,
		`samla_institution_calls_total{attribution="BANK",company="se-a",kind="BUSY",verb="collect"} 1`,
		`samla_institution_call_duration_seconds_count{company="se-a",verb="collect"} 2`,
		`samla_returns_total{company="se-a",outcome="HELD"} 1`,
		`samla_exchanges_total{company="se-a",outcome="DONE"} 1`,
		`samla_token_refreshes_total{company="se-b",outcome="DENIED"} 1`,
		`samla_token_outage_suspected{company="se-b"} 1`,
		`samla_token_outage_suspected{company="other"} 1`,
		`samla_consents_total{cause="NONE",step="CREATED"} 1`,
		`samla_consents_total{cause="BANK_UNAVAILABLE",step="FAILED"} 1`,
		`samla_consents_total{cause="USER",step="REVOKED"} 1`,
		`samla_revocations_delivered_total 1`,
		`samla_revocations_given_up_total{cause="BANK_REFUSED"} 1`,
		`samla_collections_started_total{attended="true",mode="DIALOGUE"} 1`,
		`samla_collections_finished_total{attended="true",mode="DIALOGUE",status="COMPLETED"} 1`,
		`samla_store_transactions_total{result="COMMITTED"} 1`,
		`samla_store_transactions_total{result="UNDONE"} 1`,
		`samla_store_outages_total{reason="DISK_FULL"} 1`,
		`samla_store_commit_transactions_sum 5`,
		`samla_store_connections{state="in_use"} 1`,
		`samla_store_connection_waits_total 9`,
		`samla_webhook_attempts_total{outcome="DELIVERED"} 1`,
		`samla_webhook_attempts_total{outcome="TIMED_OUT"} 1`,
		`samla_webhook_first_attempt_wait_seconds_count 1`,
		`samla_events_total{type="TEST"} 1`,
		`samla_event_lag_seconds_sum 1`,
		fmt.Sprintf(`samla_certificate_expiry_timestamp_seconds{company="se-a",use="QWAC"} %v`, float64(now.Unix())),
		`samla_signatures_total{company="se-b",result="SIGNED"} 7`,
		`samla_signature_wait_seconds_total{company="se-b"} 1`,
		`samla_signatures_waiting{company="se-b"} 2`)
}

// Whatever the parts of a node tell, the number of series stays the same: the values of
// labels are from closed sets.
func TestMetrics_SeriesAreBounded(t *testing.T) {
	m := newMetrics(&deviation.Register{})
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string { return fmt.Sprintf("19121212-1212 https://x.example/%d", r.Uint64()) }
	tell := func() {
		m.Observe(intercept.Outcome{Call: intercept.Call{Company: word(), Verb: institution.Verb(word()), Subject: word()},
			Kind: institution.ErrorKind(word()), Reason: institution.Reason(word()), Attribution: fault.Attribution(word())})
		m.Recorded([]audit.Entry{{ID: word(), UserID: word(), Kind: word(), Detail: []byte(word())},
			{Kind: string(audit.ConsentFailed), Detail: fmt.Appendf(nil, `{"failure":%q,"company":%q}`, word(), word())},
			{Kind: string(audit.ConsentRevoked), Detail: fmt.Appendf(nil, `{"cause":%q}`, word())},
			{Kind: string(audit.CollectionFinished), Detail: fmt.Appendf(nil, `{"mode":%q,"status":%q}`, word(), word())},
			{Kind: string(audit.CollectionStarted), Detail: fmt.Appendf(nil, `{"mode":%q}`, word())}})
		m.Returned(word(), authorize.ReturnOutcome(word()))
		m.Exchanged(word(), authorize.ExchangeOutcome(word()))
		m.Refreshed(word(), authorize.RefreshOutcome(word()))
		m.Transaction(time.Second, r.IntN(2) == 0, store.Outage(word()))
		m.Attempt(webhooks.Observation{Outcome: webhook.Outcome{Err: webhook.Error(word()), Status: r.IntN(1000)}})
		m.Sequenced([]event.Event{{Type: event.Type(word()), ID: word(), At: now}})
		m.ObserveRoute(api.Route{Method: "GET", Pattern: "/users", Version: "none"}).Observe(r.IntN(900)-100, time.Second)
	}
	m.ObserveOutages(func() []string { return []string{word()} })
	for range 200 {
		tell()
	}
	text := scrape(t, m)
	before := series(text)
	for range 2000 {
		tell()
	}
	text = scrape(t, m)
	if after := series(text); after != before {
		t.Errorf("%d series became %d", before, after)
	}
	if strings.Contains(text, "1912") || strings.Contains(text, "x.example") {
		t.Error("a label has a value that is not from its set")
	}
}

// series counts the series of samla_… families.
func series(text string) (n int) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "samla_") {
			n++
		}
	}
	return n
}

func TestSample_ReadsQueuesWebhooksKeysAndChain(t *testing.T) {
	s, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: t.TempDir(), Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), func(tx store.Tx) error {
		return tx.AddAuditEntry(t.Context(), audit.Entry{ID: "e", At: now.Add(-time.Minute)})
	})
	if err != nil {
		t.Fatal(err)
	}
	m, clk := newMetrics(&deviation.Register{}), clock.NewManual(now)
	d := metrics.SamplerDeps{Store: s, Clock: clk, Log: slog.New(slog.DiscardHandler),
		Epochs: func() ([]seal.EpochID, error) { return []seal.EpochID{"20260401T000000Z", "20260402T000000Z"}, nil }}
	sampled := func() string {
		if err := metrics.SampleOnce(m, t.Context(), d); err != nil && !strings.Contains(err.Error(), "closed") {
			t.Fatal(err)
		}
		return scrape(t, m)
	}
	checkDocument(t, sampled())
	checkLines(t, sampled(), `samla_store_up 1`, `samla_queue_due{queue="consents"} 0`, `samla_queue_parked{queue="outbox"} 0`,
		`samla_webhook_endpoints{state="PAUSED"} 0`, `samla_audit_unchained_age_seconds 60`, `samla_epoch_keys 2`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	checkLines(t, sampled(), `samla_store_up 0`, `samla_audit_unchained_age_seconds 60`)
}
