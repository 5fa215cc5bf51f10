package store

// Outage is why the database cannot serve, for the operator and the readiness check.
// The set is closed; the empty value is no outage.
type Outage string

// The outages.
const (
	Unreachable Outage = "the database does not answer"
	Locked      Outage = "the database is locked or has no free connection"
	DiskFull    Outage = "the disk of the database is full"
	TimedOut    Outage = "the database did not answer in time"
)
