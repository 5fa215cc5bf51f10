package main

import (
	"errors"
	"fmt"
	"strconv"

	"samla/internal/clock"
	"samla/internal/parked"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

type jobsCmd struct {
	List   jobsListCmd   `cmd:"" help:"List the jobs that are parked because they failed too often."`
	Resume jobsResumeCmd `cmd:"" help:"Return a parked job to its queue."`
	Drop   jobsDropCmd   `cmd:"" help:"Drop a parked job: its flow ends as failed."`
}

type jobsListCmd struct {
	existingStore
}

type jobsResumeCmd struct {
	existingStore
	Queue string `arg:"" help:"Queue of the job, from samla jobs list."`
	ID    string `arg:"" help:"Id of the job, from samla jobs list."`
}

type jobsDropCmd struct {
	existingStore
	Queue string `arg:"" help:"Queue of the job, from samla jobs list."`
	ID    string `arg:"" help:"Id of the job, from samla jobs list."`
	Yes   bool   `help:"Drop it. Without this, only say what would happen."`
}

// maxListed is the maximum number of jobs that are listed for one queue.
const maxListed = 1000

// withStore opens the store, also while a server is running, and calls do.
func withStore(a *app, s storeFlags, do func(*sqlstore.Store) error) error {
	db, err := sqlstore.Open(a.ctx, sqlstore.Config{DSN: s.dsn(), Logger: a.log})
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}

// Run lists parked rows as a table, longest parked first.
func (c *jobsListCmd) Run(a *app) error {
	return withStore(a, c.storeFlags, func(db *sqlstore.Store) error {
		t := headed("QUEUE", "ID", "ATTEMPTS", "PARKED", "REASON")
		for _, q := range store.Queues() {
			parked, err := db.ParkedJobs(a.ctx, q, maxListed)
			if err != nil {
				return err
			}
			for _, p := range parked {
				t.add(q.String(), p.ID, strconv.Itoa(p.Attempts), moment(&p.ParkedAt), p.Reason)
			}
		}
		return t.print(a.out)
	})
}

// Run resumes one job. A running server claims it within a second.
func (c *jobsResumeCmd) Run(a *app) error {
	queue, err := store.ParseQueue(c.Queue)
	if err != nil {
		return err
	}
	return withStore(a, c.storeFlags, func(db *sqlstore.Store) error {
		if err := recordCommand(a, db, "jobs resume", map[string]string{"queue": queue.String(), "id": c.ID}); err != nil {
			return err
		}
		err := db.ResumeJob(a.ctx, queue, c.ID, clock.System().Now())
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("queue %s has no parked job %s; 'samla jobs list' lists the parked jobs", queue, c.ID)
		}
		return err
	})
}

// Run says what dropping a job means, and drops it. A running server ends the flow within a
// second.
func (c *jobsDropCmd) Run(a *app) error {
	queue, err := store.ParseQueue(c.Queue)
	if err != nil {
		return err
	}
	return withStore(a, c.storeFlags, func(db *sqlstore.Store) error {
		j, err := parked.Find(a.ctx, db, queue, c.ID)
		if err == nil && j.Refused != "" {
			return errors.New("this job cannot be dropped: " + j.Refused)
		}
		if err == nil && !c.Yes {
			_, err = fmt.Fprintf(a.out, "Nothing was done. With --yes: %s\n", j.Outcome.Says())
			return err
		}
		if err == nil {
			err = recordCommand(a, db, "jobs drop", map[string]string{"queue": queue.String(), "id": j.ID})
		}
		if err == nil {
			_, err = parked.Drop(a.ctx, db, queue, c.ID, clock.System().Now())
		}
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("queue %s has no parked job %s; 'samla jobs list' lists the parked jobs", queue, c.ID)
		}
		return err
	})
}
