-- +goose Up
-- Indexes for lists whose cost must follow the rows shown. They change no table,
-- so the binary before this one works as it did.

-- The consents of a user that are not final, also inside collections.
CREATE INDEX consents_live ON consents (user_id, id)
    WHERE status IN ('INITIATED', 'AWAITING_AUTHORIZATION', 'AUTHORIZED');
