-- Times are microseconds since the epoch. `state` is the aggregate as JSON; the declared columns
-- are what is looked up, sorted by or unique.

CREATE TABLE account (
    id            BLOB PRIMARY KEY,
    version       INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('customer', 'staff')),
    -- Null once the person was erased.
    email         TEXT UNIQUE,
    state         TEXT NOT NULL
) STRICT;
CREATE INDEX account_by_kind ON account (kind, id);

CREATE TABLE session (
    id            BLOB PRIMARY KEY,
    version       INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    account_id    BLOB NOT NULL,
    ends_at       INTEGER NOT NULL,
    revoked_at    INTEGER,
    state         TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_end ON session (ends_at, id);
CREATE INDEX session_by_revocation ON session (revoked_at, id) WHERE revoked_at IS NOT NULL;

CREATE TABLE role (
    id            BLOB PRIMARY KEY,
    version       INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    name          TEXT NOT NULL UNIQUE,
    state         TEXT NOT NULL
) STRICT;

CREATE TABLE api_key (
    id            BLOB PRIMARY KEY,
    version       INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    revoked_at    INTEGER,
    state         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_key (
    id            BLOB PRIMARY KEY,
    version       INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    signs_from    INTEGER NOT NULL,
    state         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: the key of refresh tokens' tags and successors.
CREATE TABLE server_secret (
    id            BLOB PRIMARY KEY,
    version       INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    state         TEXT NOT NULL
) STRICT, WITHOUT ROWID;
