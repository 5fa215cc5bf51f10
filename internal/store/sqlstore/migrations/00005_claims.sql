-- +goose Up
-- A claim leaves out the companies that have taken their share. With the company in
-- the index it does not look their rows up. The binary before this one reads the same
-- indexes by their first column.
CREATE INDEX consents_wake_company ON consents (wake_at, company) WHERE wake_at > 0;
DROP INDEX consents_wake;
CREATE INDEX collections_wake_company ON collections (wake_at, company) WHERE wake_at > 0;
DROP INDEX collections_wake;
CREATE INDEX duties_wake_company ON duties (wake_at, company) WHERE wake_at > 0;
DROP INDEX duties_wake;
