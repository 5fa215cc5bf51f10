-- +goose Up
-- The lasting accounts of users. account_sets has a row for each user who has had one: its
-- rev grows with each change of one of the user's accounts. check_at is when it is looked
-- at next whether an account is still to be kept.
CREATE TABLE account_sets (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    rev BIGINT NOT NULL
);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    check_at BIGINT NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX accounts_user ON accounts (user_id, id);
CREATE INDEX accounts_check ON accounts (check_at);

-- The consents through which an account was seen: the first of each row of renewals.
CREATE TABLE account_lineages (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    lineage TEXT NOT NULL,
    PRIMARY KEY (account_id, lineage)
);
