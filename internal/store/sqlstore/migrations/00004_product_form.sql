-- +goose Up
-- The version of the form in which products are stored. The binary before this
-- one writes form 1 without naming it.
ALTER TABLE products ADD COLUMN form BIGINT NOT NULL DEFAULT 1;

-- The data keys of collections that belong to no user and need theirs no more:
-- they have ended without data, or their data was erased or swept. Binaries before
-- this one did not destroy them. A destroyed key has no bytes; its time is unknown.
UPDATE data_keys SET wrapped = '', destroyed_at = 1
WHERE destroyed_at = 0 AND subject IN (
    SELECT id FROM collections
    WHERE user_id IS NULL AND status NOT IN ('RUNNING', 'LOGIN', 'TWO_FACTOR_PENDING', 'CONTACT_FORM_PENDING',
        'COLLECTION_INPUT_PENDING', 'WAITING_FOR_USER_ACTION', 'COLLECTING')
    AND (erased_at > 0 OR keep_until = 0));
