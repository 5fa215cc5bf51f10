-- +goose Up
-- The lineage of a consent: the id of the first consent of a row of renewals (empty in
-- the first one itself), the consent that it renews, and the one that has replaced it.
-- expiring_at is the end of the validity of which an event has warned.
ALTER TABLE consents ADD COLUMN lineage TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN renews TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN renewed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN expiring_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX consents_lineage ON consents (lineage) WHERE lineage <> '';
