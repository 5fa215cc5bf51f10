package audit

import "encoding/json"

// Flow is what an entry says of a flow, in words of closed sets, for metrics.
type Flow struct {
	Company  string
	Mode     string // of a collection
	Attended bool   // of a collection
	Status   string // of a collection
	// AccountsRead is how many accounts a collection has read; 0 = not known.
	AccountsRead int
	Failure      string // of a consent that has failed
	Cause        string // why a consent has ended, or why a revocation was given up
}

// FlowOf reads the detail of an entry about a consent or a collection. It reports false for
// other entries.
func FlowOf(e Entry) (f Flow, ok bool) {
	switch Kind(e.Kind) {
	case ConsentCreated, ConsentAuthorized, ConsentRevoked, ConsentExpired, ConsentFailed, RevocationDelivered, RevocationGivenUp,
		CollectionStarted, CollectionFinished:
		return f, json.Unmarshal(e.Detail, &f) == nil
	}
	return f, false
}
