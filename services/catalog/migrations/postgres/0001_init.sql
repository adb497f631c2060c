-- Texts are compared byte by byte; in an index of a column that may be null, null comes first.

CREATE TABLE product (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    handle TEXT COLLATE "C" NOT NULL UNIQUE,
    status TEXT COLLATE "C" NOT NULL,
    state JSONB NOT NULL
);
CREATE INDEX product_status ON product (status, id);

CREATE TABLE category (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    handle TEXT COLLATE "C" NOT NULL UNIQUE,
    parent UUID,
    state JSONB NOT NULL
);
CREATE INDEX category_parent ON category (parent NULLS FIRST, id);

CREATE TABLE availability (
    id UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    state JSONB NOT NULL
);

-- Projection: each published product once. "row" grows with the time of publication, so the
-- newest come last in every index that ends in it. Batches of several replicas take numbers as
-- they write: a smaller one may be committed later.
CREATE TABLE product_listing (
    row BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id UUID NOT NULL UNIQUE,
    title_key TEXT COLLATE "C" NOT NULL,
    available BIGINT NOT NULL,
    -- Hash of what search knows of the product, so that a new price does not index it again.
    words BIGINT NOT NULL,
    -- What facets count: for each label its kind and its name, then a line feed. The same labels
    -- stand in "product_label", to find products by.
    labels TEXT COLLATE "C" NOT NULL
);
CREATE INDEX product_listing_title ON product_listing (title_key, row);

-- Projection: the lowest and highest price of a published product in each currency.
CREATE TABLE product_price (
    row BIGINT NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    min_minor BIGINT NOT NULL,
    max_minor BIGINT NOT NULL,
    PRIMARY KEY (row, currency)
);
CREATE INDEX product_price_order ON product_price (currency, min_minor, row);

-- Projection: what published products are found by: 't' tag, 'v' vendor, 'c' category. "label" is
-- folded; how people write it stands in "product_listing".
CREATE TABLE product_label (
    kind TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    row BIGINT NOT NULL,
    PRIMARY KEY (kind, label, row)
);

-- Projection: every variant with the facts that a quote needs, published or not.
CREATE TABLE variant_listing (
    variant_id UUID PRIMARY KEY,
    product_id UUID NOT NULL,
    sellable BIGINT NOT NULL DEFAULT 1,
    offer TEXT COLLATE "C" NOT NULL
);
CREATE INDEX variant_listing_product ON variant_listing (product_id);

-- Projection: the category tree as shoppers walk it, without its long texts.
CREATE TABLE category_node (
    id UUID PRIMARY KEY,
    -- All zeros for the ones at the top.
    parent UUID NOT NULL,
    position BIGINT NOT NULL,
    handle TEXT COLLATE "C" NOT NULL,
    -- By locale, as JSON.
    title TEXT COLLATE "C" NOT NULL
);
CREATE INDEX category_node_parent ON category_node (parent, position, handle);

-- Projection: full text of published products; the texts themselves stand in "product". Words come
-- here folded, split and once each, so no parser, dictionary or extension of the database has a
-- say in what a word is. "words" holds those of the title too. Nothing waits in a list beside the
-- index, which every search would have to walk through.
CREATE TABLE product_search (
    row BIGINT PRIMARY KEY,
    title TSVECTOR NOT NULL,
    words TSVECTOR NOT NULL
);
CREATE INDEX product_search_title ON product_search USING gin (title) WITH (fastupdate = off);
CREATE INDEX product_search_words ON product_search USING gin (words) WITH (fastupdate = off);

-- Projection: article numbers and the like in order, because an index of full text cannot be asked
-- for the first few words that begin alike.
CREATE TABLE product_term (
    term TEXT COLLATE "C" NOT NULL,
    row BIGINT NOT NULL,
    PRIMARY KEY (term, row)
);

-- Projection: words of titles, tags and vendors, for queries with typing errors, up to a limit.
-- Words are never taken out: one that nothing holds any more finds nothing.
CREATE TABLE search_word (
    id BIGINT PRIMARY KEY,
    word TEXT COLLATE "C" NOT NULL UNIQUE
);

-- Hashes of what is left of a word when letters are left out of its beginning: a mistyped word
-- shares one of them with the right one.
CREATE TABLE search_hint (
    hint BIGINT NOT NULL,
    word BIGINT NOT NULL,
    PRIMARY KEY (hint, word)
);
