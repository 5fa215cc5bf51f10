package collect

import (
	"time"

	"samla/internal/institution"
)

// Follow gives answers other bodies, and the questions that these lead to: those in the same
// place as the questions that the answers are to. days is how many days later the whole is.
// It is not ok if the new bodies lead elsewhere. A body that is nil is a refusal.
func (r *Rereader) Follow(all Recorded, bodies [][]byte, days int) (Recorded, bool) {
	i, known := r.s.Institutions.Find(all.Collection.Company)
	if !known || i.Collector == nil {
		return Recorded{}, false
	}
	at := map[institution.Question]int{}
	p := &replay{}
	for n, a := range all.Answers {
		at[a.Question] = n
		p.order = append(p.order, a.Question)
	}
	later := func(t time.Time) time.Time { return t.AddDate(0, 0, days) }
	moved := all
	moved.Answers = append([]institution.Answer(nil), all.Answers...)
	c := &moved.Collection
	was := c.CreatedAt
	c.CreatedAt, c.StatusChangedAt = later(c.CreatedAt), later(c.StatusChangedAt)
	from := p.from()
	to := from
	if day, err := time.Parse(time.DateOnly, from); err == nil {
		to = later(day).Format(time.DateOnly)
	}
	type pair struct{ old, now []institution.Question }
	queue := []pair{{i.Collector.Start(all.Scope, from), i.Collector.Start(all.Scope, to)}}
	done := map[int]bool{}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		if len(next.old) != len(next.now) {
			return Recorded{}, false
		}
		for n, q := range next.old {
			index, stored := at[q]
			if !stored || done[index] {
				continue
			}
			done[index] = true
			old, now := all.Answers[index], &moved.Answers[index]
			now.Question, now.Body, now.FetchedAt = next.now[n], bodies[index], later(now.FetchedAt)
			if old.Refusal != nil {
				before, is := i.Collector.Instead(q, old.Refusal, was)
				after, still := i.Collector.Instead(now.Question, now.Refusal, c.CreatedAt)
				if is != still {
					return Recorded{}, false
				}
				queue = append(queue, pair{[]institution.Question{before}, []institution.Question{after}})
				continue
			}
			before, errBefore := i.Collector.Read(old)
			after, errAfter := i.Collector.Read(*now)
			if (errBefore == nil) != (errAfter == nil) {
				return Recorded{}, false
			}
			queue = append(queue, pair{before.Questions, after.Questions})
		}
	}
	// What nothing leads to with today's mapping is left out.
	kept := moved.Answers[:0]
	for n := range moved.Answers {
		if done[n] {
			kept = append(kept, moved.Answers[n])
		}
	}
	moved.Answers = kept
	return moved, true
}
