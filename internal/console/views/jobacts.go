package views

import (
	"context"
	"net/http"

	"samla/internal/console"
	"samla/internal/parked"
	"samla/internal/store"
)

// parkedJob returns the parked job that a path names, or says that there is none.
func (v *views) parkedJob(w http.ResponseWriter, r *http.Request) (q store.Queue, j parked.Job, ok bool) {
	q, err := store.ParseQueue(r.PathValue("queue"))
	if err != nil {
		gone(w, r, "queue")
		return q, j, false
	}
	switch j, err = parked.Find(r.Context(), v.Store, q, r.PathValue("id")); {
	case missing(err):
		console.Message(w, r, http.StatusNotFound, "This job is not parked any more", "Somebody else may have retried or dropped it.")
	case err != nil:
		failed(w, r, err)
	default:
		return q, j, true
	}
	return q, j, false
}

// showDrop says what dropping a job means, before it is dropped.
func (v *views) showDrop(w http.ResponseWriter, r *http.Request) {
	q, j, ok := v.parkedJob(w, r)
	if !ok {
		return
	}
	ask := confirm{Facts: []fact{{Name: "Queue", Value: q.String()}, {Name: "Job", Value: j.ID, Mono: true}, {Name: "Parked", Value: v.at(j.ParkedAt)}, {Name: "Attempts", Value: number(j.Attempts)}, {Name: "Last error", Value: j.Reason}}}
	switch {
	case j.Refused != "":
		ask.Says = []string{"This job cannot be dropped.", j.Refused}
		ask.Action, ask.Label, ask.Kind = "/jobs/"+q.String()+"/"+j.ID+"/retry", "Retry", "side"
	default:
		ask.Says = []string{j.Outcome.Says(), "This cannot be undone. If the reason of the failure is mended, let the job try again instead."}
		ask.Action, ask.Label, ask.Kind = "/jobs/"+q.String()+"/"+j.ID+"/drop", "Drop the job", "stop"
	}
	v.show(w, r, "DROP", "v/confirm", page{Title: "Drop a job", Crumb: link{Text: "Jobs", Address: "/jobs?queue=" + q.String()}, Data: ask})
}

// dropJob drops a parked job.
func (v *views) dropJob(w http.ResponseWriter, r *http.Request) {
	q, j, ok := v.parkedJob(w, r)
	if !ok {
		return
	}
	if j.Refused != "" {
		console.Message(w, r, http.StatusConflict, "This job cannot be dropped", j.Refused)
		return
	}
	v.act(w, r, "/jobs?queue="+q.String(), "drop job", map[string]string{"queue": q.String(), "id": j.ID}, func(ctx context.Context) error {
		_, err := parked.Drop(ctx, v.Store, q, j.ID, v.Clock.Now())
		return err
	})
}
