-- The engine's own tables, beside the aggregates of every service.

-- Texts are compared byte by byte, as everywhere else in Mercat.

-- Events that were committed and are not yet delivered. Places grow with the versions of each
-- aggregate; between aggregates a smaller one may be committed later.
CREATE TABLE outbox (
    place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id UUID NOT NULL,
    shard BIGINT NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    aggregate_type TEXT COLLATE "C" NOT NULL,
    aggregate_id UUID NOT NULL,
    aggregate_version BIGINT NOT NULL,
    time BIGINT NOT NULL,
    correlation TEXT COLLATE "C" NOT NULL,
    causation UUID,
    traceparent TEXT COLLATE "C",
    data BYTEA NOT NULL
);

-- How far each consumer has applied the events of each aggregate. Versions have no gaps, so the
-- version names the event; its id is kept for people.
CREATE TABLE inbox (
    consumer TEXT COLLATE "C" NOT NULL,
    aggregate_id UUID NOT NULL,
    version BIGINT NOT NULL,
    event_id UUID NOT NULL,
    PRIMARY KEY (consumer, aggregate_id)
);

-- Answers to requests that carried an Idempotency-Key; status is null while one runs.
CREATE TABLE idempotency (
    owner TEXT COLLATE "C" NOT NULL,
    route TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    status BIGINT,
    headers TEXT COLLATE "C",
    body BYTEA,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (owner, route, key)
);
CREATE INDEX idempotency_created_at ON idempotency (created_at);

-- Events that a consumer of this service could not digest, and those of their key behind them.
CREATE TABLE parked (
    consumer TEXT COLLATE "C" NOT NULL,
    aggregate_id UUID NOT NULL,
    aggregate_version BIGINT NOT NULL,
    event_id UUID NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    aggregate_type TEXT COLLATE "C" NOT NULL,
    time BIGINT NOT NULL,
    correlation TEXT COLLATE "C" NOT NULL,
    causation UUID,
    traceparent TEXT COLLATE "C",
    data BYTEA NOT NULL,
    -- Events right before it that the consumer has no use for and was not given.
    passed_over BIGINT NOT NULL,
    error TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    parked_at BIGINT NOT NULL,
    PRIMARY KEY (consumer, aggregate_id, aggregate_version)
);
