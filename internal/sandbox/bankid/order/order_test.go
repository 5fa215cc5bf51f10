package order_test

import (
	"errors"
	"testing"
	"time"

	"samla/internal/sandbox/bankid/order"
)

// Test numbers published by Skatteverket.
const (
	anna = "199006022397"
	bo   = "194408139089"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// timedEvent is an event at a time after the start of the order, and the error that
// Apply must return for it.
type timedEvent struct {
	after time.Duration
	event order.Event
	err   error
}

func TestApply_FollowsStateDiagram(t *testing.T) {
	s, m := time.Second, time.Minute
	tests := []struct {
		name                  string
		expected, requirement string
		steps                 []timedEvent
		at                    time.Duration
		status                order.Status
		hint                  order.Hint
		signer                string
	}{
		{"new", anna, "", nil, 30*s - 1, order.Pending, order.Outstanding, ""},
		{"never opened", anna, "", nil, 30 * s, order.Failed, order.StartFailed, ""},
		{"opened just in time", anna, "", []timedEvent{{30*s - 1, order.Open{}, nil}}, 30*s - 1, order.Pending, order.Started, ""},
		{"opened too late", anna, "", []timedEvent{{30 * s, order.Open{}, order.ErrEnded}}, 30 * s, order.Failed, order.StartFailed, ""},
		{"started", anna, "", []timedEvent{{5 * s, order.Open{}, nil}}, 6*s - 1, order.Pending, order.Started, ""},
		{"user sign", anna, "", []timedEvent{{5 * s, order.Open{}, nil}}, 6 * s, order.Pending, order.UserSign, ""},
		{"opening again keeps the time", anna, "", []timedEvent{{5 * s, order.Open{}, nil}, {5*s + 900*time.Millisecond, order.Open{}, nil}}, 6 * s, order.Pending, order.UserSign, ""},
		{"never finished", anna, "", []timedEvent{{5 * s, order.Open{}, nil}}, 3 * m, order.Failed, order.ExpiredTransaction, ""},
		{"approved too late", anna, "", []timedEvent{{5 * s, order.Open{}, nil}, {3 * m, order.Approve{}, order.ErrEnded}}, 3 * m, order.Failed, order.ExpiredTransaction, ""},
		{"approved just in time", anna, "", []timedEvent{{5 * s, order.Open{}, nil}, {3*m - 1, order.Approve{}, nil}}, 4 * m, order.Complete, "", anna},
		{"approve opens", anna, "", []timedEvent{{5 * s, order.Approve{}, nil}}, 5 * s, order.Complete, "", anna},
		{"another person signs", anna, "", []timedEvent{{5 * s, order.Approve{By: bo}, nil}}, 5 * s, order.Complete, "", bo},
		{"the person who opened signs", anna, "", []timedEvent{{5 * s, order.Open{By: bo}, nil}, {6 * s, order.Approve{}, nil}}, 6 * s, order.Complete, "", bo},
		{"no person named", "", "", []timedEvent{{5 * s, order.Approve{}, order.ErrNoPerson}}, 5 * s, order.Pending, order.Outstanding, ""},
		{"required person signs", "", anna, []timedEvent{{5 * s, order.Approve{}, nil}}, 5 * s, order.Complete, "", anna},
		{"another than the required person approves", "", anna, []timedEvent{{5 * s, order.Approve{By: bo}, order.ErrWrongPerson}}, 5 * s, order.Pending, order.Outstanding, ""},
		{"another than the required person opens", "", anna, []timedEvent{{5 * s, order.Open{By: bo}, order.ErrWrongPerson}}, 5 * s, order.Pending, order.Outstanding, ""},
		{"BankID not valid", anna, "", []timedEvent{{5 * s, order.FailApproval{Hint: "certificateErr"}, nil}}, 5 * s, order.Failed, "certificateErr", anna},
		{"declined", anna, "", []timedEvent{{5 * s, order.Open{}, nil}, {6 * s, order.Decline{}, nil}}, 6 * s, order.Failed, order.UserCancel, ""},
		{"declined, then approved", anna, "", []timedEvent{{6 * s, order.Decline{}, nil}, {7 * s, order.Approve{}, order.ErrEnded}}, 7 * s, order.Failed, order.UserCancel, ""},
		{"cancelled", anna, "", []timedEvent{{6 * s, order.Cancel{}, nil}, {7 * s, order.Cancel{}, order.ErrEnded}}, 7 * s, order.Failed, order.Cancelled, ""},
		{"complete cannot be cancelled", anna, "", []timedEvent{{6 * s, order.Approve{}, nil}, {7 * s, order.Cancel{}, order.ErrEnded}}, 7 * s, order.Complete, "", anna},
		{"collecting a pending order changes nothing", anna, "", []timedEvent{{s, order.Collect{}, nil}, {2 * s, order.Collect{}, nil}}, 2 * s, order.Pending, order.Outstanding, ""},
		{"complete is collected once", anna, "", []timedEvent{{s, order.Approve{}, nil}, {2 * s, order.Collect{}, nil}, {2 * s, order.Collect{}, order.ErrNotCollectable}}, 2 * s, order.Complete, "", anna},
		{"complete is collected within 3 min", anna, "", []timedEvent{{s, order.Approve{}, nil}, {3*m + s - 1, order.Collect{}, nil}}, 4 * m, order.Complete, "", anna},
		{"complete cannot be collected after 3 min", anna, "", []timedEvent{{s, order.Approve{}, nil}, {3*m + s, order.Collect{}, order.ErrNotCollectable}}, 4 * m, order.Complete, "", anna},
		{"failed is collected once", anna, "", []timedEvent{{31 * s, order.Collect{}, nil}, {32 * s, order.Collect{}, order.ErrNotCollectable}}, 40 * s, order.Failed, order.StartFailed, ""},
		{"failed is collected within 5 min of the limit", anna, "", []timedEvent{{5*m + 30*s - 1, order.Collect{}, nil}}, 6 * m, order.Failed, order.StartFailed, ""},
		{"failed cannot be collected 5 min after the limit", anna, "", []timedEvent{{5*m + 30*s, order.Collect{}, order.ErrNotCollectable}}, 6 * m, order.Failed, order.StartFailed, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := order.New(tt.expected, tt.requirement, start)
			for i, s := range tt.steps {
				var err error
				if o, err = order.Apply(o, s.event, start.Add(s.after)); !errors.Is(err, s.err) {
					t.Fatalf("step %d (%T): error %v, want %v", i, s.event, err, s.err)
				}
			}
			o = o.Advance(start.Add(tt.at))
			if o.Status != tt.status || o.Hint != tt.hint || o.Signer != tt.signer {
				t.Errorf("got %s/%s signed by %q, want %s/%s by %q", o.Status, o.Hint, o.Signer, tt.status, tt.hint, tt.signer)
			}
		})
	}
}
