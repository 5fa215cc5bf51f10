package v20260401

import (
	"strconv"
	"time"

	"samla/internal/api"
	"samla/internal/consent"
	"samla/internal/jsontext"
	"samla/internal/quota"
	"samla/internal/refresh"
)

// consentAccess answers with what can be read under a consent without the person
// (docs/reference/api.md 4.8).
func (o *operations) consentAccess(c *api.Call) error {
	a, err := o.Refresh.Access(c.Context(), c.Caller().ClientID, c.Caller().UserID, consent.ID(c.ID()))
	if err != nil {
		return err
	}
	return c.WriteAppended(func(b []byte) []byte { return appendAccess(b, &a) })
}

// appendAccess appends a ConsentAccess.
func appendAccess(b []byte, a *refresh.Access) []byte {
	of := &a.Consent
	b = jsontext.AppendMember(b, `{"consentId":`, string(of.ID))
	b = jsontext.AppendMember(b, `,"company":`, of.Company)
	b = jsontext.AppendMember(b, `,"status":`, string(of.Status))
	b = appendTime(b, `,"expiresAt":`, of.ExpiresAt)
	b = appendTime(b, `,"scaExpiresAt":`, of.SCAExpiresAt)
	b = appendInt(b, `,"daysLeft":`, a.DaysLeft())
	b = jsontext.AppendMember(b, `,"unattended":{"countedPer":`, string(a.Quota.Per))
	b = appendInt(b, `,"limit":`, a.Quota.Limit)
	b = appendInt(b, `,"used":`, a.Quota.Used)
	b = appendInt(b, `,"left":`, a.Quota.Left)
	b = append(jsontext.AppendTimeMember(b, `,"nextAllowedAt":`, a.Quota.NextAllowedAt), '}')
	if last := a.Last; last != nil {
		b = jsontext.AppendMember(b, `,"lastRead":{"collectionId":`, last.ID)
		b = strconv.AppendBool(append(b, `,"attended":`...), last.Attended)
		b = jsontext.AppendTimeMember(b, `,"startedAt":`, last.BeganAt)
		b = jsontext.AppendMember(b, `,"status":`, string(last.Status))
		b = append(jsontext.AppendNonEmpty(b, `,"attribution":`, string(refresh.Attribution(last.Status))), '}')
	}
	b = appendFreshness(append(b, `,"data":[`...), a)
	b = append(b, ']')
	if a.Schedule.Queued != "" {
		b = jsontext.AppendMember(b, `,"queued":{"collectionId":`, a.Schedule.Queued)
		b = append(jsontext.AppendTimeMember(b, `,"startsAt":`, a.Schedule.QueuedAt), '}')
	}
	if a.Schedule.PerDay > 0 {
		b = appendPart(append(b, `,"plan":`...), &refresh.Part{Schedule: a.Schedule, Living: of.ID})
	}
	return append(b, '}')
}

// appendFreshness appends an entry for each kind of data that the consent covers.
func appendFreshness(b []byte, a *refresh.Access) []byte {
	scope, first := a.Consent.Scope(), true
	for _, kind := range []struct {
		name    string
		covered bool
	}{{"BALANCES", scope.Balances}, {"TRANSACTIONS", scope.Transactions}} {
		if !kind.covered {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = jsontext.AppendMember(b, `{"kind":`, kind.name)
		b = appendTime(b, `,"readAt":`, a.Complete)
		if a.Partial.After(a.Complete) {
			b = appendTime(b, `,"partlyReadAt":`, a.Partial)
		}
		b = append(strconv.AppendBool(append(b, `,"stale":`...), a.Stale(a.Complete)), '}')
	}
	return b
}

// appendPart appends a RefreshPlanPart.
func appendPart(b []byte, p *refresh.Part) []byte {
	state := p.State
	if state == "" {
		state = quota.Active
	}
	b = jsontext.AppendMember(b, `{"consentId":`, string(p.Living))
	b = jsontext.AppendMember(b, `,"company":`, p.Company)
	b = appendInt(b, `,"timesPerDay":`, p.PerDay)
	b = jsontext.AppendMember(b, `,"state":`, string(state))
	b = jsontext.AppendNonEmpty(b, `,"reason":`, string(p.Reason))
	b = appendTime(b, `,"nextTry":`, p.DueAt)
	b = appendTime(b, `,"lastReadAt":`, p.ReadAt)
	return append(appendTime(b, `,"lastCompleteReadAt":`, p.CompleteAt), '}')
}

// appendTime appends a member unless the time is zero.
func appendTime(b []byte, key string, at time.Time) []byte {
	if at.IsZero() {
		return b
	}
	return jsontext.AppendTimeMember(b, key, at)
}

func appendInt(b []byte, key string, n int) []byte {
	return strconv.AppendInt(append(b, key...), int64(n), 10)
}
