package store

import (
	"context"

	"samla/internal/audit"
	"samla/internal/consent"
)

// AuditReader reads the audit log.
type AuditReader interface {
	// AuditEntries lists the entries about one consent, oldest first.
	AuditEntries(ctx context.Context, consentID consent.ID) ([]audit.Entry, error)
}

// AuditWriter appends to the audit log.
type AuditWriter interface {
	// AddAuditEntry stores an entry. An entry is never overwritten: a second one
	// with the same id fails the transaction.
	AddAuditEntry(ctx context.Context, e audit.Entry) error
}
