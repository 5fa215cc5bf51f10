package quota_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/quota"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	day   = 24 * time.Hour
	users = 1000
	year  = 365 * day
)

// span is a time in which something is away.
type span struct{ from, to time.Time }

func in(spans []span, t time.Time) (end time.Time, away bool) {
	for _, s := range spans {
		if !t.Before(s.from) && t.Before(s.to) {
			return s.to, true
		}
	}
	return t, false
}

// The server is away for an hour, a night and three days, the bank for a day. All persons
// have the same bank.
var (
	serverAway = []span{{start.Add(40 * day), start.Add(40*day + time.Hour)}, {start.Add(100*day + 22*time.Hour), start.Add(101*day + 6*time.Hour)},
		{start.Add(200 * day), start.Add(203 * day)}}
	bankAway = []span{{start.Add(300 * day), start.Add(301 * day)}}
)

// person is a simulated user with a plan, who also asks by herself.
type person struct {
	t      *testing.T
	random *rand.Rand
	rule   quota.Rule
	s      quota.Schedule
	reads  []quota.Read // of the last Window, for the schedule
	all    []quota.Read // of the bank: what it counts, never pruned
	own    []time.Time  // reads of the plan
	good   time.Time    // the last complete read
	lost   span         // when the consent is away
	began  map[time.Time]int
}

// read is a read at the bank at the time now, as package collect does one: it asks as much
// of each counter as is left.
func (p *person) read(now time.Time) {
	counters := []string{""}
	if p.rule.Per != quota.PerConsent {
		counters = []string{"list", "a", "b", "c"}[:2+p.random.IntN(3)]
	}
	for _, c := range counters {
		calls := 1
		if p.rule.Per != quota.PerConsent {
			calls = min(1+p.random.IntN(3), p.rule.Room(now, c, p.reads)) // pages of transactions
			if calls == 0 {
				continue
			}
		}
		r := quota.Read{At: now, Counter: c, Calls: calls}
		p.reads, p.all = append(p.reads, r), append(p.all, r)
	}
	p.began[now.Truncate(time.Minute)]++
}

func (p *person) state(now time.Time) quota.State {
	for len(p.reads) > 0 && !p.reads[0].At.After(now.Add(-quota.Window)) {
		p.reads = p.reads[1:]
	}
	return p.rule.At(now, p.reads)
}

// handle is the job of the schedule.
func (p *person) handle(now time.Time) {
	_, away := in([]span{p.lost}, now)
	switch {
	case away && p.s.Queued != "":
		p.s = p.s.Unqueue()
	case away:
		p.s = p.s.Lost(quota.ConsentEnded, now)
		return
	}
	p.s = p.s.Found(now)
	s, verdict := p.s.QueuedDue(now, p.state(now))
	if p.s = s; verdict == quota.ReadIt {
		p.read(now)
		p.s = p.s.Begun(now)
	}
	s, verdict = p.s.Due(now, p.state(now))
	if p.s = s; verdict != quota.ReadIt {
		return
	}
	p.read(now)
	p.own = append(p.own, now)
	p.s = p.s.Started("c", now)
	began := now
	outcome := quota.Complete
	if _, away := in(bankAway, now); away || p.random.IntN(50) == 0 {
		outcome = quota.Failed
	} else if p.random.IntN(20) == 0 {
		outcome = quota.Partial
	} else {
		p.good = now
	}
	p.s = p.s.Ended(outcome, began, now.Add(time.Duration(p.random.IntN(300))*time.Second))
}

// ask is a request of the client without the person: now, or when it is allowed.
func (p *person) ask(now time.Time) {
	if _, away := in([]span{p.lost}, now); away {
		return
	}
	switch state := p.state(now); {
	case state.Allowed():
		p.read(now)
	case p.s.Queued == "" && p.random.IntN(2) == 0:
		p.s = p.s.Queue("q", state.NextAllowedAt)
	}
}

func (p *person) live() {
	now, end := start, start.Add(year)
	asks := now.Add(time.Duration(p.random.Int64N(int64(2 * day))))
	for now.Before(end) {
		next := p.s.WakeAt
		if next.IsZero() || next.After(now.Add(37*time.Hour)) && p.s.State != quota.WaitingForConsent {
			p.t.Fatalf("%s: the plan leaves the rotation at %s: %+v", p.s.Lineage, now, p.s)
		}
		if asks.Before(next) {
			if _, away := in(serverAway, asks); !away && asks.After(now) { // else the client got no answer
				now = asks
				p.ask(now)
			}
			asks = asks.Add(time.Duration(p.random.Int64N(int64(2 * day))))
			continue
		}
		if next.After(now) {
			now = next
		}
		now, _ = in(serverAway, now)
		now = now.Add(time.Duration(p.random.IntN(3000)) * time.Millisecond)
		p.handle(now)
	}
}

// counted returns the most calls of one counter that begin within any Window, in another
// way than Rule does: by going from each call to those before it.
func counted(all []quota.Read) (most int) {
	of := map[string][]time.Time{}
	for _, r := range all {
		for range max(1, r.Calls) {
			of[r.Counter] = append(of[r.Counter], r.At)
		}
	}
	for _, times := range of {
		first := 0
		for i, at := range times {
			for at.Sub(times[first]) >= quota.Window {
				first++
			}
			most = max(most, i-first+1)
		}
	}
	return most
}

// A thousand persons with a plan for a year, at one bank. Clients read beside the plans and
// queue collections, reads fail, consents end and are renewed, the server and the bank are
// away. No window of 24 hours has more reads than the rule allows, or more of the plan than
// it says; no plan stops; and the reads that an outage has delayed do not come together.
func TestYear_NoPlanExceedsAQuota(t *testing.T) {
	began := map[time.Time]int{}
	planned, slowest := 0, time.Duration(0)
	for i := range users {
		random := rand.New(rand.NewPCG(2026, uint64(i)))
		per := []quota.Per{quota.PerConsent, quota.PerConsent, quota.PerAccount, quota.PerEndpoint}[i%4]
		p := &person{t: t, random: random, rule: quota.Rule{Per: per, Limit: 1 + random.IntN(4)}, began: began}
		away := start.Add(time.Duration(random.Int64N(int64(year))))
		p.lost = span{away, away.Add(time.Duration(random.Int64N(int64(20 * day))))}
		p.s = quota.Schedule{Lineage: consent.ID(fmt.Sprintf("lineage-%d", i))}.Plan(1+random.IntN(quota.MaxPerDay), start)
		p.live()
		if most := counted(p.all); most > p.rule.Limit {
			t.Fatalf("%s: %d calls of one counter in 24 hours, %+v", p.s.Lineage, most, p.rule)
		}
		var own []quota.Read
		for _, at := range p.own {
			own = append(own, quota.Read{At: at})
		}
		if most := counted(own); most > min(p.s.PerDay, p.rule.Limit) {
			t.Fatalf("%s: the plan began %d reads in 24 hours, asked for %d", p.s.Lineage, most, p.s.PerDay)
		}
		planned += len(p.own)
		slowest = max(slowest, start.Add(year).Sub(p.good))
	}
	most, at := 0, time.Time{}
	for minute, n := range began {
		if n > most {
			most, at = n, minute
		}
	}
	if most > users/25 {
		t.Errorf("%d reads begin in the minute of %s", most, at)
	}
	if slowest > 25*day {
		t.Errorf("a plan ends the year %s after its last complete read", slowest)
	}
	t.Logf("%d reads by plans, at most %d reads of all in a minute", planned, most)
}
