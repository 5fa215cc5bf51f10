-- +goose Up
-- Operators of the console. enrol is the hash of the secret in the link with which an
-- operator chooses how to sign in; sealed is how.
CREATE TABLE operators (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    removed_at BIGINT NOT NULL,
    enrol TEXT NOT NULL,
    enrol_by BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    rev BIGINT NOT NULL
);
CREATE UNIQUE INDEX operators_name ON operators (name) WHERE removed_at = 0;
CREATE INDEX operators_enrol ON operators (enrol) WHERE enrol <> '';

-- Browsers in which operators have signed in. hash is that of the secret in the cookie.
CREATE TABLE operator_sessions (
    hash TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    operator_id TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    agent TEXT NOT NULL,
    method TEXT NOT NULL
);
CREATE UNIQUE INDEX operator_sessions_id ON operator_sessions (id);
CREATE INDEX operator_sessions_operator ON operator_sessions (operator_id);
CREATE INDEX operator_sessions_began ON operator_sessions (began_at);

-- Wrong attempts to sign in, by the hash of a name. Names of nobody are counted too.
CREATE TABLE operator_attempts (
    name TEXT PRIMARY KEY,
    wrong BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);
CREATE INDEX operator_attempts_last ON operator_attempts (last_at);
