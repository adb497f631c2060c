-- Texts are compared byte by byte; in an index of a column that may be null, null comes first.

CREATE TABLE cart (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    -- The customer whose one open cart this is.
    open_owner UUID UNIQUE,
    expires_at BIGINT NOT NULL,
    state JSONB NOT NULL
);
CREATE INDEX cart_expires_at ON cart (expires_at, id);

-- "order" is a word of SQL.
CREATE TABLE orders (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('placed', 'confirmed', 'rejected', 'cancelled')),
    payment_status TEXT COLLATE "C",
    number BIGINT UNIQUE,
    customer_id UUID,
    cart_id UUID NOT NULL,
    placed_at BIGINT NOT NULL,
    total_minor BIGINT NOT NULL CHECK (total_minor >= 0),
    currency TEXT COLLATE "C" NOT NULL,
    state JSONB NOT NULL,
    CHECK ((number IS NOT NULL) = (status IN ('confirmed', 'cancelled')))
);
CREATE INDEX orders_placed_at ON orders (placed_at, id);
CREATE INDEX orders_status ON orders (status, placed_at, id);
CREATE INDEX orders_payment_status ON orders (payment_status, placed_at, id)
    WHERE payment_status IS NOT NULL;
CREATE INDEX orders_customer_id ON orders (customer_id, placed_at, id)
    WHERE customer_id IS NOT NULL;

-- The saga of an order, under the order's id.
CREATE TABLE checkout (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('open', 'done')),
    -- When a checkout that nobody drives is taken up; null once it is done.
    deadline_at BIGINT,
    state JSONB NOT NULL,
    CHECK ((deadline_at IS NULL) = (status = 'done'))
);
CREATE INDEX checkout_open ON checkout (deadline_at NULLS FIRST, id)
    WHERE deadline_at IS NOT NULL;

-- Order numbers.
CREATE TABLE counter (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    state JSONB NOT NULL
);

-- Shipping zones and methods, tax rates and how prices are meant: one row.
CREATE TABLE tariff (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    state JSONB NOT NULL
);
