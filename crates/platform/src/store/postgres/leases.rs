//! Which replica publishes which shard of the outbox.
//!
//! The database's own clock decides, so that replicas need not agree on the time. A replica asks on
//! one connection that it keeps: when its process dies the server closes that, and the others need
//! not wait for the end of its leases.

use std::time::Duration;

use kernel::id::Uuid;
use sqlx::{PgConnection, Row as _};

use super::Shared;
use super::refusal::unavailable;
use crate::event::PARTITIONS;
use crate::store::engine::{EngineError, Holding, Lease};

/// How long the round trips of one renewal may take together.
const LIMIT: Duration = Duration::from_secs(2);

/// One replica at a time; the first half of the key is that of Mercat's other locks.
const ALONE: &str =
    "SELECT pg_advisory_xact_lock(1835365219, hashtext(current_schema() || ' relay'))";

/// Microseconds of the server's clock.
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

pub(super) async fn renew(
    shared: &Shared,
    owner: Uuid,
    life: Duration,
) -> Result<Holding, EngineError> {
    limited(shared, async |connection| renewed(connection, owner, life).await).await
}

pub(super) async fn release(shared: &Shared, owner: Uuid) -> Result<(), EngineError> {
    limited(shared, async |connection| {
        for sql in [
            "UPDATE relay_lease SET owner = NULL, until = 0 WHERE owner = $1",
            "DELETE FROM relay_member WHERE owner = $1",
        ] {
            sqlx::query(sql).bind(owner).execute(&mut *connection).await?;
        }
        Ok(())
    })
    .await
}

/// The connection of one replica, once it has asked.
pub(super) type Standing = tokio::sync::Mutex<Option<PgConnection>>;

/// In a transaction, and given up after a while: a lease that is renewed late is of no use.
async fn limited<T>(
    shared: &Shared,
    work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
) -> Result<T, EngineError> {
    let attempt = async {
        let mut standing = shared.standing.lock().await;
        let mut connection = match standing.take() {
            Some(connection) => connection,
            None => shared.connections.connect().await?,
        };
        sqlx::raw_sql("BEGIN").execute(&mut connection).await.map_err(|e| unavailable(&e))?;
        let outcome = work(&mut connection).await.map_err(|error| unavailable(&error))?;
        sqlx::raw_sql("COMMIT").execute(&mut connection).await.map_err(|e| unavailable(&e))?;
        // Only now: one that failed is closed with its transaction.
        *standing = Some(connection);
        Ok(outcome)
    };
    let outcome = shared.env.timeout(LIMIT, attempt).await;
    outcome.unwrap_or_else(|| {
        Err(EngineError::Unavailable("postgres: no answer about leases in time".to_owned()))
    })
}

async fn renewed(
    connection: &mut PgConnection,
    owner: Uuid,
    life: Duration,
) -> sqlx::Result<Holding> {
    sqlx::raw_sql(ALONE).execute(&mut *connection).await?;
    let now: i64 = sqlx::query_scalar(NOW).fetch_one(&mut *connection).await?;
    let until = now.saturating_add(i64::try_from(life.as_micros()).unwrap_or(i64::MAX));
    sqlx::query(
        "INSERT INTO relay_member (owner, until, backend) VALUES ($1, $2, pg_backend_pid()) \
         ON CONFLICT (owner) DO UPDATE SET until = excluded.until, backend = excluded.backend",
    )
    .bind(owner)
    .bind(until)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM relay_member WHERE until <= $1 \
         OR backend NOT IN (SELECT pid FROM pg_stat_activity WHERE pid IS NOT NULL)",
    )
    .bind(now)
    .execute(&mut *connection)
    .await?;
    // Whoever died leaves nothing behind.
    sqlx::query(
        "UPDATE relay_lease SET owner = NULL, until = 0 WHERE owner IS NOT NULL \
         AND owner NOT IN (SELECT owner FROM relay_member)",
    )
    .execute(&mut *connection)
    .await?;
    let members: i64 =
        sqlx::query_scalar("SELECT count(*) FROM relay_member").fetch_one(&mut *connection).await?;
    let members = u32::try_from(members).unwrap_or(u32::MAX).max(1);
    let share = i64::from(PARTITIONS.div_ceil(members));
    // What is more than the share goes back; what ended without a renewal is as free as any.
    sqlx::query(
        "UPDATE relay_lease SET owner = NULL, until = 0 WHERE owner = $1 AND (until <= $2 \
         OR shard IN (SELECT shard FROM (SELECT shard, row_number() OVER (ORDER BY shard) AS nth \
         FROM relay_lease WHERE owner = $1 AND until > $2) AS held WHERE nth > $3))",
    )
    .bind(owner)
    .bind(now)
    .bind(share)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE relay_lease SET owner = $1, epoch = epoch + 1 WHERE shard IN \
         (SELECT shard FROM relay_lease WHERE until <= $2 ORDER BY shard LIMIT \
         greatest(0, $3 - (SELECT count(*) FROM relay_lease WHERE owner = $1)))",
    )
    .bind(owner)
    .bind(now)
    .bind(share)
    .execute(&mut *connection)
    .await?;
    let held =
        sqlx::query("UPDATE relay_lease SET until = $2 WHERE owner = $1 RETURNING shard, epoch")
            .bind(owner)
            .bind(until)
            .fetch_all(connection)
            .await?;
    let lease = |row: &sqlx::postgres::PgRow| {
        let (shard, epoch): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Lease { shard: shard as u32, epoch: epoch as u64 })
    };
    let mut leases = held.iter().map(lease).collect::<sqlx::Result<Vec<_>>>()?;
    leases.sort_unstable();
    Ok(Holding { leases, members })
}
