package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// worker is a client that runs one flow after the other.
type worker struct {
	*crashTest
	number int
	random *rand.Rand
	node   int // index of the current server
	serial int // for unique keys and ids

	userID, token string // of the current flow
}

// histories are persons of the sandbox whose collections read many pages, so that kills
// interrupt them. Each is used by one worker only.
var histories = []string{"198412099296", "199011062388", "196603233724"}

// userWorkers is how many workers only create and delete users.
const userWorkers = 3

func (w *worker) work(ctx context.Context) {
	for !w.recorder.stopped() && ctx.Err() == nil {
		if !w.createUser(ctx) || !w.createSession(ctx) {
			continue
		}
		switch n := w.random.IntN(15); {
		case w.number < len(histories):
			w.longHistoryFlow(ctx, histories[w.number])
		case w.number < len(histories)+userWorkers:
			// Other flows pause after a kill. These workers keep up the load.
			pause(ctx, 20*time.Millisecond)
		case n < 4:
			w.storedConsentFlow(ctx)
		case n < 7:
			w.oneTimeFlow(ctx)
		case n < 8:
			w.declinedFlow(ctx)
		case n < 9:
			w.revokedFlow(ctx)
		case n < 10:
			w.backgroundFlow(ctx)
		case n < 14:
			w.dialogueFlow(ctx)
		default:
			w.demoFlow(ctx)
		}
		if w.userID != "" && w.random.IntN(4) == 0 {
			w.deleteUser(ctx)
		}
	}
}

// optionalKey returns an Idempotency-Key in half of the cases, otherwise "".
func (w *worker) optionalKey() string {
	if w.random.IntN(2) == 0 {
		return ""
	}
	return w.newKey()
}

func (w *worker) newKey() string {
	w.serial++
	return fmt.Sprintf("key-%d-%d", w.number, w.serial)
}

// createUser creates a user. A repeated request with an Idempotency-Key must get the first
// response; without one it may get USER_EXISTS.
func (w *worker) createUser(ctx context.Context) bool {
	q := request{method: "POST", path: "/users", key: w.optionalKey()}
	w.serial++
	externalID := fmt.Sprintf("customer-%d-%d", w.number, w.serial)
	q.body = map[string]string{"externalId": externalID}
	a, err := w.do(ctx, q)
	for err == errUnknown {
		a, err = w.do(ctx, q)
		if err == nil && a.status == 409 && a.code() == "USER_EXISTS" {
			a.status = 201
		}
	}
	if err != nil {
		return false
	}
	var u struct{ UserUUID string }
	a.decode(&u)
	if a.status != 201 || u.UserUUID == "" {
		w.recorder.addFault("POST /users (key %q): %d %s", q.key, a.status, a.body)
		return false
	}
	w.userID = u.UserUUID
	w.recorder.update(func() { w.recorder.users[u.UserUUID] = &userEntry{externalID: externalID} })
	return true
}

// create sends a POST that can be repeated with a new body. body is called for each try,
// because a second try without an Idempotency-Key needs another person.
func (w *worker) create(ctx context.Context, path, token, key string, body func() any) (response, bool) {
	q := request{method: "POST", path: path, token: token, key: key, body: body()}
	for {
		a, err := w.do(ctx, q)
		if err == errUnknown {
			q.body = body()
			continue
		}
		if err == nil && a.status != 201 {
			w.recorder.addFault("POST %s (key %q): %d %s", path, key, a.status, a.body)
		}
		return a, err == nil && a.status == 201
	}
}

func (w *worker) createSession(ctx context.Context) bool {
	a, ok := w.create(ctx, "/users/"+w.userID+"/sessions", "", w.optionalKey(), func() any { return nil })
	var s struct{ Token string }
	a.decode(&s)
	w.token = s.Token
	if ok {
		w.recorder.update(func() { w.recorder.sessions[s.Token] = w.userID })
	}
	return ok
}

// deleteUser deletes the user of the flow.
func (w *worker) deleteUser(ctx context.Context) {
	if _, ok := w.want(ctx, request{method: "DELETE", path: "/users/" + w.userID}, 204); ok {
		w.recorder.update(func() { w.recorder.users[w.userID].deleted = true })
	}
}

// flowState is the status response of a consent or collection.
type flowState struct {
	Status           string
	AuthInstructions struct{ AutoStartToken, QRData string }
	ExtraInformation struct {
		Token  string `json:"SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"`
		QRData string `json:"SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA"`
	}
}

// unfinished are the statuses that are not final.
var unfinished = map[string]bool{"INITIATED": true, "AWAITING_AUTHORIZATION": true, "RUNNING": true, "LOGIN": true, "COLLECTING": true,
	"TWO_FACTOR_PENDING": true, "WAITING_FOR_USER_ACTION": true}

// follow polls a flow until its status is final. As soon as there are instructions, the
// person performs the action ("approve", "cancel") on the phone; done reports whether
// BankID has accepted it. Without an action follow returns when there are instructions.
func (w *worker) follow(ctx context.Context, id, path, action string) (s flowState, done, ok bool) {
	since, shown := time.Now(), false
	for {
		a, answered := w.want(ctx, request{method: "GET", path: path, token: w.token}, 200)
		if !answered {
			w.recorder.checkProgress(id, since)
			return s, done, false
		}
		before := s.Status
		s = flowState{}
		a.decode(&s)
		if s.Status != before {
			since = time.Now()
		}
		if !unfinished[s.Status] {
			return s, done, true
		}
		token, qr := s.AuthInstructions.AutoStartToken+s.ExtraInformation.Token, s.AuthInstructions.QRData+s.ExtraInformation.QRData
		if token != "" || qr != "" {
			if action == "" {
				return s, false, true
			}
			if !shown {
				shown, since = true, time.Now()
				w.recorder.update(func() { w.recorder.tokens[token] = true })
			}
			if token != "" {
				qr = ""
			}
			if !done && w.phone.Act(ctx, action, token, qr, "") == nil {
				done, since = true, time.Now()
			}
		}
		if w.recorder.checkProgress(id, since) {
			return s, done, false
		}
		pause(ctx, 150*time.Millisecond+time.Duration(w.random.Int64N(int64(200*time.Millisecond))))
	}
}
