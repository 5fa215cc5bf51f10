package strictjson

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// Duration is a time.Duration, written as "1s" or "5m".
type Duration time.Duration

var errDuration = errors.New(`must be a duration such as "1s" or "5m"`)

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return errDuration
	}
	parsed, err := time.ParseDuration(s)
	if err != nil {
		return errDuration
	}
	*d = Duration(parsed)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, time.Duration(d).String()), nil
}
