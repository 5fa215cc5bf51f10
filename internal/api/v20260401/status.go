package v20260401

import (
	"strconv"
	"time"

	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/jsontext"
)

// The two status answers are appended member by member, without reflection: every
// person who signs polls one of them once a second.

// scopeType is the only type of scope that this server writes (docs/reference/api.md 4.1).
const scopeType = "PSD2_AIS"

const pollAgain, pollNoMore = `,"pollingInterval":1000`, `,"pollingInterval":null`

// appendConsentStatus appends a ConsentStatusResponse (docs/reference/api.md 4.1). While
// the bank has given no instructions, the status is INITIATED: AWAITING_AUTHORIZATION
// promises them.
func appendConsentStatus(b []byte, c *consent.Consent, shown *authorize.Shown) []byte {
	status := c.Status
	if status == consent.AwaitingAuthorization && !shows(shown) {
		status, shown = consent.Initiated, nil
	}
	b = jsontext.AppendMember(b, `{"company":`, c.Company)
	b = jsontext.AppendMember(b, `,"consentId":`, string(c.ID))
	b = jsontext.AppendMember(b, `,"status":`, string(status))
	b = jsontext.AppendTimeMember(b, `,"createdAt":`, c.CreatedAt)
	b = jsontext.AppendTimeMember(b, `,"statusChangedAt":`, c.StatusChangedAt)
	scope := c.Scope()
	b = appendScope(b, &scope)
	if status.Pending() {
		b = append(b, pollAgain...)
	} else {
		b = append(b, pollNoMore...)
	}
	switch status {
	case consent.AwaitingAuthorization:
		b = appendInstructions(b, shown)
	case consent.Failed:
		b = jsontext.AppendMember(b, `,"error":{"code":`, string(c.Failure))
		b = append(jsontext.AppendMember(b, `,"message":`, c.Failure.Message()), '}')
	case consent.Authorized:
		b = jsontext.AppendTimeMember(b, `,"expiresAt":`, c.ExpiresAt)
	case consent.Revoked:
		b = jsontext.AppendTimeMember(b, `,"revokedAt":`, c.RevokedAt)
	}
	return append(b, '}')
}

// shows reports whether there is anything that the person can act on.
func shows(s *authorize.Shown) bool {
	return s != nil && (s.AutoStartToken != "" || s.QRData != "" || s.QRImage != "" || s.RedirectURL != "")
}

func appendScope(b []byte, scope *consent.Scope) []byte {
	b = append(b, `,"scope":{`...)
	for i, id := range scope.AccountIDs {
		if i == 0 {
			b = append(b, `"accountIds":[`...)
		} else {
			b = append(b, ',')
		}
		b = jsontext.AppendString(b, id)
	}
	if len(scope.AccountIDs) > 0 {
		b = append(b, `],`...)
	}
	b = strconv.AppendBool(append(b, `"balances":`...), scope.Balances)
	b = strconv.AppendBool(append(b, `,"transactions":`...), scope.Transactions)
	return append(b, `,"type":"`+scopeType+`"}`...)
}

// appendInstructions appends an AuthInstructions object.
func appendInstructions(b []byte, s *authorize.Shown) []byte {
	b = jsontext.AppendMember(b, `,"authInstructions":{"type":`, string(s.Form))
	b = jsontext.AppendNonEmpty(b, `,"autoStartToken":`, s.AutoStartToken)
	b = jsontext.AppendNonEmpty(b, `,"qrData":`, s.QRData)
	b = jsontext.AppendNonEmpty(b, `,"qrImage":`, s.QRImage)
	b = jsontext.AppendNonEmpty(b, `,"redirectUrl":`, s.RedirectURL)
	b = jsontext.AppendTimeMember(b, `,"expiresAt":`, s.ExpiresAt)
	if m := s.UserMessage; m.Code != "" && m.Text != "" {
		b = jsontext.AppendMember(b, `,"userMessage":{"code":`, m.Code)
		b = append(jsontext.AppendMember(b, `,"text":`, m.Text), '}')
	}
	return append(b, '}')
}

// appendCollectionStatus appends a CollectionStatusResponse (docs/reference/api.md 5.1). due is
// when the next poll must have arrived, or zero if none has to.
func appendCollectionStatus(b []byte, c *collection.Collection, shown *authorize.Shown, due time.Time) []byte {
	b = jsontext.AppendMember(b, `{"id":`, c.ID)
	b = jsontext.AppendMember(b, `,"company":`, c.Company)
	b = jsontext.AppendMember(b, `,"status":`, string(c.Status))
	b = appendExtra(b, shown)
	if c.Status.Terminal() {
		return append(append(b, pollNoMore...), '}')
	}
	b = append(b, pollAgain...)
	if !due.IsZero() {
		b = jsontext.AppendTimeMember(b, `,"pollingTimeout":`, due)
	}
	return append(b, '}')
}

// appendExtra appends extraInformation (docs/reference/api.md 5.5): what the person has
// to do now, or null.
func appendExtra(b []byte, s *authorize.Shown) []byte {
	b = append(b, `,"extraInformation":`...)
	if !shows(s) {
		return append(b, `null`...)
	}
	start := len(b)
	b = jsontext.AppendNonEmpty(b, `,"SWEDISH_BANKID_QRCODE":`, s.QRImage)
	b = jsontext.AppendNonEmpty(b, `,"SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA":`, s.QRData)
	b = jsontext.AppendNonEmpty(b, `,"SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN":`, s.AutoStartToken)
	b = jsontext.AppendNonEmpty(b, `,"REDIRECT_URL":`, s.RedirectURL)
	b[start] = '{' // in place of the first comma
	return append(b, '}')
}
