package product

import (
	"strconv"
	"unicode/utf8"

	"samla/internal/money"
)

// A response can contain many PSD2 accounts, each with tens of thousands of
// transactions. They are appended to one buffer, member by member: encoding/json
// would spend most of its time on reflection and on scanning its own output.

// AppendPsd2Accounts appends the accounts to b as a JSON array.
func AppendPsd2Accounts(b []byte, accounts []Psd2Account) []byte {
	b = append(b, '[')
	for i := range accounts {
		if i > 0 {
			b = append(b, ',')
		}
		b = accounts[i].AppendJSON(b)
	}
	return append(b, ']')
}

// AppendJSON appends the account to b as a JSON object.
func (a *Psd2Account) AppendJSON(b []byte) []byte {
	b = appendString(append(b, `{"id":`...), a.ID)
	b = appendString(append(b, `,"type":`...), string(a.Type))
	b = appendString(append(b, `,"company":`...), a.Company)
	b = appendString(append(b, `,"companyDisplayName":`...), a.CompanyDisplayName)
	b = appendString(append(b, `,"accountId":`...), a.AccountID)
	b = appendNonEmpty(b, `,"accountHolderName":`, a.AccountHolderName)
	b = appendNonEmpty(b, `,"accountName":`, a.AccountName)
	b = appendNonEmpty(b, `,"accountNumber":`, a.AccountNumber)
	b = appendNonEmpty(b, `,"iban":`, a.IBAN)
	b = appendNonEmpty(b, `,"bic":`, a.BIC)
	b = appendNonEmpty(b, `,"currency":`, a.Currency)
	b = appendAmount(b, `,"bookedBalance":`, a.BookedBalance)
	b = appendAmount(b, `,"availableBalance":`, a.AvailableBalance)
	if a.PersonalInformation != nil {
		b = a.PersonalInformation.appendJSON(append(b, `,"personalInformation":`...))
	}
	if a.Transactions != nil {
		b = append(b, `,"transactions":[`...)
		for i := range a.Transactions {
			if i > 0 {
				b = append(b, ',')
			}
			b = a.Transactions[i].AppendJSON(b)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// MarshalJSON returns what AppendJSON appends.
func (a Psd2Account) MarshalJSON() ([]byte, error) { return a.AppendJSON(nil), nil }

// AppendJSON appends the transaction to b as a JSON object. An undocumented
// direction or status is replaced as in UnmarshalJSON. The sign of the amount is
// not changed.
func (t *Psd2Transaction) AppendJSON(b []byte) []byte {
	b = appendString(append(b, `{"accountId":`...), t.AccountID)
	b = appendNonEmpty(b, `,"transactionId":`, t.TransactionID)
	b = t.Amount.AppendJSON(append(b, `,"amount":`...))
	b = append(append(append(b, `,"direction":"`...), t.direction()...), '"')
	b = append(append(append(b, `,"status":"`...), t.status()...), '"')
	if !t.BookingDate.IsZero() {
		b = append(append(append(b, `,"bookingDate":"`...), t.BookingDate.text...), '"')
	}
	if !t.CreatedAt.IsZero() {
		b = append(t.CreatedAt.Time().AppendFormat(append(b, `,"createdAt":"`...), wireTime), '"')
	}
	b = appendNonEmpty(b, `,"counterpartyName":`, t.CounterpartyName)
	b = appendNonEmpty(b, `,"description":`, t.Description)
	return append(b, '}')
}

// MarshalJSON returns what AppendJSON appends.
func (t Psd2Transaction) MarshalJSON() ([]byte, error) { return t.AppendJSON(nil), nil }

func (p *PersonalInformation) appendJSON(b []byte) []byte {
	start := len(b)
	b = appendNonEmpty(b, `,"personalNumber":`, p.PersonalNumber)
	b = appendNonEmpty(b, `,"firstName":`, p.FirstName)
	b = appendNonEmpty(b, `,"lastName":`, p.LastName)
	b = appendNonEmpty(b, `,"name":`, p.Name)
	b = appendNonEmpty(b, `,"email":`, p.Email)
	b = appendNonEmpty(b, `,"phoneNumber":`, p.PhoneNumber)
	b = appendNonEmpty(b, `,"streetAddress":`, p.StreetAddress)
	b = appendNonEmpty(b, `,"postalCode":`, p.PostalCode)
	b = appendNonEmpty(b, `,"city":`, p.City)
	b = appendNonEmpty(b, `,"country":`, p.Country)
	if len(b) == start {
		return append(b, "{}"...)
	}
	b[start] = '{' // in place of the first comma
	return append(b, '}')
}

// appendNonEmpty appends a member unless its value is empty, which means unknown.
// The key includes the leading comma, the quotes and the colon.
func appendNonEmpty(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(append(b, key...), value)
}

func appendAmount(b []byte, key string, a *money.Amount) []byte {
	if a == nil {
		return b
	}
	return a.AppendJSON(append(b, key...))
}

// appendString appends s as a JSON string. Bytes that are not valid UTF-8 become
// U+FFFD, as in encoding/json.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[done:i]...), "\ufffd"...)
				done = i + size
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			b = appendEscape(append(b, s[done:i]...), c)
			done = i + 1
		}
		i++
	}
	return append(append(b, s[done:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\t':
		return append(b, '\\', 't')
	case '\r':
		return append(b, '\\', 'r')
	default:
		b = append(b, '\\', 'u', '0', '0', '0')
		if c >= 0x10 {
			b[len(b)-1] = '1'
		}
		return strconv.AppendUint(b, uint64(c&0x0f), 16)
	}
}
