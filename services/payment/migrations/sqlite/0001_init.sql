CREATE TABLE payment (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    order_id BLOB NOT NULL UNIQUE,
    status TEXT NOT NULL,
    provider_reference TEXT UNIQUE,
    next_check_at INTEGER,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE INDEX payment_by_time ON payment (created_at, id);
CREATE INDEX payment_by_status ON payment (status, created_at, id);
-- Nearly always empty: only what is outstanding at the provider.
CREATE INDEX payment_outstanding ON payment (next_check_at, id) WHERE next_check_at IS NOT NULL;

CREATE TABLE ledger_entry (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    payment_id BLOB NOT NULL,
    recorded_at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_entry_by_payment ON ledger_entry (payment_id, recorded_at, id);

CREATE TABLE notification (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    provider TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notification_by_time ON notification (received_at, id);
