package collect

import (
	"bytes"
	"encoding/json"
	"errors"

	"samla/internal/gzipped"
	"samla/internal/institution"
)

// packed is an answer in the form in which it is sealed and stored: one byte that says
// how the body is written, the answer without its body in JSON, a line feed, and the body.
// An answer of the release before is JSON as a whole, with the body in base64.
type packed []byte

// How the body is written. No value is '{', with which the form of the release before
// begins.
const (
	bodyAsItIs  = 1
	bodyGzipped = 2
)

// maxBody is larger than any body.
const maxBody = 256 << 20

// pack returns the form of an answer. The body is copied.
func pack(a institution.Answer) (packed, error) {
	how, body := byte(bodyAsItIs), a.Body
	if len(body) > smallData {
		how, body = bodyGzipped, gzipped.Compress(body)
	}
	a.Body = nil
	head, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	p := make(packed, 0, len(head)+len(body)+2)
	p = append(append(append(p, how), head...), '\n')
	return append(p, body...), nil
}

// errNotPacked says that a text is not an answer. It does not quote it.
var errNotPacked = errors.New("collect: it is not an answer")

// parts returns the answer without its body, how the body is written, and the body.
func (p packed) parts() (a institution.Answer, how byte, body []byte, err error) {
	if len(p) == 0 {
		return a, 0, nil, errNotPacked
	}
	head := []byte(p)
	if how = p[0]; how == bodyAsItIs || how == bodyGzipped {
		var found bool
		if head, body, found = bytes.Cut(p[1:], []byte("\n")); !found {
			return a, 0, nil, errNotPacked
		}
	}
	if json.Unmarshal(head, &a) != nil {
		return a, 0, nil, errNotPacked
	}
	if how != bodyAsItIs && how != bodyGzipped {
		how, body = bodyAsItIs, a.Body
	}
	a.Body = nil
	return a, how, body, nil
}

// question returns the question of an answer; its Kind is empty if the answer is in a form
// before those.
func (p packed) question() (institution.Question, error) {
	a, _, _, err := p.parts()
	return a.Question, err
}

// size returns the number of bytes of the body.
func (p packed) size() int {
	_, how, body, err := p.parts()
	if err != nil {
		return 0
	}
	if how == bodyGzipped {
		n, _ := gzipped.Size(body)
		return n
	}
	return len(body)
}

// unpack returns the answer.
func (p packed) unpack() (institution.Answer, error) {
	a, how, body, err := p.parts()
	if err != nil {
		return a, err
	}
	if how == bodyGzipped {
		if p.size() > maxBody {
			return a, errNotPacked // a damaged text must not take memory without end
		}
		if body, err = gzipped.Plain(body); err != nil {
			return a, errNotPacked
		}
	}
	a.Body = body
	return a, nil
}
