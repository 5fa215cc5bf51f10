-- +goose Up
-- Who clients are by law, for persons who approve something. A client without a row has said
-- nothing.
CREATE TABLE client_identities (
    client_id TEXT PRIMARY KEY,
    legal_name TEXT NOT NULL,
    number TEXT NOT NULL,
    authority TEXT NOT NULL,
    contact TEXT NOT NULL
);
