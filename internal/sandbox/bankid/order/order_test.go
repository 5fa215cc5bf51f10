package order_test

import (
	"errors"
	"testing"
	"time"

	"samla/internal/sandbox/bankid/order"
)

// Test persons of Skatteverket's open data.
const (
	anna = "199006022397"
	bo   = "194408139089"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// step is one event, this long after the start of the order.
type step struct {
	after time.Duration
	event order.Event
	err   error
}

func TestLife(t *testing.T) {
	s, m := time.Second, time.Minute
	tests := []struct {
		name                  string
		expected, requirement string
		steps                 []step
		at                    time.Duration
		status                order.Status
		hint                  order.Hint
		signer                string
	}{
		{"fresh", anna, "", nil, 30*s - 1, order.Pending, order.Outstanding, ""},
		{"nobody comes", anna, "", nil, 30 * s, order.Failed, order.StartFailed, ""},
		{"opened at the last moment", anna, "", []step{{30*s - 1, order.Open{}, nil}}, 30*s - 1, order.Pending, order.Started, ""},
		{"opened too late", anna, "", []step{{30 * s, order.Open{}, order.ErrEnded}}, 30 * s, order.Failed, order.StartFailed, ""},
		{"reading", anna, "", []step{{5 * s, order.Open{}, nil}}, 6*s - 1, order.Pending, order.Started, ""},
		{"code asked for", anna, "", []step{{5 * s, order.Open{}, nil}}, 6 * s, order.Pending, order.UserSign, ""},
		{"opening again keeps the moment", anna, "", []step{{5 * s, order.Open{}, nil}, {5*s + 900*time.Millisecond, order.Open{}, nil}}, 6 * s, order.Pending, order.UserSign, ""},
		{"never finished", anna, "", []step{{5 * s, order.Open{}, nil}}, 3 * m, order.Failed, order.ExpiredTransaction, ""},
		{"approved too late", anna, "", []step{{5 * s, order.Open{}, nil}, {3 * m, order.Approve{}, order.ErrEnded}}, 3 * m, order.Failed, order.ExpiredTransaction, ""},
		{"approved at the last moment", anna, "", []step{{5 * s, order.Open{}, nil}, {3*m - 1, order.Approve{}, nil}}, 4 * m, order.Complete, "", anna},
		{"approve opens", anna, "", []step{{5 * s, order.Approve{}, nil}}, 5 * s, order.Complete, "", anna},
		{"somebody else signs", anna, "", []step{{5 * s, order.Approve{By: bo}, nil}}, 5 * s, order.Complete, "", bo},
		{"the opener signs", anna, "", []step{{5 * s, order.Open{By: bo}, nil}, {6 * s, order.Approve{}, nil}}, 6 * s, order.Complete, "", bo},
		{"nobody named", "", "", []step{{5 * s, order.Approve{}, order.ErrNobody}}, 5 * s, order.Pending, order.Outstanding, ""},
		{"demanded person signs", "", anna, []step{{5 * s, order.Approve{}, nil}}, 5 * s, order.Complete, "", anna},
		{"demand refuses another's approval", "", anna, []step{{5 * s, order.Approve{By: bo}, order.ErrWrongPerson}}, 5 * s, order.Pending, order.Outstanding, ""},
		{"demand refuses another's opening", "", anna, []step{{5 * s, order.Open{By: bo}, order.ErrWrongPerson}}, 5 * s, order.Pending, order.Outstanding, ""},
		{"BankID does not hold", anna, "", []step{{5 * s, order.Refuse{Why: "certificateErr"}, nil}}, 5 * s, order.Failed, "certificateErr", anna},
		{"declined", anna, "", []step{{5 * s, order.Open{}, nil}, {6 * s, order.Decline{}, nil}}, 6 * s, order.Failed, order.UserCancel, ""},
		{"declined, then approved", anna, "", []step{{6 * s, order.Decline{}, nil}, {7 * s, order.Approve{}, order.ErrEnded}}, 7 * s, order.Failed, order.UserCancel, ""},
		{"cancelled", anna, "", []step{{6 * s, order.Cancel{}, nil}, {7 * s, order.Cancel{}, order.ErrEnded}}, 7 * s, order.Failed, order.Cancelled, ""},
		{"complete cannot be cancelled", anna, "", []step{{6 * s, order.Approve{}, nil}, {7 * s, order.Cancel{}, order.ErrEnded}}, 7 * s, order.Complete, "", anna},
		{"collecting a pending order takes nothing", anna, "", []step{{s, order.Collect{}, nil}, {2 * s, order.Collect{}, nil}}, 2 * s, order.Pending, order.Outstanding, ""},
		{"complete is told once", anna, "", []step{{s, order.Approve{}, nil}, {2 * s, order.Collect{}, nil}, {2 * s, order.Collect{}, order.ErrGone}}, 2 * s, order.Complete, "", anna},
		{"complete is told within 3 min", anna, "", []step{{s, order.Approve{}, nil}, {3*m + s - 1, order.Collect{}, nil}}, 4 * m, order.Complete, "", anna},
		{"complete is gone after 3 min", anna, "", []step{{s, order.Approve{}, nil}, {3*m + s, order.Collect{}, order.ErrGone}}, 4 * m, order.Complete, "", anna},
		{"failed is told once", anna, "", []step{{31 * s, order.Collect{}, nil}, {32 * s, order.Collect{}, order.ErrGone}}, 40 * s, order.Failed, order.StartFailed, ""},
		{"failed is told within 5 min of the limit", anna, "", []step{{5*m + 30*s - 1, order.Collect{}, nil}}, 6 * m, order.Failed, order.StartFailed, ""},
		{"failed is gone 5 min after the limit", anna, "", []step{{5*m + 30*s, order.Collect{}, order.ErrGone}}, 6 * m, order.Failed, order.StartFailed, ""},
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
			o = o.Settle(start.Add(tt.at))
			if o.Status != tt.status || o.Hint != tt.hint || o.Signer != tt.signer {
				t.Errorf("got %s/%s signed by %q, want %s/%s by %q", o.Status, o.Hint, o.Signer, tt.status, tt.hint, tt.signer)
			}
		})
	}
}
