-- +goose Up
-- evidence holds the entries of the audit log that are not chained yet: binaries before
-- this one go on writing there. One node at a time moves them to audit_log, whose rows
-- have a place and hashes and are never changed (docs/audit.md). prev and hash have 32
-- bytes. The binary before sweeps evidence only, and so leaves what is chained.
CREATE TABLE audit_log (
    seq BIGINT PRIMARY KEY,
    id TEXT NOT NULL,
    happened_at BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    consent_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail BLOB NOT NULL,
    prev BLOB NOT NULL,
    user_seq BIGINT NOT NULL,
    user_prev BLOB NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX audit_log_user ON audit_log (user_id, seq) WHERE user_id <> '';
CREATE INDEX audit_log_consent ON audit_log (consent_id) WHERE consent_id <> '';

-- Where the chain of each user's entries ends. A row stays when the entries are removed.
CREATE TABLE audit_users (
    user_id TEXT PRIMARY KEY,
    entries BIGINT NOT NULL,
    hash BLOB NOT NULL
);

-- Signed heads as JSON: the newest one, one of each hour, and where the log begins.
CREATE TABLE audit_heads (
    purpose TEXT NOT NULL,
    entries BIGINT NOT NULL,
    signed BLOB NOT NULL,
    PRIMARY KEY (purpose, entries)
);

-- The key that signs heads.
CREATE TABLE audit_keys (
    id TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    public_key BLOB NOT NULL
);

-- The node that has locked this row chains.
CREATE TABLE audit_chain (
    id BIGINT PRIMARY KEY
);
INSERT INTO audit_chain (id) VALUES (1);
