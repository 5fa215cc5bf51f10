-- +goose Up
-- The transactions of lasting accounts, for those who follow them (docs/reference/api.md 12).
-- A feed grows under the lock of its row: the positions of its rows are in commit order.
-- parent is the account that the feed's account was merged into; dropped_at is when the
-- account was deleted, after which the rows are deleted in pieces.
CREATE TABLE feeds (
    account_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    generation BIGINT NOT NULL,
    pos BIGINT NOT NULL,
    swept BIGINT NOT NULL DEFAULT 0,
    rev BIGINT NOT NULL,
    parent TEXT NOT NULL DEFAULT '',
    dropped_at BIGINT NOT NULL DEFAULT 0,
    sealed BLOB NOT NULL
);
CREATE INDEX feeds_parent ON feeds (parent) WHERE parent <> '';
CREATE INDEX feeds_dropped ON feeds (dropped_at) WHERE dropped_at > 0;
CREATE INDEX feeds_user ON feeds (user_id);

-- The key of the marks and cursors of a user's feeds.
CREATE TABLE feed_keys (
    user_id TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
);

-- One row a transaction. pos is its last change, born the position at which it was added;
-- day and marks are keyed digests; source is the account's link that told of it first.
-- The sealed part of a row that was removed is empty.
CREATE TABLE feed_rows (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    pos BIGINT NOT NULL,
    born BIGINT NOT NULL,
    removed_at BIGINT NOT NULL,
    pending BIGINT NOT NULL,
    day BIGINT NOT NULL,
    source TEXT NOT NULL,
    marks BLOB NOT NULL,
    sealed BLOB NOT NULL
);
CREATE UNIQUE INDEX feed_rows_pos ON feed_rows (account_id, pos);
CREATE INDEX feed_rows_day ON feed_rows (account_id, day);
CREATE INDEX feed_rows_removed ON feed_rows (removed_at) WHERE removed_at > 0;
