-- +goose Up
-- What the data is for, in the words of the client and the language of its link; empty if the
-- consent was asked for without them. It goes when the user is erased.
ALTER TABLE consents ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
