package institution

// Reason says more exactly than an ErrorKind why an exchange failed, for the operator.
// The set is closed, and no flow decides by it. Remedy says what to do.
type Reason string

// The reasons. The first group is about the certificate of the institution, the second
// about ours.
const (
	ServerCertificateExpired   Reason = "SERVER_CERTIFICATE_EXPIRED" // or not valid yet
	ServerCertificateOtherName Reason = "SERVER_CERTIFICATE_OTHER_NAME"
	ServerCertificateUntrusted Reason = "SERVER_CERTIFICATE_UNTRUSTED"
	ServerCertificateInvalid   Reason = "SERVER_CERTIFICATE_INVALID"

	OurCertificateExpired   Reason = "OUR_CERTIFICATE_EXPIRED"
	OurCertificateUntrusted Reason = "OUR_CERTIFICATE_UNTRUSTED"
	OurCertificateRejected  Reason = "OUR_CERTIFICATE_REJECTED"
	OurSignatureRejected    Reason = "OUR_SIGNATURE_REJECTED"
	OurRoleRejected         Reason = "OUR_ROLE_REJECTED"
	NotSigned               Reason = "NOT_SIGNED"
	OurCredentialsRejected  Reason = "OUR_CREDENTIALS_REJECTED"
	NotOfferedAtSource      Reason = "NOT_OFFERED_AT_SOURCE"
	OurApplicationRejected  Reason = "OUR_APPLICATION_REJECTED"
	ReturnNotRegistered     Reason = "RETURN_NOT_REGISTERED"

	ConnectionRefused Reason = "CONNECTION_REFUSED"
	ConnectionFailed  Reason = "CONNECTION_FAILED"
	NoAnswerInTime    Reason = "NO_ANSWER_IN_TIME"
	AnswerTooLarge    Reason = "ANSWER_TOO_LARGE"
	NoRoom            Reason = "NO_ROOM"
	CircuitOpen       Reason = "CIRCUIT_OPEN"
	Overloaded        Reason = "OVERLOADED"
)

var remedies = map[Reason]string{
	ServerCertificateExpired: "the institution must renew its certificate: tell it; if its certificate is valid, correct the clock of this machine",
	ServerCertificateOtherName: "the institution's certificate is for another host: compare baseURL in the banks file with the institution's documentation; " +
		"if it is right, tell the institution",
	ServerCertificateUntrusted: "the authority of the institution's certificate is not known: add its CA certificates to the file that certificates.caFile " +
		"names in the banks file, after the institution has confirmed them",
	ServerCertificateInvalid: "the institution's certificate cannot be used: tell the institution",
	OurCertificateExpired:    "renew the QWAC: get its successor, name it in certificates.qwacCert and qwacKey in the banks file, and restart",
	OurCertificateUntrusted: "the bank does not know the authority of our QWAC: append the intermediate certificates to the file of certificates.qwacCert; " +
		"if they are there, ask the bank to trust the authority",
	OurCertificateRejected: "the bank rejects our QWAC: check with the bank that it is registered there and not revoked, " +
		"and that certificates.qwacCert names it",
	OurSignatureRejected:   "the bank rejects our signature: check certificates.qsealCert and signature in the banks file, and that the bank knows the QSealC",
	OurRoleRejected:        "the bank does not accept our role: check that our certificate has PSP_AI and that the authority's register lists it",
	NotSigned:              "the request could not be signed: check certificates.qsealKey in the banks file",
	OurCredentialsRejected: "the source refuses our secret or certificate: compare secretFile, secretVariable or certificates in the entry with what the source expects",
	OurApplicationRejected: "the gateway does not accept our application: compare applicationId and keyFile in the entry with its portal, that the application is active there " +
		"and may read accounts, and the clock of this machine",
	ReturnNotRegistered: "the gateway does not know the address where persons come back: register it in the gateway's portal (samla gateway enablebanking setup shows it)",
	NotOfferedAtSource:  "the source does not have the institution: compare institution in the entry with samla source check",
	ConnectionRefused:   "nothing listens at the institution's address: compare baseURL in the banks file with the institution's documentation; else wait for it",
	ConnectionFailed:    "check name resolution, routes and firewalls between this machine and the institution's address",
	NoAnswerInTime:      "the institution does not answer in time: wait for it, and tell it if that lasts",
	AnswerTooLarge:      "the institution's answer is larger than an answer may be: tell the institution",
	NoRoom: "large answers of institutions fill the memory that --read-memory allows: raise it if this machine has more; " +
		"if one institution is named most often, its answers are too large",
	CircuitOpen: "the institution has not answered and is not called: it is tried again every few seconds",
	Overloaded:  "the institution answers many calls slowly: further calls wait some seconds; tell it if that lasts",
}

// Remedy returns what the operator can do.
func (r Reason) Remedy() string { return remedies[r] }

// Reasons lists all reasons.
func Reasons() []Reason {
	return []Reason{ServerCertificateExpired, ServerCertificateOtherName, ServerCertificateUntrusted, ServerCertificateInvalid,
		OurCertificateExpired, OurCertificateUntrusted, OurCertificateRejected, OurSignatureRejected, OurRoleRejected, NotSigned,
		OurCredentialsRejected, NotOfferedAtSource, OurApplicationRejected, ReturnNotRegistered, ConnectionRefused, ConnectionFailed, NoAnswerInTime, AnswerTooLarge, NoRoom, CircuitOpen, Overloaded}
}

// ByUs reports whether only an operator here can end the failure.
func (r Reason) ByUs() bool {
	switch r {
	case OurCertificateExpired, OurCertificateUntrusted, OurCertificateRejected, OurSignatureRejected, OurRoleRejected, NotSigned,
		OurCredentialsRejected, NotOfferedAtSource, OurApplicationRejected, ReturnNotRegistered, ServerCertificateUntrusted, ServerCertificateOtherName, NoRoom:
		return true
	}
	return false
}
