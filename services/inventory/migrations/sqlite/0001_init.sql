CREATE TABLE location (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    country TEXT,
    active INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One variant at one location. Its id follows from both, so neither needs an index to find it.
-- `oversold` counts units that a confirmed order took though they were not there; it is zero but
-- for that, so the second check reads: no unit is promised that is not on hand.
CREATE TABLE stock (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    variant_id BLOB NOT NULL,
    location_id BLOB NOT NULL,
    sku TEXT,
    on_hand INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    oversold INTEGER NOT NULL,
    tracked INTEGER NOT NULL,
    backorder INTEGER NOT NULL,
    -- Units free to sell where they are at or below the threshold, else null.
    low_available INTEGER,
    state TEXT NOT NULL,
    CHECK (reserved >= 0 AND oversold >= 0),
    CHECK (backorder = 1 OR tracked = 0 OR reserved <= on_hand + oversold)
) STRICT, WITHOUT ROWID;
CREATE INDEX stock_by_location ON stock (location_id);
CREATE INDEX stock_by_sku ON stock (sku) WHERE sku IS NOT NULL;
CREATE INDEX stock_low ON stock (low_available) WHERE low_available IS NOT NULL;

-- What an order holds; the id is the order's. `expires_at` is null once nothing is held.
CREATE TABLE reservation (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    status TEXT NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE INDEX reservation_due ON reservation (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX reservation_by_status ON reservation (status, created_at);
CREATE INDEX reservation_by_time ON reservation (created_at);

-- Published variants whose units an import was about to tell; the id is the event's.
CREATE TABLE enrolment (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE INDEX enrolment_due ON enrolment (due_at);

-- The ledger: rows are written once.
CREATE TABLE movement (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    variant_id BLOB NOT NULL,
    location_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    delta INTEGER NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX movement_by_variant ON movement (variant_id, at);
CREATE INDEX movement_by_time ON movement (at);
