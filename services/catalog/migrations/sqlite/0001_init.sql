CREATE TABLE product (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    handle TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE INDEX product_status ON product (status, id);

CREATE TABLE category (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    handle TEXT NOT NULL UNIQUE,
    parent BLOB,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX category_parent ON category (parent, id);

CREATE TABLE availability (
    id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Projection: each published product once. "row" grows with the time of publication, so the
-- newest come last in every index that ends in it.
CREATE TABLE product_listing (
    row INTEGER PRIMARY KEY,
    product_id BLOB NOT NULL UNIQUE,
    title_key TEXT NOT NULL,
    available INTEGER NOT NULL,
    -- Hash of what search knows of the product, so that a new price does not index it again.
    words INTEGER NOT NULL
) STRICT;
CREATE INDEX product_listing_title ON product_listing (title_key, row);

-- Projection: the lowest and highest price of a published product in each currency.
CREATE TABLE product_price (
    row INTEGER NOT NULL,
    currency TEXT NOT NULL,
    min_minor INTEGER NOT NULL,
    max_minor INTEGER NOT NULL,
    PRIMARY KEY (row, currency)
) STRICT, WITHOUT ROWID;
CREATE INDEX product_price_order ON product_price (currency, min_minor, row);

-- Projection: what published products are found by: 't' tag, 'v' vendor, 'c' category. "label" is
-- folded, "name" is how people write it.
CREATE TABLE product_label (
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    row INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (kind, label, row)
) STRICT, WITHOUT ROWID;
CREATE INDEX product_label_row ON product_label (row);

-- Projection: every variant with the facts that a quote needs, published or not.
CREATE TABLE variant_listing (
    variant_id BLOB PRIMARY KEY,
    product_id BLOB NOT NULL,
    sellable INTEGER NOT NULL DEFAULT 1,
    offer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX variant_listing_product ON variant_listing (product_id);

-- Projection: the category tree without its texts.
CREATE TABLE category_node (
    id BLOB PRIMARY KEY,
    parent BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX category_node_parent ON category_node (parent);

-- Projection: full text of published products; the texts themselves stand in "product". They are
-- folded before they come here.
CREATE VIRTUAL TABLE product_search USING fts5(
    title, sku, label, description,
    content='', contentless_delete=1, prefix='2 3', tokenize='unicode61 remove_diacritics 0'
);

-- Projection: words of titles, tags and vendors, for queries with typing errors. Words are never
-- taken out: one that nothing holds any more finds nothing.
CREATE TABLE search_word (
    letters INTEGER NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (letters, word)
) STRICT, WITHOUT ROWID;
