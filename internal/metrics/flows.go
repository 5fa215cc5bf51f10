package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/consent"
)

var (
	steps         = setOf("CREATED", "AUTHORIZED", "REVOKED", "EXPIRED", "FAILED")
	givenUpCauses = setOf(audit.GivenUpRefused, audit.GivenUpToken, audit.GivenUpOver)

	causes = func() set {
		s := setOf(consent.Causes()...)
		s[nobody] = true
		for _, f := range consent.FailureCodes() {
			s[string(f)] = true
		}
		return s
	}()
	modes    = setOf(collection.Stored, collection.OneTime, collection.Dialogue)
	statuses = setOf(collection.Statuses()...)
)

// consentSteps are the steps of consents by the kinds of their entries.
var consentSteps = map[audit.Kind]string{
	audit.ConsentCreated: "CREATED", audit.ConsentAuthorized: "AUTHORIZED", audit.ConsentRevoked: "REVOKED",
	audit.ConsentExpired: "EXPIRED", audit.ConsentFailed: "FAILED",
}

// flows counts what has happened to consents and collections, from the entries of the audit
// log that were committed: each step has exactly one, written with it.
type flows struct {
	consents, started, finished *prometheus.CounterVec
	delivered                   prometheus.Counter
	givenUp                     *prometheus.CounterVec
}

func newFlows(r registerer) flows {
	return flows{
		consents: r.counters("samla_consents_total", "Steps of consents; cause: why one has ended, for FAILED the failure code.", "step", "cause"),
		started:  r.counters("samla_collections_started_total", "Collections that were created; mode DIALOGUE: logins.", "mode", "attended"),
		finished: r.counters("samla_collections_finished_total", "Collections that have ended, by terminal status; mode DIALOGUE: logins.",
			"mode", "attended", "status"),
		delivered: r.counter("samla_revocations_delivered_total", "Banks that were told that a consent has ended."),
		givenUp: r.counters("samla_revocations_given_up_total", "Banks that have not confirmed that a consent has ended, and are not told any more; cause: why.",
			"cause"),
	}
}

// Recorded implements sqlstore.Observer.
func (f flows) Recorded(entries []audit.Entry) {
	for _, e := range entries {
		flow, ok := audit.FlowOf(e)
		if !ok {
			continue
		}
		switch kind := audit.Kind(e.Kind); kind {
		case audit.RevocationDelivered:
			f.delivered.Inc()
		case audit.RevocationGivenUp:
			f.givenUp.WithLabelValues(givenUpCauses.of(flow.Cause)).Inc()
		case audit.CollectionStarted:
			f.started.WithLabelValues(modes.of(flow.Mode), strconv.FormatBool(flow.Attended)).Inc()
		case audit.CollectionFinished:
			f.finished.WithLabelValues(modes.of(flow.Mode), strconv.FormatBool(flow.Attended), statuses.of(flow.Status)).Inc()
		default:
			f.consents.WithLabelValues(steps.of(consentSteps[kind]), causes.of(causeOf(flow))).Inc()
		}
	}
}

func causeOf(f audit.Flow) string {
	switch {
	case f.Failure != "":
		return f.Failure
	case f.Cause != "":
		return f.Cause
	}
	return nobody
}
