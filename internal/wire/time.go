package wire

import (
	"errors"
	"time"
)

// layout is the one form in which times are written (docs/reference/api.md 1.1).
const layout = "2006-01-02T15:04:05.000Z"

// Time writes t in UTC with milliseconds and Z, as docs/reference/api.md 1.1 asks for. What is
// finer than a millisecond is cut off.
func Time(t time.Time) string { return t.UTC().Format(layout) }

// AppendTime appends Time(t) to b.
func AppendTime(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, layout) }

var errTimeForm = errors.New("not a time in UTC with milliseconds and Z")

// checkWrittenTime accepts what Time writes.
func checkWrittenTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	if t, err := time.Parse(layout, s); err != nil || t.Format(layout) != s {
		return errTimeForm
	}
	return nil
}

// checkReadTime accepts what readers accept: RFC 3339, and no zone, which is UTC.
func checkReadTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	if _, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return nil
	}
	_, err := time.Parse("2006-01-02T15:04:05.999999999", s)
	return err
}
