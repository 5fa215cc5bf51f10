-- +goose Up
-- When a collection that was queued for the next allowed moment may begin, and when it
-- began (0 = it was not queued, or waits). Such a collection has no wake_at of its own until
-- it begins: the binary before this one does not claim it.
ALTER TABLE collections ADD COLUMN starts_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE collections ADD COLUMN began_at BIGINT NOT NULL DEFAULT 0;
-- The last reads under a consent.
CREATE INDEX collections_consent ON collections (consent_id, id) WHERE mode = 'STORED';

-- What a client has asked for: consents is a list of lineages, empty for all.
CREATE TABLE refresh_plans (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    client_id TEXT NOT NULL,
    per_day BIGINT NOT NULL,
    consents TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The unattended reading of a lineage of consents: its part of the plan, and the collection
-- that is queued. The id is that of the lineage. The row is a job.
CREATE TABLE schedules (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    company TEXT NOT NULL,
    per_day BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    failures BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    recent TEXT NOT NULL,
    complete_at BIGINT NOT NULL,
    reading TEXT NOT NULL,
    queued TEXT NOT NULL,
    queued_at BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    wake_at BIGINT NOT NULL,
    job_attempts BIGINT NOT NULL DEFAULT 0,
    job_error TEXT NOT NULL DEFAULT '',
    parked_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX schedules_user ON schedules (user_id, id);
CREATE INDEX schedules_wake_company ON schedules (wake_at, company) WHERE wake_at > 0;
CREATE INDEX schedules_parked ON schedules (parked_at) WHERE parked_at > 0;

-- Requests without the person, where a bank counts them for each account or endpoint.
-- counter is a keyed hash of what was read.
CREATE TABLE unattended_calls (
    collection_id TEXT NOT NULL,
    counter TEXT NOT NULL,
    lineage TEXT NOT NULL,
    called_at BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (collection_id, counter)
);
CREATE INDEX unattended_calls_lineage ON unattended_calls (lineage, called_at);
CREATE INDEX unattended_calls_age ON unattended_calls (called_at);
