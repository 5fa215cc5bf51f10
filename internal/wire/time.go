package wire

import (
	"errors"
	"samla/internal/jsontext"
	"time"
)

var errTimeForm = errors.New("not a time in UTC with milliseconds and Z")

// checkWrittenTime accepts what jsontext.Time writes.
func checkWrittenTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	if t, err := time.Parse(jsontext.TimeLayout, s); err != nil || t.Format(jsontext.TimeLayout) != s {
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
