package storetest

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/store"
)

func testDialogues(_ *testing.T, f fixture) {
	c := f.addCollection(func(c *collection.Collection) { c.Mode, c.WakeAt = collection.Dialogue, time.Time{} })
	none, err := f.s.DialogueAnswer(f.ctx, c.ID)
	missing(f, "an answer without a dialogue", none, err)
	due, err := f.s.DialogueDue(f.ctx, c.ID)
	missing(f, "the due time of no dialogue", due, err)
	for what, change := range map[string]func(store.Tx) error{
		"an answer": func(tx store.Tx) error { return tx.PutDialogueAnswer(f.ctx, c.ID, []byte{1}) },
		"a time":    func(tx store.Tx) error { return tx.SetDialogueDue(f.ctx, c.ID, start) },
	} {
		f.Log(what)
		f.fails(store.ErrNotFound, change)
	}
	f.write(func(tx store.Tx) error { return tx.AddDialogue(f.ctx, c.ID, "se-a", start.Add(time.Minute)) })
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddDialogue(f.ctx, c.ID, "se-a", start) })
	answer, err := f.s.DialogueAnswer(f.ctx, c.ID)
	check(f, "no answer", answer, err, nil)

	big := bytes.Repeat([]byte{7}, 1<<20)
	f.write(func(tx store.Tx) error { return tx.PutDialogueAnswer(f.ctx, c.ID, big) })
	answer, err = f.s.DialogueAnswer(f.ctx, c.ID)
	check(f, "answer", len(answer), err, len(big))
	f.write(func(tx store.Tx) error { return tx.PutDialogueAnswer(f.ctx, c.ID, nil) })
	answer, err = f.s.DialogueAnswer(f.ctx, c.ID)
	check(f, "no answer any more", answer, err, nil)

	if got := f.claim(store.Dialogues, start); len(got) != 0 {
		f.Errorf("claimed too early: %+v", got)
	}
	f.write(func(tx store.Tx) error { return tx.SetDialogueDue(f.ctx, c.ID, start) })
	due, err = f.s.DialogueDue(f.ctx, c.ID)
	check(f, "due", due, err, start)
	got := f.claim(store.Dialogues, start)
	if len(got) != 1 || got[0].ID != c.ID || got[0].Company != "se-a" || got[0].Attempts != 1 {
		f.Fatalf("claimed %+v", got)
	}
	held, err := f.s.RenewLeases(f.ctx, store.Dialogues, []store.Lease{{ID: c.ID, Until: got[0].LeaseEnds}}, start.Add(time.Hour))
	if err != nil || !slices.Equal(held, []string{c.ID}) {
		f.Errorf("renewed %v, %v", held, err)
	}
	later := start.Add(time.Minute)
	f.write(func(tx store.Tx) error { return tx.SetDialogueDue(f.ctx, c.ID, later) })
	if again := f.claim(store.Dialogues, later); len(again) != 1 || again[0].Attempts != 1 {
		f.Errorf("attempts after another time was set: %+v", again)
	}
	f.write(func(tx store.Tx) error { return tx.DeleteDialogue(f.ctx, c.ID) })
	f.write(func(tx store.Tx) error { return tx.DeleteDialogue(f.ctx, c.ID) })
	due, err = f.s.DialogueDue(f.ctx, c.ID)
	missing(f, "a deleted dialogue", due, err)
	if claimed := f.claim(store.Collections, later.AddDate(1, 0, 0)); len(claimed) != 0 {
		f.Errorf("a binary that knows no dialogues would claim %+v", claimed)
	}
}
