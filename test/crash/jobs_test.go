package crash

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// noteJobs notes the rows of the flows that are odd, as they are now: what follows may change
// them. It notes nothing that is sealed, and nothing of a person.
func (r *crashTest) noteJobs(ctx context.Context) {
	r.Helper()
	var odd []string
	r.recorder.update(func() { odd = slices.Collect(maps.Keys(r.recorder.odd)) })
	odd = slices.DeleteFunc(odd, func(id string) bool { return r.jobs[id] != nil })
	if len(odd) == 0 {
		return
	}
	for _, id := range odd {
		r.jobs[id] = []string{}
	}
	for table, more := range map[string]string{
		"collections": "status, status_changed_at, polled_at, rev",
		"consents":    "status, status_changed_at, 0, rev",
		"dialogues":   "CASE WHEN length(answer) > 0 THEN 'an answer is stored' ELSE 'no answer is stored' END, 0, 0, 0",
	} {
		r.rows(ctx, "SELECT id, wake_at, job_attempts, parked_at, job_error, "+more+" FROM "+table, func(all *sql.Rows) error {
			var id, jobError, status string
			var wake, attempts, parked, changed, polled, rev int64
			if err := all.Scan(&id, &wake, &attempts, &parked, &jobError, &status, &changed, &polled, &rev); err != nil || !slices.Contains(odd, id) {
				return err
			}
			line := fmt.Sprintf("%s: due %s, %d attempts, parked %s, error %q; %s", table, ago(wake), attempts, ago(parked), jobError, status)
			if rev > 0 {
				line += fmt.Sprintf(", changed %s, version %d, polled %s", ago(changed), rev, ago(polled))
			}
			r.jobs[id] = append(r.jobs[id], line)
			return nil
		})
	}
}

// ago says how far away a time of the store is, in microseconds since 1970; 0 = never.
func ago(micros int64) string {
	if micros == 0 {
		return "never"
	}
	d := time.Since(time.UnixMicro(micros)).Round(time.Millisecond)
	if d < 0 {
		return "in " + (-d).String()
	}
	return d.String() + " ago"
}

// report returns what is known of a flow that is odd: its rows, what its client
// and the recording source have seen, and the lines of the logs.
func (r *crashTest) report(id string) string {
	lines := append([]string{"flow " + id}, r.jobs[id]...)
	slices.Sort(lines[1:])
	for _, l := range r.recorder.logins {
		if l.id != id {
			continue
		}
		lines = append(lines, fmt.Sprintf("client: %s, shown %q, %q were answered, stopped %v", l.status, l.question, slices.Sorted(maps.Keys(l.answers)), l.stopped))
		if at, known := r.source.person(l.person); known {
			lines = append(lines, at.String())
		}
	}
	return strings.Join(append(lines, r.linesAbout(id)), "\n\t")
}
