-- +goose Up
-- The version of the mapping that made the products of a collection
-- (collection.Collection.Mapping); 0: not known, the binary before this one made them.
ALTER TABLE collections ADD COLUMN mapping BIGINT NOT NULL DEFAULT 0;
