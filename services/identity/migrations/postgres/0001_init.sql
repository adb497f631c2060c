-- Texts are compared byte by byte; in an index of a column that may be null, null comes first.

-- Times are microseconds since the epoch. `state` is the aggregate as JSON; the declared columns
-- are what is looked up, sorted by or unique.

CREATE TABLE account (
    id            UUID PRIMARY KEY,
    version       BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL CHECK (kind IN ('customer', 'staff')),
    -- Null once the person was erased.
    email         TEXT COLLATE "C" UNIQUE,
    state         JSONB NOT NULL
);
CREATE INDEX account_by_kind ON account (kind, id);

CREATE TABLE session (
    id            UUID PRIMARY KEY,
    version       BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    account_id    UUID NOT NULL,
    ends_at       BIGINT NOT NULL,
    revoked_at    BIGINT,
    state         JSONB NOT NULL
);
CREATE INDEX session_by_end ON session (ends_at, id);
CREATE INDEX session_by_revocation ON session (revoked_at NULLS FIRST, id)
    WHERE revoked_at IS NOT NULL;

CREATE TABLE role (
    id            UUID PRIMARY KEY,
    version       BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    name          TEXT COLLATE "C" NOT NULL UNIQUE,
    state         JSONB NOT NULL
);

CREATE TABLE api_key (
    id            UUID PRIMARY KEY,
    version       BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    revoked_at    BIGINT,
    state         JSONB NOT NULL
);

CREATE TABLE signing_key (
    id            UUID PRIMARY KEY,
    version       BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    signs_from    BIGINT NOT NULL,
    state         JSONB NOT NULL
);

-- One row: the key of refresh tokens' tags and successors.
CREATE TABLE server_secret (
    id            UUID PRIMARY KEY,
    version       BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    state         JSONB NOT NULL
);
