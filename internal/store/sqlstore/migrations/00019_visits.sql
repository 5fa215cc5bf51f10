-- +goose Up
-- The way of a person to the page of an institution and back, as JSON; empty where there
-- is none. It has hashes, and the address of the client where the person goes at the end.
ALTER TABLE consents ADD COLUMN visit TEXT NOT NULL DEFAULT '';

-- The addresses to which a client may have persons sent at the end.
CREATE TABLE return_urls (
    client_id TEXT NOT NULL,
    url TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, url)
);
