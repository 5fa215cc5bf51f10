-- +goose NO TRANSACTION
-- +goose Up
-- For persons who sign in. It changes no table; see 00003.
CREATE INDEX IF NOT EXISTS consents_person ON consents (person) WHERE person <> '';
