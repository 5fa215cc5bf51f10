-- +goose Up
-- Links to the connect page. hash is that of the secret in the address.
CREATE TABLE connect_links (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    terms TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    flow_id TEXT NOT NULL,
    sealed BLOB NOT NULL
);
CREATE UNIQUE INDEX connect_links_hash ON connect_links (hash);
CREATE INDEX connect_links_user ON connect_links (user_id);
CREATE INDEX connect_links_created ON connect_links (created_at);
CREATE INDEX connect_links_sealed ON connect_links (expires_at) WHERE LENGTH(sealed) > 0;

-- What a link becomes when a person opens it. key_hash is that of the secret of the browser.
CREATE TABLE connect_flows (
    id TEXT PRIMARY KEY,
    link_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    terms TEXT NOT NULL,
    state TEXT NOT NULL,
    company TEXT NOT NULL,
    method TEXT NOT NULL,
    on_device BIGINT NOT NULL,
    consent_id TEXT NOT NULL,
    collection_id TEXT NOT NULL,
    question TEXT NOT NULL,
    failure TEXT NOT NULL,
    signed BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    state_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    rev BIGINT NOT NULL
);
CREATE INDEX connect_flows_user ON connect_flows (user_id);
CREATE INDEX connect_flows_created ON connect_flows (created_at);
CREATE INDEX connect_flows_reading ON connect_flows (id) WHERE state = 'READING';
CREATE INDEX connect_flows_sealed ON connect_flows (seen_at) WHERE LENGTH(sealed) > 0;

-- The origins of pages of a client that may frame the connect page.
CREATE TABLE frame_origins (
    client_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, origin)
);
