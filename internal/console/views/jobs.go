package views

import (
	"context"
	"errors"
	"net/http"
	"time"

	"samla/internal/store"
)

// waiting sums all queues up: jobs that are due, how long the first of them has been, and
// those that are parked.
func (v *views) waiting(ctx context.Context) (due int, oldest time.Duration, parked int, err error) {
	for _, q := range store.Queues() { // six queues
		f, err := v.Store.QueueFigures(ctx, q, v.Clock.Now())
		if err != nil {
			return 0, 0, 0, err
		}
		due, oldest, parked = due+f.Due, max(oldest, f.OldestDue), parked+f.Parked
	}
	return due, oldest, parked, nil
}

// countJobs counts parked jobs.
func (v *views) countJobs(ctx context.Context) int {
	n, err := v.needed(ctx)
	if err != nil {
		return 0
	}
	return n.parked
}

// listJobs lists the queues, and the parked jobs of one of them or of all.
func (v *views) listJobs(w http.ResponseWriter, r *http.Request) {
	ctx, now := r.Context(), v.Clock.Now()
	chosen, chosenErr := store.ParseQueue(r.URL.Query().Get("queue"))
	queues := table{Title: "Queues", Caption: "Queues of jobs", Heads: heads("Queue", "Due>", "Oldest>", "Parked>", ""), Empty: "There is no queue."}
	p := page{Title: "Jobs"}
	parked := 0
	for _, q := range store.Queues() {
		f, err := v.Store.QueueFigures(ctx, q, now)
		if err != nil {
			failed(w, r, err)
			return
		}
		parked += f.Parked
		row := []cell{{Text: q.String(), Href: "/jobs?queue=" + q.String()}, text(number(f.Due)), text(took(f.OldestDue)), text(number(f.Parked)), text("")}
		if f.Parked > 0 {
			row[4] = cell{Acts: []act{{Action: "/jobs/" + q.String() + "/retry", Label: "Retry all", Hidden: "parked jobs of the queue " + q.String()}}}
		}
		queues.Rows = append(queues.Rows, row)
	}
	p.Tables = append(p.Tables, queues)
	all := store.Queues()
	if chosenErr == nil {
		all = []store.Queue{chosen}
	}
	for _, q := range all {
		t, err := v.parkedTable(r, q, len(all) == 1)
		if err != nil {
			failed(w, r, err)
			return
		}
		if len(t.Rows) > 0 || len(all) == 1 {
			p.Tables = append(p.Tables, t)
		}
	}
	if parked == 0 {
		p.Note = &note{Well: true, Strong: "No job is parked.", Text: "A job that fails too often is parked here, until somebody lets it try again."}
	} else {
		p.Note = &note{Strong: count(parked, "job is parked.", "jobs are parked."), Text: "Each failed as often as it may. Mend the reason, then let it try again."}
	}
	v.show(w, r, "JOBS", "v/list", p)
}

// parkedTable lists the parked jobs of a queue; the pages of one queue can be turned.
func (v *views) parkedTable(r *http.Request, q store.Queue, paged bool) (table, error) {
	t, err := listed(r, func(after string, limit int) ([]store.ParkedJob, error) {
		from := store.Moment{}
		if paged {
			from = moment(after)
		}
		return v.Store.ParkedRows(r.Context(), q, from, limit)
	}, func(j store.ParkedJob) string { return placeOf(j.ParkedAt, j.ID) }, func(all []store.ParkedJob) table {
		t := table{ID: "parked-" + q.String(), Title: "Parked: " + q.String(), Caption: "Parked jobs of the queue " + q.String() + ", the longest parked first", Heads: heads("Job", "Parked", "Attempts>", "Last error", ""), Empty: "No job of this queue is parked."}
		for _, j := range all {
			t.Rows = append(t.Rows, []cell{jobCell(q, j.ID), v.timeCell(j.ParkedAt), text(number(j.Attempts)), text(j.Reason),
				{Acts: []act{{Action: "/jobs/" + q.String() + "/" + j.ID + "/retry", Label: "Retry", Hidden: "job " + short(j.ID)},
					{Link: "/jobs/" + q.String() + "/" + j.ID + "/drop", Label: "Drop", Hidden: "job " + short(j.ID), Kind: "text"}}}})
		}
		return t
	})
	if !paged {
		t.First = ""
		if t.Next != "" {
			t.Next = "/jobs?queue=" + q.String()
		}
	}
	return t, err
}

func jobCell(q store.Queue, jobID string) cell {
	switch q {
	case store.Consents, store.Collections, store.Dialogues, store.Schedules:
		return id(short(jobID), "/journeys/"+jobID)
	case store.Webhooks:
		return id(short(jobID), "/webhooks/"+jobID)
	}
	return id(short(jobID), "")
}

// retryJob lets a parked job try again.
func (v *views) retryJob(w http.ResponseWriter, r *http.Request) {
	q, err := store.ParseQueue(r.PathValue("queue"))
	if err != nil {
		gone(w, r, "queue")
		return
	}
	jobID := r.PathValue("id")
	v.act(w, r, "/jobs?queue="+q.String(), "retry job", map[string]string{"queue": q.String(), "id": jobID}, func(ctx context.Context) error {
		return v.Store.ResumeJob(ctx, q, jobID, v.Clock.Now())
	})
}

// retryQueue lets all parked jobs of a queue try again, in pages.
func (v *views) retryQueue(w http.ResponseWriter, r *http.Request) {
	q, err := store.ParseQueue(r.PathValue("queue"))
	if err != nil {
		gone(w, r, "queue")
		return
	}
	v.act(w, r, "/jobs?queue="+q.String(), "retry jobs", map[string]string{"queue": q.String()}, func(ctx context.Context) error {
		for after := (store.Moment{}); ; {
			parked, err := v.Store.ParkedRows(ctx, q, after, pageSize)
			if err != nil || len(parked) == 0 {
				return err
			}
			for _, j := range parked {
				if err := v.Store.ResumeJob(ctx, q, j.ID, v.Clock.Now()); err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
			}
			last := parked[len(parked)-1]
			after = store.Moment{At: last.ParkedAt, ID: last.ID}
		}
	})
}
