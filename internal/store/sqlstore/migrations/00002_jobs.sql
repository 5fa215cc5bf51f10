-- +goose Up
-- How the handler of a row has fared: claims since the row was last written, the
-- last error, and when the row was parked (0 = it is not).

ALTER TABLE consents ADD COLUMN job_attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consents ADD COLUMN job_error TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN parked_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX consents_parked ON consents (parked_at) WHERE parked_at > 0;

ALTER TABLE collections ADD COLUMN job_attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE collections ADD COLUMN job_error TEXT NOT NULL DEFAULT '';
ALTER TABLE collections ADD COLUMN parked_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX collections_parked ON collections (parked_at) WHERE parked_at > 0;

ALTER TABLE duties ADD COLUMN job_attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE duties ADD COLUMN job_error TEXT NOT NULL DEFAULT '';
ALTER TABLE duties ADD COLUMN parked_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX duties_parked ON duties (parked_at) WHERE parked_at > 0;
