-- The engine's own tables, beside the aggregates of every service.

-- Events that were committed and are not yet delivered to every consumer, in the order of their
-- commits. Places are given by the engine and never used twice while it runs.
CREATE TABLE outbox (
    place INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    shard INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    aggregate_type TEXT NOT NULL,
    aggregate_id BLOB NOT NULL,
    aggregate_version INTEGER NOT NULL,
    time INTEGER NOT NULL,
    correlation TEXT NOT NULL,
    causation BLOB,
    traceparent TEXT,
    data BLOB NOT NULL
) STRICT;

-- How far each consumer has applied the events of each aggregate. Versions have no gaps, so the
-- version names the event; its id is kept for people.
CREATE TABLE inbox (
    consumer TEXT NOT NULL,
    aggregate_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    PRIMARY KEY (consumer, aggregate_id)
) STRICT, WITHOUT ROWID;

-- Answers to requests that carried an Idempotency-Key; status is null while one runs.
CREATE TABLE idempotency (
    owner TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER,
    headers TEXT,
    body BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner, route, key)
) STRICT;
-- A table by row number on purpose: with the answers in the tree of the keys, each step of a search
-- would read an answer.

CREATE INDEX idempotency_created_at ON idempotency (created_at);

-- Events that a consumer of this service could not digest, and those of their key behind them.
CREATE TABLE parked (
    consumer TEXT NOT NULL,
    aggregate_id BLOB NOT NULL,
    aggregate_version INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    source TEXT NOT NULL,
    event_type TEXT NOT NULL,
    aggregate_type TEXT NOT NULL,
    time INTEGER NOT NULL,
    correlation TEXT NOT NULL,
    causation BLOB,
    traceparent TEXT,
    data BLOB NOT NULL,
    -- Events right before it that the consumer has no use for and was not given.
    passed_over INTEGER NOT NULL,
    error TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    parked_at INTEGER NOT NULL,
    PRIMARY KEY (consumer, aggregate_id, aggregate_version)
) STRICT, WITHOUT ROWID;
