package record

import "strings"

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(strings.ToLower(words)) {
		set[w] = true
	}
	return set
}

// members are the names that are kept: those of the specification, and those that banks
// write in their place and that package xs2a reads. Others become x-member-1, x-member-2.
var members = setOf(`_links acceptorTransactionDateTime account accounts additionalInformation amount authorisations balanceAfterTransaction
balanceAmount balanceType balances bban bic booked bookingDate bookingDateTime bookingStatus cardAcceptorName cardAccount cardAccounts cardTransactionId
cardTransactions cards cashAccountType category code content creditDebit creditDebitCode creditDebitIndicator creditLimit creditLimitIncluded creditor
creditorAccount creditorName currency debitAccounting debitCredit debitCreditIndicator debtor debtorAccount debtorName direction displayName endToEndId
entryReference hasMore href iban id identification lastChangeDateTime links maskedPan msisdn name next nextLink nextPage other ownerName ownerNames
pagination paging pan pending product referenceDate remittanceInformationStructured remittanceInformationStructuredArray
remittanceInformationUnstructured remittanceInformationUnstructuredArray resourceId status text texts tppMessages transactionAmount transactionDate
transactionDetails transactionId transactionType transactions type ultimateCreditor ultimateDebtor uri url value valueDate valueDateTime
information self first last previous prev view viewAccounts viewBalances viewTransactions rel reference referenceType issuer scheme schemeName proprietary
usage details bankTransactionCode proprietaryBankTransactionCode purposeCode mandateId checkId creditorId exchangeRate currencyExchange sourceCurrency
targetCurrency unitCurrency quotationDate linkedAccounts path language lang encoding
lastCommittedTransaction account_report report download`)

// enumMembers are the members whose values are words of closed sets.
var enumMembers = setOf(`balanceType cashAccountType status currency creditDebitIndicator debitCreditIndicator creditDebitCode creditDebit debitCredit
direction transactionType type debitAccounting creditLimitIncluded hasMore usage rel code category scheme schemeName bookingStatus sourceCurrency targetCurrency
unitCurrency referenceType language lang encoding`)

// enums are these words.
var enums = setOf(`closingBooked CLBD closing closingBalance interimBooked ITBD booked bookedBalance current currentBalance ledger ledgerBalance accountBalance
interimCleared ITCL openingBooked OPBD opening openingBalance previouslyClosedBooked PRCD expected XPCD expectedBalance interimAvailable ITAV available
availableBalance availableAmount disposable disponibelt disponibeltbelopp disponibelt belopp saldo authorised authorized authorisedBalance authorizedBalance forwardAvailable FWAV
closingAvailable CLAV openingAvailable OPAV nonInvoiced notInvoiced
CACC TRAN CASH ODFT SVGS LLSV MOMA ONDP SLRY CARD LOAN MGLD MORT CHAR CISH COMM CPAC NREX OTHR SACC TAXE TRAS VACC NFCA
enabled deleted blocked closed active inactive open avslutat avslutad stängt stängd öppet öppen spärrat spärrad aktivt aktiv account konto
DBIT DEBIT DEBITED DEBET D DR OUT OUTGOING OUTBOUND WITHDRAWAL UTTAG UT CRDT CREDIT CREDITED KREDIT C CR IN INCOMING INBOUND DEPOSIT INSÄTTNING
true false yes no ja nej 1 0 y n PRIV ORGA both pending information all next self ERROR WARNING
sv en swedish english iban bban`)

// amountMembers have amounts.
var amountMembers = setOf("amount content value")

// linkMembers have links, and all that is in them.
var linkMembers = setOf("_links links pagination paging href uri url next nextLink nextPage")

// nameMembers have the words by which an account is recognised as of some type.
var nameMembers = setOf("name displayName product cashAccountType type details")

// placeholders stand for nothing.
var placeholders = setOf(`pending reserved reservation reserverat preliminary temp temporary unbooked nonref noref noreference unavailable missing dummy
default string id test`)

// segments are the parts of addresses that are kept, and parameters the names of queries.
var (
	segments   = setOf("v1 v2 v3 v4 accounts card-accounts cardaccounts cards transactions balances psd2 xs2a berlingroup api")
	parameters = setOf(`page pageindex pagenumber pagesize itemsperpage limit offset size cursor after before next continuationkey nextpagekey token bookingstatus datefrom dateto
withbalance entryreferencefrom deltalist start from to position pos`)
)

// codes are the error codes of the specification.
var codes = setOf(`FORMAT_ERROR PARAMETER_NOT_CONSISTENT PARAMETER_NOT_SUPPORTED PERIOD_INVALID TIMESTAMP_INVALID SERVICE_INVALID SERVICE_BLOCKED
CONSENT_UNKNOWN CONSENT_INVALID CONSENT_EXPIRED RESOURCE_UNKNOWN RESOURCE_EXPIRED RESOURCE_BLOCKED ACCESS_EXCEEDED REQUESTED_FORMATS_INVALID
SCA_METHOD_UNKNOWN SCA_INVALID CARD_INVALID NO_PIIS_ACTIVATION STATUS_INVALID UNAUTHORIZED TOKEN_UNKNOWN TOKEN_INVALID TOKEN_EXPIRED CORPORATE_ID_INVALID
INTERNAL_SERVER_ERROR PSU_CREDENTIALS_INVALID PRODUCT_INVALID PRODUCT_UNKNOWN`)

// units are the words beside an amount.
var units = setOf("kr sek eur usd nok dkk gbp chf")
