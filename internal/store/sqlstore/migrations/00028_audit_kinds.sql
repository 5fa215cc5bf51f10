-- +goose NO TRANSACTION
-- +goose Up
-- For the console: entries of the audit log of one kind. The three kinds that most entries have
-- are found without an index. It changes no table; see 00003.
CREATE INDEX IF NOT EXISTS audit_log_kind ON audit_log (kind, seq) WHERE kind NOT IN ('DATA_READ', 'COLLECTION_STARTED', 'COLLECTION_FINISHED');
