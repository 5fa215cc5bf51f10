package v20250101

import (
	"context"
	"strings"
	"testing"

	"samla/internal/fault"
	"samla/internal/gzipped"
)

// largeStored is stored data that is too large to hold as text.
type largeStored struct {
	text  string
	reads int
}

func (*largeStored) Tag() string { return "tag" }

func (*largeStored) Plain(context.Context) ([]byte, error) { return nil, nil }

func (d *largeStored) Packed(context.Context) ([]byte, error) {
	d.reads++
	return gzipped.Compress([]byte(d.text)), nil
}

// A client that reads slowly holds the packed text only, as in version 2026-04-01, and few
// views are made at the same time.
func TestOlderData_BoundsWhatLargeDataTakes(t *testing.T) {
	name := strings.Repeat("x", 2<<20)
	stored := &largeStored{text: `[{"type":"ISK","productName":"` + name + `"},{"type":"PUBLIC_PENSION","productName":"y"}]`}
	d := olderData{stored, make(chan struct{}, 1)}
	if plain, err := d.Plain(t.Context()); plain != nil || err != nil {
		t.Errorf("%d bytes are held, %v", len(plain), err)
	}
	packed, err := d.Packed(t.Context())
	if err != nil || len(packed) > 1<<20 {
		t.Fatal(len(packed), err)
	}
	if text, err := gzipped.Plain(packed); err != nil || string(text) != `[{"type":"ISK","productName":"`+name+`"}]` {
		t.Errorf("%.100s, %v", text, err)
	}
	d.large <- struct{}{} // another view is made
	reads := stored.reads
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Packed(ended); fault.CodeOf(err) != fault.Unavailable || stored.reads != reads {
		t.Errorf("%v, %d reads", err, stored.reads-reads)
	}
	<-d.large
	if _, err := d.Packed(t.Context()); err != nil || len(d.large) != 0 {
		t.Error(err, len(d.large))
	}
}
