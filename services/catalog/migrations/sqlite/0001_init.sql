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
    words INTEGER NOT NULL,
    -- What facets count: for each label its kind and its name, then a line feed. The same labels
    -- stand in "product_label", to find products by.
    labels TEXT NOT NULL
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
-- folded; how people write it stands in "product_listing".
CREATE TABLE product_label (
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (kind, label, row)
) STRICT, WITHOUT ROWID;

-- Projection: every variant with the facts that a quote needs, published or not.
CREATE TABLE variant_listing (
    variant_id BLOB PRIMARY KEY,
    product_id BLOB NOT NULL,
    sellable INTEGER NOT NULL DEFAULT 1,
    offer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX variant_listing_product ON variant_listing (product_id);

-- Projection: the category tree as shoppers walk it, without its long texts.
CREATE TABLE category_node (
    id BLOB PRIMARY KEY,
    -- Empty for the ones at the top.
    parent BLOB NOT NULL,
    position INTEGER NOT NULL,
    handle TEXT NOT NULL,
    -- By locale, as JSON.
    title TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX category_node_parent ON category_node (parent, position, handle);

-- Projection: full text of published products; the texts themselves stand in "product". Words come
-- here folded, split and once each, so nothing but blanks is left to the tokenizer, and nobody
-- asks where in a text they stood.
CREATE VIRTUAL TABLE product_search USING fts5(
    title, other,
    content='', contentless_delete=1, detail='column', prefix='2 3', tokenize='ascii'
);
CREATE VIRTUAL TABLE product_term USING fts5vocab('product_search', 'row');

-- Projection: words of titles, tags and vendors, for queries with typing errors, up to a limit.
-- Words are never taken out: one that nothing holds any more finds nothing.
CREATE TABLE search_word (
    id INTEGER PRIMARY KEY,
    word TEXT NOT NULL UNIQUE
) STRICT;

-- Hashes of what is left of a word when letters are left out of its beginning: a mistyped word
-- shares one of them with the right one.
CREATE TABLE search_hint (
    hint INTEGER NOT NULL,
    word INTEGER NOT NULL,
    PRIMARY KEY (hint, word)
) STRICT, WITHOUT ROWID;
