-- +goose Up
-- What is published about institutions (docs/reference/api.md 6.4). Calls and persons of an
-- hour are counted in tables of their own, from all nodes. When the hour is over they
-- become one row, and what stands for persons is deleted.
CREATE TABLE availability_calls (
    company TEXT NOT NULL,
    hour BIGINT NOT NULL,
    cause TEXT NOT NULL,
    bucket BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (company, hour, cause, bucket)
);

CREATE TABLE availability_persons (
    company TEXT NOT NULL,
    hour BIGINT NOT NULL,
    person BLOB NOT NULL,
    cause TEXT NOT NULL,
    happened_at BIGINT NOT NULL,
    PRIMARY KEY (company, hour, person)
);

CREATE TABLE availability_hours (
    company TEXT NOT NULL,
    hour BIGINT NOT NULL,
    persons BIGINT NOT NULL,
    failed TEXT NOT NULL,
    calls TEXT NOT NULL,
    latency TEXT NOT NULL,
    PRIMARY KEY (company, hour)
);
CREATE INDEX availability_hours_age ON availability_hours (hour);
