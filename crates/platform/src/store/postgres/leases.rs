//! Which replica publishes which shard of the outbox.
//!
//! The database's own clock decides, so that replicas need not agree on the time. A replica asks on
//! one connection that it keeps: when its process dies the server closes that, and the others need
//! not wait for the end of its leases.

use std::time::Duration;

use kernel::id::Uuid;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::Shared;
use super::refusal::unavailable;
use crate::event::PARTITIONS;
use crate::store::engine::{EngineError, Holding, Lease};

/// How long a renewal may take.
const LIMIT: Duration = Duration::from_secs(2);

/// One replica at a time; the first half of the key is that of Mercat's other locks.
const ALONE: &str =
    "SELECT pg_advisory_xact_lock(1835365219, hashtext(current_schema() || ' relay'))";

/// Microseconds of the server's clock.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

pub(super) async fn renew(
    shared: &Shared,
    owner: Uuid,
    life: Duration,
) -> Result<Holding, EngineError> {
    let answer = limited(shared, renewal(owner, life)).await?;
    // Behind the lock's own row: how many there are, and what is held, if anything is.
    let rows = answer.iter().filter(|row| row.len() == 3);
    let held: Vec<_> = rows.map(read).collect::<sqlx::Result<_>>().map_err(|e| unavailable(&e))?;
    let mut holding = Holding { leases: Vec::new(), members: 1 };
    for (members, lease) in held {
        holding.members = u32::try_from(members).unwrap_or(u32::MAX).max(1);
        holding.leases.extend(lease);
    }
    holding.leases.sort_unstable();
    Ok(holding)
}

fn read(row: &PgRow) -> sqlx::Result<(i64, Option<Lease>)> {
    let (shard, epoch): (Option<i64>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
    let lease = |(shard, epoch): (i64, i64)| Lease { shard: shard as u32, epoch: epoch as u64 };
    Ok((row.try_get(0)?, shard.zip(epoch).map(lease)))
}

pub(super) async fn release(shared: &Shared, owner: Uuid) -> Result<(), EngineError> {
    let release = format!(
        "UPDATE relay_lease SET owner = NULL, until = 0 WHERE owner = '{owner}'; \
         DELETE FROM relay_member WHERE owner = '{owner}'"
    );
    limited(shared, release).await.map(drop)
}

/// The connection of one replica, once it has asked.
pub(super) type Standing = tokio::sync::Mutex<Option<PgConnection>>;

/// Several statements in one message: one round trip and one transaction. They hold no value but
/// ids and numbers of our own. Given up after a while: a lease that is renewed late is of no use.
async fn limited(shared: &Shared, sql: String) -> Result<Vec<PgRow>, EngineError> {
    let attempt = async {
        let mut standing = shared.standing.lock().await;
        let mut connection = match standing.take() {
            Some(connection) => connection,
            None => shared.connections.connect().await?,
        };
        let answer = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await;
        let answer = answer.map_err(|error| unavailable(&error))?;
        // Only now: one that failed is closed with its transaction.
        *standing = Some(connection);
        Ok(answer)
    };
    let outcome = shared.env.timeout(LIMIT, attempt).await;
    outcome.unwrap_or_else(|| {
        Err(EngineError::Unavailable("postgres: no answer about leases in time".to_owned()))
    })
}

fn renewal(owner: Uuid, life: Duration) -> String {
    let until = format!("{NOW} + {}", i64::try_from(life.as_micros()).unwrap_or(i64::MAX / 2));
    let share = format!("(SELECT ({PARTITIONS} + count(*) - 1) / count(*) FROM relay_member)");
    [
        ALONE.to_owned(),
        format!(
            "INSERT INTO relay_member (owner, until, backend) \
             VALUES ('{owner}', {until}, pg_backend_pid()) ON CONFLICT (owner) \
             DO UPDATE SET until = excluded.until, backend = excluded.backend"
        ),
        format!(
            "DELETE FROM relay_member WHERE until <= {NOW} \
             OR backend NOT IN (SELECT pid FROM pg_stat_activity WHERE pid IS NOT NULL)"
        ),
        // Whoever died leaves nothing behind.
        "UPDATE relay_lease SET owner = NULL, until = 0 WHERE owner IS NOT NULL \
         AND owner NOT IN (SELECT owner FROM relay_member)"
            .to_owned(),
        // What is more than the share goes back; what ended without a renewal is as free as any.
        format!(
            "UPDATE relay_lease SET owner = NULL, until = 0 WHERE owner = '{owner}' \
             AND (until <= {NOW} OR shard IN (SELECT shard FROM \
             (SELECT shard, row_number() OVER (ORDER BY shard) AS nth FROM relay_lease \
             WHERE owner = '{owner}' AND until > {NOW}) AS held WHERE nth > {share}))"
        ),
        format!(
            "UPDATE relay_lease SET owner = '{owner}', epoch = epoch + 1 WHERE shard IN \
             (SELECT shard FROM relay_lease WHERE until <= {NOW} ORDER BY shard LIMIT \
             greatest(0, {share} - (SELECT count(*) FROM relay_lease WHERE owner = '{owner}')))"
        ),
        format!("UPDATE relay_lease SET until = {until} WHERE owner = '{owner}'"),
        format!(
            "SELECT m.members, l.shard, l.epoch \
             FROM (SELECT count(*) AS members FROM relay_member) AS m \
             LEFT JOIN relay_lease AS l ON l.owner = '{owner}'"
        ),
    ]
    .join("; ")
}
