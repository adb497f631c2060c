CREATE TABLE cart (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    -- The customer whose one open cart this is.
    open_owner BLOB UNIQUE,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE INDEX cart_expires_at ON cart (expires_at, id);

-- "order" is a word of SQL.
CREATE TABLE orders (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('placed', 'confirmed', 'rejected', 'cancelled')),
    payment_status TEXT,
    number INTEGER UNIQUE,
    customer_id BLOB,
    cart_id BLOB NOT NULL,
    placed_at INTEGER NOT NULL,
    total_minor INTEGER NOT NULL CHECK (total_minor >= 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL,
    CHECK ((number IS NOT NULL) = (status IN ('confirmed', 'cancelled')))
) STRICT;
CREATE INDEX orders_placed_at ON orders (placed_at, id);
CREATE INDEX orders_status ON orders (status, placed_at, id);
CREATE INDEX orders_payment_status ON orders (payment_status, placed_at, id)
    WHERE payment_status IS NOT NULL;
CREATE INDEX orders_customer_id ON orders (customer_id, placed_at, id)
    WHERE customer_id IS NOT NULL;

-- The saga of an order, under the order's id.
CREATE TABLE checkout (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'done')),
    -- When a checkout that nobody drives is taken up; null once it is done.
    deadline_at INTEGER,
    state TEXT NOT NULL,
    CHECK ((deadline_at IS NULL) = (status = 'done'))
) STRICT;
CREATE INDEX checkout_open ON checkout (deadline_at, id) WHERE status = 'open';

-- Order numbers.
CREATE TABLE counter (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Shipping zones and methods, tax rates and how prices are meant: one row.
CREATE TABLE tariff (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
