-- Accounts of which everything personal is forgotten, under their ids.
CREATE TABLE erasure (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    -- When it was asked for; null once it is done.
    pending_since INTEGER,
    state TEXT NOT NULL
) STRICT;
CREATE INDEX erasure_pending ON erasure (pending_since, id) WHERE pending_since IS NOT NULL;
