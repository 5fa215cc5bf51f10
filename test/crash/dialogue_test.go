package crash

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"time"
)

// loginEntry is a collection from the recording source.
type loginEntry struct {
	id, person string
	answers    map[string]string // question -> code, of the answers that were acknowledged
	stopped    bool              // the client stopped it, or erased its user

	status, question string // as the last poll showed them
}

// dialogueState is the status response of a collection whose person logs in by dialogue.
type dialogueState struct {
	Status           string
	ExtraInformation *struct {
		Instruction *struct{ QuestionID string } `json:"TWO_FACTOR_AUTHENTICATION_INSTRUCTION"`
	}
}

func (s dialogueState) question() string {
	if s.Status != "TWO_FACTOR_PENDING" || s.ExtraInformation == nil || s.ExtraInformation.Instruction == nil {
		return ""
	}
	return s.ExtraInformation.Instruction.QuestionID
}

// loginBody returns the body for a collection with a login.
func loginBody(company, method, person string) any {
	return map[string]any{"company": company, "loginMethod": method, "parameters": []any{
		map[string]string{"type": "SWEDISH_BANKID", "personalNumber": person}}}
}

// demoLogins are persons of the sandbox's se-demo (docs/sandbox.md): one who gives a code,
// and one who only logs in.
var demoLogins = []string{"200004010000", "199312252399"}

// demoFlow collects from the sandbox's se-demo.
func (w *worker) demoFlow(ctx context.Context) {
	person := demoLogins[w.random.IntN(len(demoLogins))]
	a, ok := w.create(ctx, "/collections", w.token, w.optionalKey(), func() any {
		return loginBody("se-demo", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", person)
	})
	if ok {
		w.finishLogin(ctx, a, &loginEntry{person: person, answers: map[string]string{}}, []string{"123456"})
	}
}

// dialogueFlow collects from the recording source. Some persons give a wrong code first,
// and some clients stop the collection, or erase the user, on the way.
func (w *worker) dialogueFlow(ctx context.Context) {
	entry := &loginEntry{answers: map[string]string{}}
	a, ok := w.create(ctx, "/collections", w.token, w.optionalKey(), func() any {
		entry.person = w.persons.next()
		return loginBody(sourceCompany, "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", entry.person)
	})
	if !ok {
		return
	}
	w.recorder.update(func() { w.recorder.logins = append(w.recorder.logins, entry) })
	codes := []string{rightCode}
	if w.random.IntN(3) == 0 {
		codes = []string{wrongCode, rightCode}
	}
	w.finishLogin(ctx, a, entry, codes)
}

// finishLogin follows a collection with a login to its end, and reads its data.
func (w *worker) finishLogin(ctx context.Context, a response, login *loginEntry, codes []string) {
	var c struct{ ID string }
	a.decode(&c)
	login.id = c.ID
	entry := &collectionEntry{userID: w.userID, attended: true}
	w.recorder.update(func() { w.recorder.collections[c.ID] = entry })
	ends := ""
	if w.random.IntN(5) == 0 {
		ends = []string{"cancel", "erase"}[w.random.IntN(2)]
	}
	s, ok := w.followLogin(ctx, login, codes, ends)
	w.recorder.update(func() { entry.status = s.Status })
	switch {
	case !ok:
		return
	case login.stopped && (s.Status == "AUTHENTICATION_CANCELLED" || s.Status == "COMPLETED"):
	case s.Status != "COMPLETED":
		w.recorder.addFault("collection %s with a login ended as %s", c.ID, s.Status)
		w.recorder.update(func() { w.recorder.odd[c.ID] = true })
	}
	data := w.keepProducts(ctx, c.ID, entry)
	var products []struct{ ID string }
	if _, ours := w.source.person(login.person); ours && data != nil && (json.Unmarshal(data, &products) != nil || len(products) != sourcePages) {
		w.recorder.addFault("collection %s has %d products, want %d", c.ID, len(products), sourcePages)
	}
}

// followLogin polls a collection until it has ended, and answers its questions in order. It
// stops the collection, or erases the user, after the first answer if ends says so.
func (w *worker) followLogin(ctx context.Context, login *loginEntry, codes []string, ends string) (s dialogueState, ok bool) {
	since, tried := time.Now(), ""
	for {
		a, answered := w.want(ctx, request{method: "GET", path: "/collections/" + login.id + "/status", token: w.token}, 200)
		if !answered {
			w.recorder.checkProgress(login.id, since)
			return s, false
		}
		before := s.Status
		s = dialogueState{}
		if a.decode(&s); s.Status != before {
			since = time.Now()
		}
		if login.status, login.question = s.Status, s.question(); !unfinished[s.Status] {
			return s, true
		}
		if q := s.question(); q != "" && len(codes) > 0 {
			if q != tried {
				tried, since = q, time.Now()
			}
			if taken := w.answer(ctx, login, q, codes[0]); taken {
				codes = codes[1:]
			}
			if ends != "" && ctx.Err() == nil {
				login.stopped = true
				if s, ok = w.end(ctx, login, ends); ok {
					return s, true
				}
				ends = ""
			}
		}
		if w.recorder.checkProgress(login.id, since) {
			return s, false
		}
		pause(ctx, 100*time.Millisecond+time.Duration(w.random.Int64N(int64(150*time.Millisecond))))
	}
}

// answer sends a code and reports whether it has been taken. One that may have been taken
// before a kill counts as taken when the question is over.
func (w *worker) answer(ctx context.Context, login *loginEntry, question, code string) (taken bool) {
	a, err := w.do(ctx, request{method: "POST", path: "/collections/" + login.id + "/supplement-info", token: w.token,
		body: map[string]string{"type": "TWO_FACTOR_CODE", "questionId": question, "value": code}})
	switch {
	case err != nil: // the next poll shows whether the question is open
		return false
	case a.status == 204:
		w.recorder.update(func() { login.answers[question] = code })
	case a.status != 409:
		w.recorder.addFault("an answer: %d %s", a.status, a.body)
		return false
	}
	return true
}

// end stops a collection, or erases the user, and returns the status that it has then.
func (w *worker) end(ctx context.Context, login *loginEntry, how string) (s dialogueState, ok bool) {
	if how == "erase" {
		w.deleteUser(ctx)
		w.userID = "" // another erasure would be refused
		w.recorder.update(func() { delete(w.recorder.collections, login.id) })
		s.Status = "AUTHENTICATION_CANCELLED"
		return s, true
	}
	// do repeats no POST without a key after a kill; a stop can be repeated.
	for ctx.Err() == nil {
		a, err := w.do(ctx, request{method: "POST", path: "/collections/" + login.id + "/cancel", token: w.token})
		if err == errUnknown {
			continue
		}
		if err == nil && a.status != 200 {
			w.recorder.addFault("stop: %d %s", a.status, a.body)
		}
		a.decode(&s)
		return s, err == nil && a.status == 200
	}
	return s, false
}

// linesAbout returns what the logs say about a collection.
func (r *crashTest) linesAbout(id string) string {
	var about []string
	for _, log := range r.logs() {
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, id) && !strings.Contains(line, "answered") {
				about = append(about, line)
			}
		}
	}
	return "the log about " + id + ":\n" + strings.Join(about[max(0, len(about)-40):], "")
}

// person returns the login of a person at the recording source.
func (s *source) person(number string) (login, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.persons[number]
	if l == nil {
		return login{}, false
	}
	now := *l // the servers go on
	now.given, now.calls = maps.Clone(l.given), maps.Clone(l.calls)
	return now, true
}

// checkSource compares the recording source with what was acknowledged: no effect was
// asked for with two request ids, each acknowledged answer has arrived, and the session of
// each collection that has ended is ended.
func (r *crashTest) checkSource(ctx context.Context) {
	r.source.mu.Lock()
	for _, f := range r.source.faults {
		r.duplicateEffects++
		r.recorder.addFault("%s", f)
	}
	r.source.mu.Unlock()
	for _, l := range r.recorder.logins {
		at, known := r.source.person(l.person)
		for question, code := range l.answers {
			r.acknowledged++
			if got := at.given[question]; got.code != code && !l.stopped {
				r.addLost("the answer to %s of collection %s (known there: %v)", question, l.id, known)
				r.recorder.update(func() { r.recorder.odd[l.id] = true })
			}
		}
	}
	r.noteJobs(ctx)
	for {
		open := ""
		for _, l := range r.recorder.logins {
			if at, known := r.source.person(l.person); known && at.end == "" {
				open = l.id
			}
		}
		if open == "" {
			return
		}
		if since := time.Since(r.recorder.lastKill); since > resumeTimeout {
			r.recorder.addFault("the session of collection %s is open at the source %v after the last kill", open, since)
			r.recorder.update(func() { r.recorder.odd[open] = true })
			r.noteJobs(ctx)
			return
		}
		if !pause(ctx, time.Second) {
			return
		}
	}
}
