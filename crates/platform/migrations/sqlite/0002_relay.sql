-- As on servers, where several processes publish from one outbox. One does here, so these stay empty.
CREATE TABLE relay_member (
    owner BLOB PRIMARY KEY,
    until INTEGER NOT NULL,
    backend INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE relay_lease (
    shard INTEGER PRIMARY KEY,
    owner BLOB,
    epoch INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;
