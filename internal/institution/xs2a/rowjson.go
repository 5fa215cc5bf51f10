package xs2a

// transaction has the members of transactions and of cardTransaction
// (docs/reference/banks.md 6.3), and those that banks write in their place.
type transaction struct {
	direction
	ID              text `json:"transactionId"`
	CardID          text `json:"cardTransactionId"`
	EntryReference  text `json:"entryReference"`
	EndToEndID      text `json:"endToEndId"`
	BookingDate     text `json:"bookingDate"`
	BookingDateTime text `json:"bookingDateTime"`
	ValueDate       text `json:"valueDate"`
	ValueDateTime   text `json:"valueDateTime"`
	TransactionDate text `json:"transactionDate"`
	Moment          text `json:"acceptorTransactionDateTime"`

	Amount       rowAmount   `json:"transactionAmount"`
	OldAmount    rowAmount   `json:"amount"` // before 1.3
	BalanceAfter *afterwards `json:"balanceAfterTransaction"`

	CreditorName     words         `json:"creditorName"`
	Creditor         party         `json:"creditor"`
	UltimateCreditor words         `json:"ultimateCreditor"`
	CreditorAccount  accountNumber `json:"creditorAccount"`
	AcceptorName     words         `json:"cardAcceptorName"` // since 1.3.16
	DebtorName       words         `json:"debtorName"`
	Debtor           party         `json:"debtor"`
	UltimateDebtor   words         `json:"ultimateDebtor"`
	DebtorAccount    accountNumber `json:"debtorAccount"`

	Unstructured      words `json:"remittanceInformationUnstructured"`
	UnstructuredArray words `json:"remittanceInformationUnstructuredArray"`
	Structured        words `json:"remittanceInformationStructured"`
	StructuredArray   words `json:"remittanceInformationStructuredArray"`
	CardDetails       words `json:"transactionDetails"`
	Additional        words `json:"additionalInformation"`
}

// rowAmount is the amount of a transaction. Older versions of the standard name its
// number content.
type rowAmount struct {
	amount
	direction
	Content text `json:"content"`
	Value   text `json:"value"`
}

// afterwards is the balance after a transaction.
type afterwards struct {
	Amount amount `json:"balanceAmount"`
}
