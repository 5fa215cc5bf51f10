package source

import (
	"encoding/json"
	"regexp"
	"slices"
	"time"

	"samla/internal/dialogue"
	"samla/internal/strictjson"
)

// wireTurn has the members of all turns (docs/source-protocol/README.md, Turn). Those of
// other types than its own are ignored. It is flat, so that a fault names the member as
// the source wrote it.
type wireTurn struct {
	ID        string  `json:"id"`
	Type      string  `json:"type"`
	PollAfter float64 `json:"pollAfter"` // milliseconds
	Expires   string  `json:"expires"`   // date-time

	// WAIT
	For             string `json:"for"`
	AutoStartToken  string `json:"autoStartToken"`
	QRText          string `json:"qrText"`
	QRSecret        string `json:"qrSecret"`
	QRStartToken    string `json:"qrStartToken"`
	QRStartedAt     string `json:"qrStartedAt"` // date-time
	QRImage         string `json:"qrImage"`
	ReferenceNumber string `json:"referenceNumber"`
	URL             string `json:"url"`
	Message         string `json:"message"` // of ASK too

	// ASK
	Question     string            `json:"question"` // of DEVICE too
	Kind         string            `json:"kind"`
	ResponseType string            `json:"responseType"`
	Choices      []dialogue.Choice `json:"choices"`
	Inputs       []string          `json:"inputs"`
	Wrong        bool              `json:"wrong"`
	AttemptsLeft *int              `json:"attemptsLeft"`

	// DEVICE
	Request json.RawMessage `json:"request"`
	Older   bool            `json:"older"`

	PersonalNumber string `json:"personalNumber"` // of IN
	Name           string `json:"name"`
	Reason         string `json:"reason"` // of OUT
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
		Session string    `json:"session"`
		Turn    *wireTurn `json:"turn"`
	}
	switch {
	case !r.decode(body, &in):
	case in.Turn == nil:
		r.add("/turn", "is missing")
	default:
		turn = r.turn(in.Turn, hosts)
	}
	if len(r.faults) > 0 {
		return dialogue.Turn{}, "", r.faults.Under("")
	}
	return turn, in.Session, nil
}

func (r *reader) turn(in *wireTurn, hosts Hosts) dialogue.Turn {
	turn := dialogue.Turn{ID: in.ID, Expires: r.time("/turn/expires", in.Expires)}
	r.id("/turn/id", in.ID, maxID, true)
	switch wait := time.Duration(in.PollAfter * float64(time.Millisecond)); {
	case in.PollAfter == 0:
	case in.PollAfter < 0:
		r.add("/turn/pollAfter", "must not be negative")
	case in.PollAfter > float64(longestPoll/time.Millisecond):
		turn.PollAfter = longestPoll
	default:
		turn.PollAfter = max(wait, leastPoll)
	}
	switch in.Type {
	case "WAIT":
		turn.Wait = r.wait(in)
	case "ASK":
		turn.Ask = r.ask(in)
	case "DEVICE":
		turn.Device = r.device(in, hosts)
	case "IN":
		r.matches("/turn/personalNumber", in.PersonalNumber, personalNumberRE, "must have twelve digits")
		turn.In = &dialogue.In{PersonalNumber: in.PersonalNumber, Name: r.text("/turn/name", in.Name, maxName)}
	case "OUT":
		turn.Out = &dialogue.Out{Reason: r.reason(in.Reason)}
	default:
		r.add("/turn/type", "must be WAIT, ASK, DEVICE, IN or OUT")
	}
	return turn
}

var personalNumberRE = regexp.MustCompile(`^[0-9]{12}$`)

const (
	maxName    = 200 // characters
	maxMessage = 1000
)

// reason returns a reason. One that is not known is dialogue.Failed.
func (r *reader) reason(s string) dialogue.Reason {
	reason := dialogue.Reason(s)
	if s == "" {
		r.add("/turn/reason", "is missing")
	}
	if !slices.Contains(dialogue.Reasons(), reason) {
		return dialogue.Failed
	}
	return reason
}

func at(list string, i int, member string) string { return "/turn" + pointerTo(list, i) + member }
