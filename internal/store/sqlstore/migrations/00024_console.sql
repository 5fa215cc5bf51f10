-- +goose NO TRANSACTION
-- +goose Up
-- For the console: which consents end soon. It changes no table; see 00003.
CREATE INDEX IF NOT EXISTS consents_ending ON consents (expires_at, id) WHERE status = 'AUTHORIZED' AND collection_id = '';
