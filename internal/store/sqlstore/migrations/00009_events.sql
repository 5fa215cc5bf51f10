-- +goose Up
-- What clients are told of. ord is drawn inside the transaction that makes the event
-- true; seq is 0 until the sequencer has seen it committed, then it is the position in
-- the list of events (store.EventWriter). The binary before this one knows no events:
-- what it ends on another node is told to nobody.
CREATE TABLE events (
    ord INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    resource TEXT NOT NULL,
    happened_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    seq BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX events_id ON events (id);
CREATE INDEX events_waiting ON events (ord) WHERE seq = 0;
CREATE INDEX events_seq ON events (seq) WHERE seq > 0;
CREATE INDEX events_client ON events (client_id, seq) WHERE seq > 0;
CREATE INDEX events_client_kind ON events (client_id, kind, seq) WHERE seq > 0;
CREATE INDEX events_user ON events (user_id, seq) WHERE seq > 0 AND user_id <> '';

-- One row: the seq that was given last. The sequencer holds its lock.
CREATE TABLE event_order (
    last BIGINT NOT NULL
);
INSERT INTO event_order (last) VALUES (0);

-- One row: the greatest seq that was deleted. A follower that is not past it has missed
-- events. It is no column of event_order, so that a sweep does not hold the sequencer up.
CREATE TABLE events_swept (
    last BIGINT NOT NULL
);
INSERT INTO events_swept (last) VALUES (0);

-- The version of the API that started a collection: its event speaks it.
ALTER TABLE collections ADD COLUMN version TEXT NOT NULL DEFAULT '2026-04-01';
