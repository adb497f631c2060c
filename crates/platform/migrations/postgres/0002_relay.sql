-- The processes that publish from this outbox, and until when each is taken for alive. Times are
-- microseconds of this server's clock.
CREATE TABLE relay_member (
    owner UUID PRIMARY KEY,
    until BIGINT NOT NULL,
    -- The process id of the connection that it asks on.
    backend BIGINT NOT NULL
);

-- Who publishes the events of each shard. The epoch grows with each new owner.
CREATE TABLE relay_lease (
    shard BIGINT PRIMARY KEY,
    owner UUID,
    epoch BIGINT NOT NULL,
    until BIGINT NOT NULL
);
INSERT INTO relay_lease (shard, owner, epoch, until)
SELECT shard, NULL, 0, 0 FROM generate_series(0, 15) AS shards (shard);
