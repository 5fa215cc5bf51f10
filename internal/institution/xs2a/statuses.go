package xs2a

import (
	"slices"
	"strings"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/plaintext"
)

// containsAny reports whether a word contains one of the stems.
func containsAny(word string, stems ...string) bool {
	return slices.ContainsFunc(stems, func(stem string) bool { return strings.Contains(word, stem) })
}

// notYet reports whether a word speaks of something that has not happened, or not
// completely, such as partiallyAuthorised or revocationPending.
func notYet(word string) bool {
	return strings.HasPrefix(word, "not") || containsAny(word, "partial", "pending", "await", "progress", "request", "soon", "tobe")
}

// The words of a status that end something, by what they say, in English and Swedish, as
// plaintext.Fold writes them. Words that also fit what has not begun are not among them:
// inactive, notValid.
var (
	wordsOfTime     = []string{"expired", "timeout", "timedout", "lapsed", "utgang", "utgatt"}
	wordsOfCancel   = []string{"cancel", "aborted", "interrupted", "avbrut"}
	wordsOfRefusal  = []string{"reject", "declined", "denied", "refused", "avvisa", "nekad", "nekat", "avslag"}
	wordsOfFailure  = []string{"fail", "revoked", "terminated", "invalid", "misslyck"}
	wordsOfRevoking = []string{"revoked", "terminated", "withdrawn", "deleted", "closed", "removed", "cancel",
		"deactivated", "nolonger", "aterkalla", "avsluta", "upphor", "upphavd"}
	wordsOfRejection = append([]string{"fail", "aborted", "invalid"}, wordsOfRefusal...)
)

// stateOf maps a consentStatus. Banks write the statuses of the standard in many ways
// and have words of their own for the same ends. A word that says neither that the
// consent is valid nor that it has ended is pending: an unknown word ends nothing.
func stateOf(status string) institution.ConsentState {
	w := plaintext.Fold(status)
	switch {
	case slices.Contains([]string{"valid", "active", "authorised", "authorized", "approved", "granted"}, w):
		return institution.ConsentValid
	case strings.HasPrefix(w, "part"): // partiallyAuthorised
		return institution.ConsentPartlySigned
	case notYet(w):
		return institution.ConsentPending
	case containsAny(w, wordsOfTime...):
		return institution.ConsentExpired
	case containsAny(w, wordsOfRevoking...):
		return institution.ConsentRevoked
	case containsAny(w, wordsOfRejection...):
		return institution.ConsentRejected
	}
	return institution.ConsentPending
}

// scaStateOf maps a scaStatus, and returns why the authorisation failed as far as the
// word says it. Statuses that are not final are pending, those of the bank's own too.
func scaStateOf(status string) (institution.AuthorizationState, consent.FailureCode) {
	w := strings.TrimPrefix(plaintext.Fold(status), "sca")
	switch {
	case slices.Contains([]string{"finalised", "finalized", "exempted", "completed", "complete", "done", "finished", "success", "successful",
		"succeeded", "signed", "valid", "authorised", "authorized", "approved"}, w):
		return institution.AuthorizationDone, ""
	case notYet(w):
		return institution.AuthorizationPending, ""
	case containsAny(w, wordsOfTime...):
		return institution.AuthorizationFailed, consent.AuthenticationTimeout
	case containsAny(w, wordsOfCancel...):
		return institution.AuthorizationFailed, consent.AuthenticationCancelled
	case containsAny(w, wordsOfRefusal...):
		return institution.AuthorizationFailed, consent.Rejected
	case containsAny(w, wordsOfFailure...):
		return institution.AuthorizationFailed, consent.AuthenticationFailed
	}
	return institution.AuthorizationPending, ""
}

// hintCodes are the hint codes that mean more here than a message for the person
// (docs/reference/banks.md 12.2), by their words.
var hintCodes = map[string]string{
	"outstandingtransaction": "outstandingTransaction", "noclient": "noClient", "started": "started", "usersign": "userSign",
	"usermrtd": "userMrtd", "userface": "userFace", "userstepup": "userStepUp", "processing": "processing",
	"expiredtransaction": "expiredTransaction", "certificateerr": "certificateErr", "usercancel": "userCancel", "cancelled": "cancelled",
	"startfailed": "startFailed", "alreadyinprogress": "alreadyInProgress",
}

// canonicalHint returns a hint code as BankID writes it, or unchanged if it is not
// BankID's.
func canonicalHint(hint string) string {
	if code, known := hintCodes[plaintext.Fold(hint)]; known {
		return code
	}
	return hint
}

// failureOf returns why an authorisation failed: by the hint code of BankID
// (docs/reference/banks.md 12.2), else by the messages of the bank, else as its status
// says.
func failureOf(hint string, messages tppMessages, status consent.FailureCode) consent.FailureCode {
	switch canonicalHint(hint) {
	case "userCancel":
		return consent.AuthenticationCancelled
	case "startFailed", "expiredTransaction":
		return consent.AuthenticationTimeout
	case "alreadyInProgress", "cancelled": // a person's second order cancels the first
		return consent.AuthenticationConflict
	case "personMismatch":
		return consent.AuthenticationMismatch
	}
	for _, m := range messages {
		w := plaintext.Fold(string(m.Code))
		switch {
		case w == "psucredentialsinvalid", strings.Contains(w, "mismatch"):
			return consent.AuthenticationMismatch
		case w == "resourceunknown", w == "resourceblocked", w == "consentinvalid", w == "consentunknown", w == "serviceblocked":
			return consent.Rejected // the person does not have the accounts, or may not give them
		case containsAny(w, wordsOfTime...):
			return consent.AuthenticationTimeout
		case containsAny(w, wordsOfCancel...):
			return consent.AuthenticationCancelled
		}
	}
	return status
}
