package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// worker is one of the clients' backends: it walks one flow after the other.
type worker struct {
	*run
	number int
	chance *rand.Rand
	node   int // the server it speaks to
	serial int // of what it has made

	userID, token string // of the flow under way
}

// histories are persons of the sandbox whose collections take many pages, so
// that kills hit them half way. One worker each has them.
var histories = []string{"198412099296", "199011062388", "196603233724"}

// registrars is how many workers make and delete users only.
const registrars = 3

func (w *worker) work(ctx context.Context) {
	for !w.books.ended() && ctx.Err() == nil {
		if !w.user(ctx) || !w.session(ctx) {
			continue
		}
		switch n := w.chance.IntN(10); {
		case w.number < len(histories):
			w.history(ctx, histories[w.number])
		case w.number < len(histories)+registrars:
			// A flow that a kill has hit rests for a while; these never rest.
			pause(ctx, 20*time.Millisecond)
		case n < 4:
			w.stored(ctx)
		case n < 7:
			w.oneTime(ctx)
		case n < 8:
			w.declined(ctx)
		case n < 9:
			w.withdrawn(ctx)
		default:
			w.refreshed(ctx)
		}
		if w.chance.IntN(4) == 0 {
			w.delete(ctx)
		}
	}
}

// maybe is an Idempotency-Key in half of the cases, else none.
func (w *worker) maybe() string {
	if w.chance.IntN(2) == 0 {
		return ""
	}
	return w.key()
}

func (w *worker) key() string {
	w.serial++
	return fmt.Sprintf("key-%d-%d", w.number, w.serial)
}

// user makes a user. With a key the repeat of a request that a kill cut short
// must be answered as the first; without one it may find the user there.
func (w *worker) user(ctx context.Context) bool {
	q := request{method: "POST", path: "/users", key: w.maybe()}
	w.serial++
	externalID := fmt.Sprintf("customer-%d-%d", w.number, w.serial)
	q.body = map[string]string{"externalId": externalID}
	a, err := w.ask(ctx, q)
	for err == errUnknown {
		a, err = w.ask(ctx, q)
		if err == nil && a.status == 409 && a.code() == "USER_EXISTS" {
			a.status = 201
		}
	}
	if err != nil {
		return false
	}
	var u struct{ UserUUID string }
	a.read(&u)
	if a.status != 201 || u.UserUUID == "" {
		w.books.fault("POST /users (key %q): %d %s", q.key, a.status, a.body)
		return false
	}
	w.userID = u.UserUUID
	w.books.note(func() { w.books.users[u.UserUUID] = &userEntry{externalID: externalID} })
	return true
}

// made asks for something that a repeat makes again; body is asked for each try,
// since a second try without a key needs another person.
func (w *worker) made(ctx context.Context, path, token, key string, body func() any) (answer, bool) {
	q := request{method: "POST", path: path, token: token, key: key, body: body()}
	for {
		a, err := w.ask(ctx, q)
		if err == errUnknown {
			q.body = body()
			continue
		}
		if err == nil && a.status != 201 {
			w.books.fault("POST %s (key %q): %d %s", path, key, a.status, a.body)
		}
		return a, err == nil && a.status == 201
	}
}

func (w *worker) session(ctx context.Context) bool {
	a, ok := w.made(ctx, "/users/"+w.userID+"/sessions", "", w.maybe(), func() any { return nil })
	var s struct{ Token string }
	a.read(&s)
	w.token = s.Token
	if ok {
		w.books.note(func() { w.books.sessions[s.Token] = w.userID })
	}
	return ok
}

// delete deletes the user of the flow, with all that hangs on it.
func (w *worker) delete(ctx context.Context) {
	if _, ok := w.must(ctx, request{method: "DELETE", path: "/users/" + w.userID}, 204); ok {
		w.books.note(func() { w.books.users[w.userID].deleted = true })
	}
}

// state is what a status poll tells, of a consent or of a collection.
type state struct {
	Status           string
	AuthInstructions struct{ AutoStartToken, QRData string }
	ExtraInformation struct {
		Token  string `json:"SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"`
		QRData string `json:"SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA"`
	}
}

// pending are the statuses that something follows.
var pending = map[string]bool{"INITIATED": true, "AWAITING_AUTHORIZATION": true, "RUNNING": true, "LOGIN": true, "COLLECTING": true}

// follow polls a flow until nothing follows. The person does the deed ("approve",
// "cancel") on the phone as soon as there is something to act on; done tells
// whether BankID has accepted it. Without a deed follow returns at that moment.
func (w *worker) follow(ctx context.Context, id, path, deed string) (s state, done, ok bool) {
	since, shown := time.Now(), false
	for {
		a, answered := w.must(ctx, request{method: "GET", path: path, token: w.token}, 200)
		if !answered {
			w.books.still(id, since)
			return s, done, false
		}
		before := s.Status
		s = state{}
		a.read(&s)
		if s.Status != before {
			since = time.Now()
		}
		if !pending[s.Status] {
			return s, done, true
		}
		token, qr := s.AuthInstructions.AutoStartToken+s.ExtraInformation.Token, s.AuthInstructions.QRData+s.ExtraInformation.QRData
		if token != "" || qr != "" {
			if deed == "" {
				return s, false, true
			}
			if !shown {
				shown, since = true, time.Now()
				w.books.note(func() { w.books.tokens[token] = true })
			}
			if token != "" {
				qr = ""
			}
			if !done && w.phone.Act(ctx, deed, token, qr, "") == nil {
				done, since = true, time.Now()
			}
		}
		w.books.still(id, since)
		pause(ctx, 150*time.Millisecond+time.Duration(w.chance.Int64N(int64(200*time.Millisecond))))
	}
}
