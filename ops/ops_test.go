// Package ops checks the dashboard and the alert rules with Prometheus itself: a module of
// its own, because Prometheus needs hundreds of others.
package ops

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

var documentedRow = regexp.MustCompile("(?m)^\\| `(samla_[a-z_]+)` \\| ([a-z]+) \\| ([a-z, ]*?) ?\\|")

// documented returns the metrics of docs/observe.md with their labels. A test of package
// metrics compares them with what a node exposes.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../docs/observe.md")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{"up": nil}
	for _, row := range documentedRow.FindAllStringSubmatch(string(text), -1) {
		var labels []string
		if row[3] != "" {
			labels = strings.Split(row[3], ", ")
		}
		names[row[1]] = labels
		if row[2] == "histogram" {
			names[row[1]+"_bucket"], names[row[1]+"_sum"], names[row[1]+"_count"] = append(labels, "le"), labels, labels
		}
	}
	return names
}

// checkExpression parses an expression and checks its metrics, and the labels that it
// selects by.
func checkExpression(t *testing.T, known map[string][]string, where, expr string) {
	t.Helper()
	parsed, err := parser.ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		labels, ok := known[v.Name]
		if !ok {
			t.Errorf("%s: no metric %s", where, v.Name)
		}
		for _, m := range v.LabelMatchers {
			if !slices.Contains(append(labels, "__name__", "job", "instance"), m.Name) {
				t.Errorf("%s: %s has no label %s", where, v.Name, m.Name)
			}
		}
		return nil
	})
}

func TestDashboard_UsesDocumentedMetrics(t *testing.T) {
	text, err := os.ReadFile("grafana/samla.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	known, used := documented(t), 0
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			used++
			checkExpression(t, known, p.Title, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
		}
	}
	if used < 20 {
		t.Errorf("%d expressions", used)
	}
}

func rules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile("prometheus/alerts.yml", false, model.UTF8Validation)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return groups.Groups[0].Rules
}

func TestAlerts_UseDocumentedMetricsAndAreDocumented(t *testing.T) {
	known := documented(t)
	text, err := os.ReadFile("../docs/observe.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules(t) {
		checkExpression(t, known, r.Alert, r.Expr)
		if !strings.Contains(string(text), "| `"+r.Alert+"` |") {
			t.Errorf("%s is not in docs/observe.md", r.Alert)
		}
		if r.Annotations["summary"] == "" || r.Labels["severity"] == "" {
			t.Errorf("%s has no summary or severity", r.Alert)
		}
	}
}

// ill has series that make each alert fire, in the notation of promtool: a sample a minute.
var ill = map[string]string{
	"SamlaNodeDown": `up{job="samla", instance="a"} 0x120`,
	"SamlaInstitutionFailing": `samla_institution_calls_total{company="se-a", kind="UNREACHABLE", attribution="BANK"} 0+8x120
  samla_institution_calls_total{company="se-a", kind="OK", attribution="NONE"} 0+2x120`,
	"SamlaInstitutionFailingByUs": `samla_institution_calls_total{company="se-a", kind="CERTIFICATE", attribution="SAMLA"} 0+1x120`,
	"SamlaTokenOutage":            `samla_token_outage_suspected{company="se-a"} 1x120`,
	"SamlaReturnsFail": `samla_exchanges_total{company="se-a", outcome="FAILED"} 0+2x120
  samla_exchanges_total{company="se-a", outcome="DONE"} 0+1x120`,
	"SamlaForeignReturns": `samla_returns_total{company="other", outcome="UNKNOWN"} 0+5x120
  samla_returns_total{company="se-a", outcome="ACCEPTED"} 0+1x120`,
	"SamlaErrorRatio": `samla_http_requests_total{class="5xx"} 0+5x120
  samla_http_requests_total{class="2xx"} 0+95x120`,
	"SamlaSlow": `samla_http_request_duration_seconds_bucket{le="1"} 0+90x120
  samla_http_request_duration_seconds_bucket{le="2.5"} 0+100x120
  samla_http_request_duration_seconds_bucket{le="+Inf"} 0+100x120`,
	"SamlaQueueLate":        `samla_queue_oldest_due_seconds{queue="outbox"} 0+60x120`,
	"SamlaJobsParked":       `samla_queue_parked{queue="consents"} 1x120`,
	"SamlaWebhookPaused":    `samla_webhook_endpoints{state="PAUSED"} 1x120`,
	"SamlaWebhookBacklog":   `samla_webhook_oldest_pending_seconds 0+60x120`,
	"SamlaDatabaseOutage":   `samla_store_up 0x120`,
	"SamlaCertificateEnds":  `samla_certificate_expiry_timestamp_seconds{company="se-a", use="QWAC"} 2500000x120`,
	"SamlaAuditChainBehind": `samla_audit_unchained_age_seconds 0+60x120`,
}

// healthy has the same series of a node that is well: some failures, some waits.
const healthy = `up{job="samla", instance="a"} 1x120
  samla_institution_calls_total{company="se-a", kind="UNREACHABLE", attribution="BANK"} 0+1x120
  samla_institution_calls_total{company="se-a", kind="SCA_REQUIRED", attribution="USER"} 0+50x120
  samla_institution_calls_total{company="se-a", kind="OK", attribution="NONE"} 0+50x120
  samla_institution_calls_total{company="se-b", kind="UNREACHABLE", attribution="BANK"} 0+1x120
  samla_institution_calls_total{company="se-a", kind="CERTIFICATE", attribution="SAMLA"} 0x120
  samla_exchanges_total{company="se-a", outcome="FAILED"} 0+1x120
  samla_exchanges_total{company="se-a", outcome="DONE"} 0+9x120
  samla_exchanges_total{company="se-b", outcome="FAILED"} 0+1x3 3x117
  samla_returns_total{company="other", outcome="UNKNOWN"} 0+2x120
  samla_returns_total{company="se-a", outcome="ACCEPTED"} 0+9x120
  samla_http_requests_total{class="5xx"} 0+1x120
  samla_http_requests_total{class="2xx"} 0+999x120
  samla_http_request_duration_seconds_bucket{le="1"} 0+100x120
  samla_http_request_duration_seconds_bucket{le="2.5"} 0+100x120
  samla_http_request_duration_seconds_bucket{le="+Inf"} 0+100x120
  samla_queue_oldest_due_seconds{queue="outbox"} 0 30 110 0x117
  samla_queue_parked{queue="consents"} 0x120
  samla_webhook_endpoints{state="PAUSED"} 0x120
  samla_webhook_oldest_pending_seconds 600x120
  samla_store_up 1x120
  samla_store_outages_total{reason="LOCKED"} 3x120
  samla_certificate_expiry_timestamp_seconds{company="se-a", use="QWAC"} 5000000x120
  samla_audit_unchained_age_seconds 3x120`

func TestAlerts_FireOnIllSeriesOnly(t *testing.T) {
	for _, r := range rules(t) {
		t.Run(r.Alert, func(t *testing.T) {
			series, ok := ill[r.Alert]
			if !ok {
				t.Fatal("no series make it fire")
			}
			if !fires(t, r, series) {
				t.Error("it does not fire")
			}
			if fires(t, r, healthy) {
				t.Error("it fires on a healthy node")
			}
		})
	}
}

// fires reports whether the expression of a rule has a value without a pause for as long as
// its "for", evaluated each minute as Prometheus does it.
func fires(t *testing.T, r rulefmt.Rule, series string) bool {
	t.Helper()
	storage := promqltest.LoadedStorage(t, fmt.Sprintf("load 1m\n  %s\n", series))
	defer storage.Close()
	engine := promqltest.NewTestEngine(t, false, 0, 1_000_000)
	held := -1
	for minute := range 120 {
		q, err := engine.NewInstantQuery(t.Context(), storage, nil, r.Expr, time.Unix(int64(60*minute), 0))
		if err != nil {
			t.Fatal(err)
		}
		result := q.Exec(t.Context())
		if result.Err != nil {
			t.Fatal(result.Err)
		}
		vector, err := result.Vector()
		if err != nil {
			t.Fatal(err)
		}
		if held++; len(vector) == 0 {
			held = -1
		}
		q.Close()
		if held >= 0 && time.Duration(held)*time.Minute >= time.Duration(r.For) {
			return true
		}
	}
	return false
}
