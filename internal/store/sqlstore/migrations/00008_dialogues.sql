-- +goose Up
-- Logins by dialogue that go on. The row is the job of a collection of mode DIALOGUE,
-- whose own wake_at stays 0: the binary before this one, which may still run on another
-- node, does not claim it. answer is the sealed answer that is on its way to the
-- institution; it can have a megabyte, and status polls do not read it.
CREATE TABLE dialogues (
    id TEXT PRIMARY KEY REFERENCES collections (id),
    company TEXT NOT NULL,
    answer BLOB NOT NULL,
    wake_at BIGINT NOT NULL,
    job_attempts BIGINT NOT NULL DEFAULT 0,
    job_error TEXT NOT NULL DEFAULT '',
    parked_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX dialogues_wake_company ON dialogues (wake_at, company) WHERE wake_at > 0;
CREATE INDEX dialogues_parked ON dialogues (parked_at) WHERE parked_at > 0;
