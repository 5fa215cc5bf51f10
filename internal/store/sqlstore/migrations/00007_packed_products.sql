-- +goose Up
-- Products in gzip, sealed, as they are sent. The binary before this one reads and
-- writes the table products only; the row here goes with the one there. The release
-- after this one stops writing products.sealed.
CREATE TABLE packed_products (
    collection_id TEXT PRIMARY KEY REFERENCES products (collection_id) ON DELETE CASCADE,
    form BIGINT NOT NULL,
    sealed BLOB NOT NULL
);
