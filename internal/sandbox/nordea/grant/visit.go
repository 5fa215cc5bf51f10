package grant

import (
	"net/url"
	"time"
)

// Visit is a person's visit to the bank's page, which a redirect starts. It is decided once,
// through Apply.
type Visit struct {
	ID      string          `json:"id"`
	App     string          `json:"app"`
	Root    string          `json:"root"`
	Request RedirectRequest `json:"request"`
	Until   time.Time       `json:"until"`

	Decided  bool   `json:"decided,omitempty"`
	Grant    string `json:"grant,omitempty"` // if the person approved
	ReturnTo string `json:"returnTo,omitempty"`
}

// Decision is the end of a visit: a grant with its code, or a failure code.
type Decision struct {
	Grant, Code string
	Failure     string
}

// Apply returns the visit after its end. A visit that has been decided stays as it is, with
// ErrState.
func (v Visit) Apply(d Decision) (Visit, error) {
	if v.Decided || (d.Code == "") == (d.Failure == "") {
		return v, ErrState
	}
	u, err := url.Parse(v.Request.Redirect)
	if err != nil {
		return v, ErrState
	}
	query := u.Query()
	query.Set("state", v.Request.State)
	if d.Failure != "" {
		query.Set("httpMessage", d.Failure) // docs/reference/families.md 3.5, T
	} else {
		query.Set("code", d.Code)
	}
	u.RawQuery = query.Encode()
	v.Decided, v.Grant, v.ReturnTo = true, d.Grant, u.String()
	return v, nil
}
