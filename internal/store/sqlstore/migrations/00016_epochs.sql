-- +goose Up
-- The epoch under whose key a data key is wrapped (package seal); empty: the master key.
-- The binary before this one writes that.
ALTER TABLE data_keys ADD COLUMN epoch TEXT NOT NULL DEFAULT '';
CREATE INDEX data_keys_epoch ON data_keys (epoch, subject) WHERE destroyed_at = 0;

-- One row. id names the installation and is empty until its first start. begun_at is
-- since when data keys are wrapped under epoch keys, 0 = not yet: the binary before this
-- one cannot read those. generation counts restores. backup_at and restored_at are the
-- times of the last one: what happened in between is not known here. restoring is the id
-- of a backup whose restore has begun and is not finished.
CREATE TABLE installation (
    id TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    backup_at BIGINT NOT NULL,
    restored_at BIGINT NOT NULL,
    restoring TEXT NOT NULL
);

-- A new database was never used by another binary: it begins at once, and binaries before
-- this one refuse it.
INSERT INTO installation (id, begun_at, generation, backup_at, restored_at, restoring)
SELECT '', CASE WHEN EXISTS (SELECT 1 FROM signing_keys) OR EXISTS (SELECT 1 FROM data_keys) OR EXISTS (SELECT 1 FROM clients)
    THEN 0 ELSE 1 END, 0, 0, 0, '';
UPDATE schema_support SET oldest = 16 WHERE oldest < 16 AND EXISTS (SELECT 1 FROM installation WHERE begun_at > 0);
