-- +goose NO TRANSACTION
-- +goose Up
-- Indexes for lists whose cost must follow the rows shown, not the rows stored.
-- They change no table, so the binary before this one works as it did. While an
-- index is built, writes to its table wait: some seconds for a million rows. Each
-- is built by itself, so that they can go on in between.

-- The consents of a user that are not final, also inside collections.
CREATE INDEX IF NOT EXISTS consents_live ON consents (user_id, id)
    WHERE status IN ('INITIATED', 'AWAITING_AUTHORIZATION', 'AUTHORIZED');

-- The newest collections of a status, and the latest one of each company: of a
-- client, and of a user.
CREATE INDEX IF NOT EXISTS collections_client_status ON collections (client_id, status, id);
CREATE INDEX IF NOT EXISTS collections_client_latest ON collections (client_id, company, status, id);
CREATE INDEX IF NOT EXISTS collections_user_status ON collections (user_id, status, id) WHERE user_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS collections_user_latest ON collections (user_id, company, status, id) WHERE user_id IS NOT NULL;
