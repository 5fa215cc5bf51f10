-- +goose Up
-- Who has given a consent: a keyed hash of the personal number, where the institution made
-- sure of it; else empty. A person who signs in by that number finds it. It goes when the
-- user is erased.
ALTER TABLE consents ADD COLUMN person TEXT NOT NULL DEFAULT '';

-- The key of that hash, sealed for the server itself. There is one row.
CREATE TABLE person_keys (
    id TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
);

-- The hash of the person who has signed in, in a visit that began so.
ALTER TABLE permission_visits ADD COLUMN person TEXT NOT NULL DEFAULT '';
