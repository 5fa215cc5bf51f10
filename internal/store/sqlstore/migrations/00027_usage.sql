-- +goose Up
-- Requests of clients by day (UTC), with which key ('' = sessions) and in which version of
-- the API; named: whether the requests named it. Nodes add what they have counted.
CREATE TABLE api_uses (
    client_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    version TEXT NOT NULL,
    named BIGINT NOT NULL,
    day BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, key_id, version, named, day)
);
CREATE INDEX api_uses_day ON api_uses (day);

-- How answers of institutions deviated, by hour (UTC).
CREATE TABLE deviation_hours (
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    hour BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (company, kind, hour)
);
CREATE INDEX deviation_hours_age ON deviation_hours (hour);
