package wire

import "time"

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
