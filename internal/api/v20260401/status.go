package v20260401

import (
	"strconv"

	"samla/internal/api/collections"
	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/jsontext"
)

// The status is appended member by member, without reflection: every person who signs
// polls it once a second. Package collections has that of collections.

// scopeType is the only type of scope that this server writes (docs/reference/api.md 4.1).
const scopeType = "PSD2_AIS"

// appendConsentStatus appends a ConsentStatusResponse (docs/reference/api.md 4.1). While
// the bank has given no instructions, the status is INITIATED: AWAITING_AUTHORIZATION
// promises them.
func appendConsentStatus(b []byte, c *consent.Consent, shown *authorize.Shown, accounts consent.AccountChange) []byte {
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
	b = collections.AppendPolling(appendScope(b, &scope), status.Pending())
	switch status {
	case consent.AwaitingAuthorization:
		b = appendInstructions(b, shown)
	case consent.Failed:
		b = jsontext.AppendMember(b, `,"error":{"code":`, string(c.Failure))
		b = append(jsontext.AppendMember(b, `,"message":`, c.Failure.Message()), '}')
	case consent.Authorized:
		b = jsontext.AppendTimeMember(b, `,"expiresAt":`, c.ExpiresAt)
		b = appendAccountChange(b, accounts)
	case consent.Revoked:
		b = jsontext.AppendTimeMember(b, `,"revokedAt":`, c.RevokedAt)
	}
	b = jsontext.AppendNonEmpty(b, `,"renewedBy":`, string(c.RenewedBy))
	b = jsontext.AppendNonEmpty(b, `,"renews":`, string(c.Renews))
	return append(b, '}')
}

// appendAccountChange appends how the accounts differ from those of the consent that was
// renewed (docs/reference/api.md 4.7). There is no member if they do not.
func appendAccountChange(b []byte, a consent.AccountChange) []byte {
	if a.Empty() {
		return b
	}
	b = appendStrings(append(b, `,"accountsSinceRenewal":{"added":`...), a.Added)
	return append(appendStrings(append(b, `,"missing":`...), a.Missing), '}')
}

func appendStrings(b []byte, all []string) []byte {
	b = append(b, '[')
	for i, s := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendString(b, s)
	}
	return append(b, ']')
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
