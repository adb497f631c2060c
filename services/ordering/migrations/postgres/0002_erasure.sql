-- Accounts of which everything personal is forgotten, under their ids.
CREATE TABLE erasure (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    -- When it was asked for; null once it is done.
    pending_since BIGINT,
    state JSONB NOT NULL
);
CREATE INDEX erasure_pending ON erasure (pending_since NULLS FIRST, id)
    WHERE pending_since IS NOT NULL;
