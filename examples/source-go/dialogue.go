package main

import (
	"fmt"
	"net/http"
	"time"
)

// session is the dialogue with one person.
type session struct {
	number   string // personal number
	started  time.Time
	used     time.Time
	question int // number of the open question; 0: none was asked yet
	wrong    int // wrong codes
	in, out  bool
}

// appTime is how long the person needs for the BankID app, which this program pretends.
const appTime = 300 * time.Millisecond

func newSession(number string) *session {
	return &session{number: number, started: time.Now(), used: time.Now()}
}

// now returns the turn of this moment. The id of a turn changes when the turn does.
func (p *session) now() object {
	if p.question == 0 && time.Since(p.started) >= appTime {
		p.question = 1
	}
	switch {
	case p.out:
		return object{"id": "out", "type": "OUT", "reason": "LOCKED"}
	case p.in:
		return object{"id": "in", "type": "IN", "personalNumber": p.number, "name": "Example Person"}
	case p.question == 0:
		return object{"id": "bankid", "type": "WAIT", "for": "BANKID", "pollAfter": 200, "autoStartToken": "7c40b5c9-fa74-49cf-b98c-bfe651f9a7c6",
			"qrText": "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8"}
	}
	turn := object{"id": "ask-" + p.open(), "type": "ASK", "question": p.open(), "kind": "CODE", "responseType": "NUMBER_CODE",
		"message": "Type the code that we have sent you.", "choices": []object{{"id": "RESEND", "name": "Send a new code"}}}
	if p.wrong > 0 {
		turn["wrong"], turn["attemptsLeft"] = true, maxWrong-p.wrong
	}
	return turn
}

const maxWrong = 3

// open returns the id of the open question.
func (p *session) open() string { return fmt.Sprint("code-", p.question) }

// answer takes the answer to a question. Each question is used once: after a wrong code
// there is another one.
func (p *session) answer(in object) (int, object) {
	code, isCode := in["code"].(string)
	p.now() // what the time has changed
	switch {
	case in["question"] == nil || isCode == (in["choice"] != nil):
		return http.StatusBadRequest, object{"error": "BAD_REQUEST"}
	case p.in || p.out || in["question"] != p.open():
		return http.StatusConflict, object{"error": "QUESTION_OVER"}
	case in["choice"] == "RESEND":
		p.question++
	case code == "123456":
		p.in = true
	case !isCode:
		return http.StatusBadRequest, object{"error": "BAD_REQUEST"}
	default:
		p.question++
		p.wrong++
		p.out = p.wrong == maxWrong
	}
	return http.StatusOK, object{"turn": p.now()}
}

// page returns a page of the person's data. A cursor gives the same page each time.
func (p *session) page(in object) (int, object) {
	cursor, isText := in["cursor"].(string)
	switch {
	case !p.in:
		return http.StatusConflict, object{"error": "TURN_NEEDED"}
	case in["cursor"] == nil:
		return http.StatusOK, object{"products": []object{pension(p.number)}, "next": "accounts"}
	case isText && cursor == "accounts":
		return http.StatusOK, object{"accounts": []object{savings}}
	}
	return http.StatusBadRequest, object{"error": "BAD_REQUEST"}
}
