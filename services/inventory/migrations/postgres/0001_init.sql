-- Texts are compared byte by byte; in an index of a column that may be null, null comes first.

CREATE TABLE location (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    country TEXT COLLATE "C",
    active BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    state JSONB NOT NULL
);

-- One variant at one location. Its id follows from both, so neither needs an index to find it.
-- `oversold` counts units that a confirmed order took though they were not there; it is zero but
-- for that, so the second check reads: no unit is promised that is not on hand.
CREATE TABLE stock (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    variant_id UUID NOT NULL,
    location_id UUID NOT NULL,
    sku TEXT COLLATE "C",
    on_hand BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    oversold BIGINT NOT NULL,
    tracked BIGINT NOT NULL,
    backorder BIGINT NOT NULL,
    -- Units free to sell where they are at or below the threshold, else null.
    low_available BIGINT,
    state JSONB NOT NULL,
    CHECK (reserved >= 0 AND oversold >= 0),
    CHECK (backorder = 1 OR tracked = 0 OR reserved <= on_hand + oversold)
);
CREATE INDEX stock_by_location ON stock (location_id, id);
CREATE INDEX stock_by_sku ON stock (sku, id) WHERE sku IS NOT NULL;
CREATE INDEX stock_low ON stock (low_available NULLS FIRST, id)
    WHERE low_available IS NOT NULL;

-- What an order holds; the id is the order's. `expires_at` is null once nothing is held.
CREATE TABLE reservation (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    state JSONB NOT NULL
);
CREATE INDEX reservation_due ON reservation (expires_at NULLS FIRST, id)
    WHERE expires_at IS NOT NULL;
CREATE INDEX reservation_by_status ON reservation (status, created_at, id);
CREATE INDEX reservation_by_time ON reservation (created_at, id);

-- Published variants whose units an import was about to tell; the id is the event's.
CREATE TABLE enrolment (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    state JSONB NOT NULL
);
CREATE INDEX enrolment_due ON enrolment (due_at, id);

-- The ledger: rows are written once.
CREATE TABLE movement (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    variant_id UUID NOT NULL,
    location_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    delta BIGINT NOT NULL,
    at BIGINT NOT NULL,
    state JSONB NOT NULL
);
CREATE INDEX movement_by_variant ON movement (variant_id, at, id);
CREATE INDEX movement_by_time ON movement (at, id);
