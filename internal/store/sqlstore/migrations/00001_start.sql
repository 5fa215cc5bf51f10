-- +goose Up
-- Times are Unix microseconds, 0 for none. Ids are UUIDs of version 7 in lower
-- case, so that their byte order is the order of creation. The empty string
-- stands for an absent text; only user_id is NULL when there is no user, since it
-- refers to one.

CREATE TABLE clients (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);

-- No reference to clients: every new user would lock its client's row, and
-- clients are never deleted.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    anonymized_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_external_id ON users (client_id, external_id) WHERE anonymized_at = 0;

CREATE TABLE consents (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    user_id TEXT REFERENCES users (id),
    collection_id TEXT NOT NULL,
    company TEXT NOT NULL,
    login_method TEXT NOT NULL,
    status TEXT NOT NULL,
    step TEXT NOT NULL,
    requested TEXT NOT NULL,
    granted TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    status_changed_at BIGINT NOT NULL,
    authorize_by BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    sca_expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL,
    failure TEXT NOT NULL,
    open_request_id TEXT NOT NULL,
    authorise_request_id TEXT NOT NULL,
    sealed BLOB NOT NULL,
    rev BIGINT NOT NULL,
    wake_at BIGINT NOT NULL
);
CREATE INDEX consents_user ON consents (user_id, id) WHERE collection_id = '';
CREATE INDEX consents_wake ON consents (wake_at) WHERE wake_at > 0;

-- keep_until is data_until as long as the sweep has not deleted the data.
CREATE TABLE collections (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    user_id TEXT REFERENCES users (id),
    consent_id TEXT NOT NULL,
    company TEXT NOT NULL,
    login_method TEXT NOT NULL,
    mode TEXT NOT NULL,
    attended BIGINT NOT NULL,
    accounts TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    status_changed_at BIGINT NOT NULL,
    polled_at BIGINT NOT NULL,
    data_until BIGINT NOT NULL,
    keep_until BIGINT NOT NULL,
    erased_at BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    rev BIGINT NOT NULL,
    wake_at BIGINT NOT NULL
);
CREATE INDEX collections_client ON collections (client_id, id);
CREATE INDEX collections_user ON collections (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX collections_unattended ON collections (consent_id, created_at) WHERE attended = 0;
CREATE INDEX collections_wake ON collections (wake_at) WHERE wake_at > 0;
CREATE INDEX collections_keep ON collections (keep_until) WHERE keep_until > 0;

CREATE TABLE raws (
    collection_id TEXT NOT NULL REFERENCES collections (id),
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    mapping BIGINT NOT NULL,
    fetched_at BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (collection_id, seq)
);

CREATE TABLE products (
    collection_id TEXT PRIMARY KEY REFERENCES collections (id),
    sealed BLOB NOT NULL
);

CREATE TABLE duties (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    company TEXT NOT NULL,
    consent_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    wake_at BIGINT NOT NULL
);
CREATE INDEX duties_wake ON duties (wake_at) WHERE wake_at > 0;

CREATE TABLE signing_keys (
    id TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    public_jwk BLOB NOT NULL
);

-- No references: the ledger outlives what it tells of.
CREATE TABLE evidence (
    id TEXT PRIMARY KEY,
    happened_at BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    consent_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail BLOB NOT NULL
);
CREATE INDEX evidence_consent ON evidence (consent_id) WHERE consent_id <> '';
CREATE INDEX evidence_age ON evidence (happened_at);

CREATE TABLE idempotency (
    client_id TEXT NOT NULL,
    idem_key TEXT NOT NULL,
    request BLOB NOT NULL,
    started_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    done BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    status BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (client_id, idem_key)
);
CREATE INDEX idempotency_user ON idempotency (user_id) WHERE user_id <> '';
CREATE INDEX idempotency_ends ON idempotency (ends_at);

-- A destroyed key leaves its row, so that no second key is made for the subject.
CREATE TABLE data_keys (
    subject TEXT PRIMARY KEY,
    wrapped BLOB NOT NULL,
    destroyed_at BIGINT NOT NULL
);
