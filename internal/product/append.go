package product

import (
	"samla/internal/jsontext"
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
	b = jsontext.AppendMember(b, `{"id":`, a.ID)
	b = jsontext.AppendMember(b, `,"type":`, string(a.Type))
	b = jsontext.AppendMember(b, `,"company":`, a.Company)
	b = jsontext.AppendMember(b, `,"companyDisplayName":`, a.CompanyDisplayName)
	b = jsontext.AppendMember(b, `,"accountId":`, a.AccountID)
	b = jsontext.AppendNonEmpty(b, `,"accountHolderName":`, a.AccountHolderName)
	b = jsontext.AppendNonEmpty(b, `,"accountName":`, a.AccountName)
	b = jsontext.AppendNonEmpty(b, `,"accountNumber":`, a.AccountNumber)
	b = jsontext.AppendNonEmpty(b, `,"iban":`, a.IBAN)
	b = jsontext.AppendNonEmpty(b, `,"bic":`, a.BIC)
	b = jsontext.AppendNonEmpty(b, `,"currency":`, a.Currency)
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
	b = jsontext.AppendMember(b, `{"accountId":`, t.AccountID)
	b = jsontext.AppendNonEmpty(b, `,"transactionId":`, t.TransactionID)
	b = t.Amount.AppendJSON(append(b, `,"amount":`...))
	b = append(append(append(b, `,"direction":"`...), t.direction()...), '"')
	b = append(append(append(b, `,"status":"`...), t.status()...), '"')
	if !t.BookingDate.IsZero() {
		b = append(append(append(b, `,"bookingDate":"`...), t.BookingDate.text...), '"')
	}
	if !t.CreatedAt.IsZero() {
		b = jsontext.AppendTimeMember(b, `,"createdAt":`, t.CreatedAt.Time())
	}
	b = jsontext.AppendNonEmpty(b, `,"counterpartyName":`, t.CounterpartyName)
	b = jsontext.AppendNonEmpty(b, `,"description":`, t.Description)
	return append(b, '}')
}

// MarshalJSON returns what AppendJSON appends.
func (t Psd2Transaction) MarshalJSON() ([]byte, error) { return t.AppendJSON(nil), nil }

func (p *PersonalInformation) appendJSON(b []byte) []byte {
	start := len(b)
	b = jsontext.AppendNonEmpty(b, `,"personalNumber":`, p.PersonalNumber)
	b = jsontext.AppendNonEmpty(b, `,"firstName":`, p.FirstName)
	b = jsontext.AppendNonEmpty(b, `,"lastName":`, p.LastName)
	b = jsontext.AppendNonEmpty(b, `,"name":`, p.Name)
	b = jsontext.AppendNonEmpty(b, `,"email":`, p.Email)
	b = jsontext.AppendNonEmpty(b, `,"phoneNumber":`, p.PhoneNumber)
	b = jsontext.AppendNonEmpty(b, `,"streetAddress":`, p.StreetAddress)
	b = jsontext.AppendNonEmpty(b, `,"postalCode":`, p.PostalCode)
	b = jsontext.AppendNonEmpty(b, `,"city":`, p.City)
	b = jsontext.AppendNonEmpty(b, `,"country":`, p.Country)
	if len(b) == start {
		return append(b, "{}"...)
	}
	b[start] = '{' // in place of the first comma
	return append(b, '}')
}

func appendAmount(b []byte, key string, a *money.Amount) []byte {
	if a == nil || a.Currency() == "" {
		return b
	}
	return a.AppendJSON(append(b, key...))
}
