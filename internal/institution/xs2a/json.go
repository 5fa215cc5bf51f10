package xs2a

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"samla/internal/institution"
	"samla/internal/jsontext"
	"samla/internal/money"
)

var utf8BOM = []byte("\xef\xbb\xbf")

var (
	errMissing  = errors.New("a required member is missing")
	errDownload = errors.New("the bank offers only a download")
)

func malformed(requestID string, cause error) error {
	return &institution.Error{Kind: institution.MalformedResponse, RequestID: requestID, Cause: cause}
}

// decode decodes the JSON object of a response into v. It ignores members that have
// another type than v expects, and repairs what is nearly JSON. Errors: kind
// MalformedResponse if the body is not a JSON object.
func decode(r response, v any) error {
	_, err := decodeExactly(r, v)
	return err
}

// decodeExactly is decode, and reports whether every member has the type that v expects.
func decodeExactly(r response, v any) (exact bool, err error) {
	body := bytes.TrimPrefix(r.body, utf8BOM)
	err = json.Unmarshal(body, v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		if repaired := repair(body); repaired != nil {
			body, err = repaired, json.Unmarshal(repaired, v)
		}
	}
	var mismatch *json.UnmarshalTypeError
	exact = err == nil
	if errors.As(err, &mismatch) && mismatch.Field != "" {
		err = nil
	}
	if err == nil && !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		err = errMissing
	}
	if err != nil {
		return false, malformed(r.requestID, err)
	}
	return exact, nil
}

// text is a string. Banks also write strings as numbers or booleans: text keeps them
// as they are written in JSON. Any other JSON value becomes "".
type text string

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (t *text) UnmarshalJSON(data []byte) error {
	*t = text(jsontext.Loose(data))
	return nil
}

// oneLine returns the text trimmed of white space, with control characters replaced
// by spaces.
func (t text) oneLine() string {
	s := strings.TrimSpace(string(t))
	if strings.ContainsFunc(s, isControl) {
		s = strings.Map(func(r rune) rune {
			if isControl(r) {
				return ' '
			}
			return r
		}, s)
	}
	return s
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' }

// isTrue reports whether the text is a boolean that is true, in any of the ways that
// banks write it.
func (t text) isTrue() bool {
	return t == "1" || strings.EqualFold(string(t), "true") || strings.EqualFold(string(t), "yes")
}

// dateTime returns the time of an ISO 8601 date-time in UTC, or the zero time if the
// text is not one; a date alone is not one. Without an offset the time is UTC.
func (t text) dateTime() time.Time {
	s := strings.TrimSpace(string(t))
	if len(s) <= len(time.DateOnly) {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// amount is an amount of money.
type amount struct {
	Currency text `json:"currency"`
	Amount   text `json:"amount"`
}

func (a amount) money() (money.Amount, bool) {
	m, err := money.ParseLenient(string(a.Amount), string(a.Currency))
	return m, err == nil
}
