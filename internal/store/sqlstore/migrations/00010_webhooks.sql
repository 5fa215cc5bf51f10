-- +goose Up
-- Receivers of a client's events. The row is the job of its endpoint: the node with the
-- lease sends. dirty grows when deliveries are added or become due, so that this node sees
-- them; company is client_id, by which the nodes share their connections. A deleted
-- endpoint has the state DELETED until its deliveries are swept.
CREATE TABLE webhook_endpoints (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id),
    company TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    kinds TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    failing_since BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    rev BIGINT NOT NULL,
    dirty BIGINT NOT NULL DEFAULT 0,
    wake_at BIGINT NOT NULL,
    job_attempts BIGINT NOT NULL DEFAULT 0,
    job_error TEXT NOT NULL DEFAULT '',
    parked_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX webhook_endpoints_client ON webhook_endpoints (client_id, id);
CREATE INDEX webhook_endpoints_wake_company ON webhook_endpoints (wake_at, company) WHERE wake_at > 0;
CREATE INDEX webhook_endpoints_deleted ON webhook_endpoints (id) WHERE state = 'DELETED';

-- One row for each endpoint and event. lane: 0 live, 1 backlog, 2 replay.
CREATE TABLE webhook_deliveries (
    endpoint_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    resource TEXT NOT NULL,
    lane BIGINT NOT NULL,
    progress TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    hold_until BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (endpoint_id, event_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, lane, due_at, seq) WHERE progress = 'PENDING';
CREATE INDEX webhook_deliveries_resource ON webhook_deliveries (endpoint_id, resource, seq) WHERE progress = 'PENDING';
CREATE INDEX webhook_deliveries_hold ON webhook_deliveries (endpoint_id, hold_until) WHERE progress = 'PENDING' AND hold_until > 0;
CREATE INDEX webhook_deliveries_seq ON webhook_deliveries (seq);

-- The delivery log: no address and no answer of a receiver.
CREATE TABLE webhook_attempts (
    id TEXT PRIMARY KEY,
    endpoint_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    happened_at BIGINT NOT NULL,
    status BIGINT NOT NULL,
    error TEXT NOT NULL,
    took BIGINT NOT NULL,
    next_at BIGINT NOT NULL
);
CREATE INDEX webhook_attempts_endpoint ON webhook_attempts (endpoint_id, id);

-- The last replay of a range of each endpoint.
CREATE TABLE webhook_replays (
    endpoint_id TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    after_seq BIGINT NOT NULL,
    before_seq BIGINT NOT NULL,
    total BIGINT NOT NULL,
    queued BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL
);
