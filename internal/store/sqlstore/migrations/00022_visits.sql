-- +goose Up
-- Visits of persons to My permissions. link and secret are hashes: of the secret in the
-- address of the link, and of that in the cookie of the browser that opened it.
CREATE TABLE permission_visits (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    link TEXT NOT NULL,
    language TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    open_by BIGINT NOT NULL,
    secret TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    archive TEXT NOT NULL,
    archive_at BIGINT NOT NULL,
    rev BIGINT NOT NULL
);
CREATE UNIQUE INDEX permission_visits_link ON permission_visits (link);
CREATE INDEX permission_visits_secret ON permission_visits (secret);
CREATE INDEX permission_visits_user ON permission_visits (user_id);
CREATE INDEX permission_visits_created ON permission_visits (created_at);

-- What a person downloads, sealed under the person's key.
CREATE TABLE permission_archives (
    visit_id TEXT PRIMARY KEY,
    made_at BIGINT NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX permission_archives_made ON permission_archives (made_at);
