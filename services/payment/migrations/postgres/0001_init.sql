-- Texts are compared byte by byte; in an index of a column that may be null, null comes first.

CREATE TABLE payment (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    order_id UUID NOT NULL UNIQUE,
    status TEXT COLLATE "C" NOT NULL,
    provider_reference TEXT COLLATE "C" UNIQUE,
    next_check_at BIGINT,
    created_at BIGINT NOT NULL,
    state JSONB NOT NULL
);
CREATE INDEX payment_by_time ON payment (created_at, id);
CREATE INDEX payment_by_status ON payment (status, created_at, id);
-- Nearly always empty: only what is outstanding at the provider.
CREATE INDEX payment_outstanding ON payment (next_check_at NULLS FIRST, id)
    WHERE next_check_at IS NOT NULL;

CREATE TABLE ledger_entry (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    payment_id UUID NOT NULL,
    recorded_at BIGINT NOT NULL,
    state JSONB NOT NULL
);
CREATE INDEX ledger_entry_by_payment ON ledger_entry (payment_id, recorded_at, id);

CREATE TABLE notification (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    received_at BIGINT NOT NULL,
    state JSONB NOT NULL
);
CREATE INDEX notification_by_time ON notification (received_at, id);
