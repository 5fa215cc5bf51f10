package source

import (
	"encoding/json"
	"regexp"
	"slices"
	"time"

	"samla/internal/dialogue"
	"samla/internal/strictjson"
)

// wireTurn has the members of every turn (docs/source-protocol/README.md, Turn). Each type
// has a struct of its own beside it, so that members of other types are ignored as unknown
// ones are, whatever their values.
type wireTurn struct {
	ID        string  `json:"id"`
	Type      string  `json:"type"`
	PollAfter float64 `json:"pollAfter"` // milliseconds
	Expires   string  `json:"expires"`   // date-time
}

type wireIn struct {
	PersonalNumber string `json:"personalNumber"`
	Name           string `json:"name"`
}

type wireOut struct {
	Reason string `json:"reason"`
}

const maxID = 200 // bytes of the ids of turns, questions and choices

// The times between two questions for a turn that a source can ask for.
const (
	leastPoll   = 100 * time.Millisecond
	longestPoll = time.Minute
)

// A session has at least 128 random bits.
var sessionRE = regexp.MustCompile(`^[A-Za-z0-9_-]{22,200}$`)

// ReadLogin reads the answer to POST /v1/sessions. hosts are those that devices may call.
func ReadLogin(body []byte, hosts Hosts) (session string, turn dialogue.Turn, faults strictjson.Faults) {
	turn, session, faults = read(body, hosts)
	if len(faults) == 0 && !sessionRE.MatchString(session) {
		faults.Add("/session", "must have 22 to 200 characters A-Z a-z 0-9 - _")
	}
	return session, turn, faults
}

// ReadTurn reads the answer to GET …/turn and POST …/answers. The turn can be used if there
// are no faults. Each fault is a place and a rule, without any value of the body.
func ReadTurn(body []byte, hosts Hosts) (dialogue.Turn, strictjson.Faults) {
	turn, _, faults := read(body, hosts)
	return turn, faults
}

func read(body []byte, hosts Hosts) (turn dialogue.Turn, session string, faults strictjson.Faults) {
	var r reader
	var in struct {
		Session string          `json:"session"`
		Turn    json.RawMessage `json:"turn"`
	}
	switch {
	case !r.parses(body) || !r.decode("", body, &in):
	case len(in.Turn) == 0 || string(in.Turn) == "null":
		r.add("/turn", "is missing")
	default:
		if turn = r.turn(in.Turn, hosts); len(r.faults) == 0 && turn.TooLarge() {
			r.add("/turn", "is too large")
		}
	}
	if len(r.faults) > 0 {
		return dialogue.Turn{}, "", r.faults
	}
	return turn, in.Session, nil
}

func (r *reader) turn(raw json.RawMessage, hosts Hosts) (turn dialogue.Turn) {
	var in wireTurn
	if !r.decode("/turn", raw, &in) {
		return turn
	}
	r.id("/turn/id", in.ID, maxID, true)
	turn.ID, turn.Expires, turn.PollAfter = in.ID, r.time("/turn/expires", in.Expires), r.pollAfter(in.PollAfter)
	switch in.Type {
	case "WAIT":
		turn.Wait = r.wait(raw)
	case "ASK":
		turn.Ask = r.ask(raw)
	case "DEVICE":
		turn.Device = r.device(raw, hosts)
	case "IN":
		turn.In = r.in(raw)
	case "OUT":
		turn.Out = r.out(raw)
	default:
		r.add("/turn/type", "must be WAIT, ASK, DEVICE, IN or OUT")
	}
	return turn
}

// pollAfter returns the time of a number of milliseconds, within the limits; 0 is none.
func (r *reader) pollAfter(milliseconds float64) time.Duration {
	switch {
	case milliseconds == 0:
		return 0
	case milliseconds < 0:
		r.add("/turn/pollAfter", "must not be negative")
		return 0
	case milliseconds > float64(longestPoll/time.Millisecond):
		return longestPoll
	}
	return max(time.Duration(milliseconds*float64(time.Millisecond)), leastPoll)
}

var personalNumberRE = regexp.MustCompile(`^[0-9]{12}$`)

const (
	maxName    = 200 // characters
	maxMessage = 1000
)

func (r *reader) in(raw json.RawMessage) *dialogue.In {
	var in wireIn
	r.decode("/turn", raw, &in)
	r.matches("/turn/personalNumber", in.PersonalNumber, personalNumberRE, "must have twelve digits")
	return &dialogue.In{PersonalNumber: in.PersonalNumber, Name: r.text("/turn/name", in.Name, maxName)}
}

// out reads why a login ended. A reason that is not known is dialogue.Failed.
func (r *reader) out(raw json.RawMessage) *dialogue.Out {
	var in wireOut
	reason := dialogue.Failed
	switch {
	case !r.decode("/turn", raw, &in):
	case in.Reason == "":
		r.add("/turn/reason", "is missing")
	case slices.Contains(dialogue.Reasons(), dialogue.Reason(in.Reason)):
		reason = dialogue.Reason(in.Reason)
	}
	return &dialogue.Out{Reason: reason}
}

func at(list string, i int, member string) string { return "/turn" + pointerTo(list, i) + member }
