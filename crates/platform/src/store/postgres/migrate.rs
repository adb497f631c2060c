//! Brings a database to the schema that this binary knows, or refuses.

use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::OpenError;
use super::refusal::unavailable;
use crate::store::aggregate::{ENGINE, Migration, Schema};

/// Half of the key of the lock; the other half is the schema, so that neighbours do not wait.
const LOCK: i32 = 0x6d65_7263;

/// Applies what is missing, each step in its own transaction. Replicas that start at once wait for
/// one another; the lock is held until the connection ends. A database that is newer than the
/// binary, whose history differs, or that is another service's, is left alone and named in the
/// error.
pub(super) async fn run(connection: &mut PgConnection, schema: &Schema) -> Result<(), OpenError> {
    let owners = [("platform", ENGINE), (schema.service, schema.migrations)];
    for (owner, migrations) in owners {
        for migration in migrations {
            text_of(owner, migration)?;
        }
    }
    prepare(connection).await.map_err(|error| unavailable(&error))?;
    check_owner(connection, schema.service).await?;
    for (owner, migrations) in owners {
        check_known(connection, owner, migrations).await?;
        for migration in migrations {
            let outcome = apply(connection, owner, migration).await;
            outcome.map_err(|error| {
                OpenError::Refused(format!(
                    "migration {:04}_{} of {owner} failed: {error}",
                    migration.number, migration.name
                ))
            })?;
        }
    }
    Ok(())
}

fn text_of(owner: &str, migration: &Migration) -> Result<&'static str, OpenError> {
    migration.postgres.ok_or_else(|| {
        OpenError::Refused(format!(
            "{owner} has no migration {:04}_{} for PostgreSQL; it runs on SQLite only",
            migration.number, migration.name
        ))
    })
}

async fn prepare(connection: &mut PgConnection) -> sqlx::Result<()> {
    // A migration may take as long as it takes.
    sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = 0")
        .execute(&mut *connection)
        .await?;
    sqlx::query("SELECT pg_advisory_lock($1, hashtext(coalesce(current_schema(), '')))")
        .bind(LOCK)
        .execute(&mut *connection)
        .await?;
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS schema_migration (owner TEXT NOT NULL, \
         number BIGINT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (owner, number))",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Two services in one database would share outbox, inbox and leases: each would publish and lose
/// the events of the other.
async fn check_owner(connection: &mut PgConnection, service: &str) -> Result<(), OpenError> {
    let other: Option<String> = sqlx::query_scalar(
        "SELECT min(owner) FROM schema_migration WHERE owner NOT IN ('platform', $1)",
    )
    .bind(service)
    .fetch_one(connection)
    .await
    .map_err(|error| unavailable(&error))?;
    other.map_or(Ok(()), |other| {
        Err(OpenError::Refused(format!(
            "this is the database of {other}; {service} needs one of its own, and {{service}} in \
             the address stands for the service's name"
        )))
    })
}

async fn check_known(
    connection: &mut PgConnection,
    owner: &str,
    known: &[Migration],
) -> Result<(), OpenError> {
    let newest: Option<i64> =
        sqlx::query_scalar("SELECT max(number) FROM schema_migration WHERE owner = $1")
            .bind(owner)
            .fetch_one(connection)
            .await
            .map_err(|error| unavailable(&error))?;
    let newest_known = known.last().map_or(0, |migration| i64::from(migration.number));
    match newest {
        Some(newest) if newest > newest_known => Err(OpenError::Refused(format!(
            "the database of {owner} is at migration {newest}, this binary knows {newest_known}: \
             start a newer binary"
        ))),
        _ => Ok(()),
    }
}

async fn apply(
    connection: &mut PgConnection,
    owner: &str,
    migration: &Migration,
) -> Result<(), String> {
    let number = i64::from(migration.number);
    let applied = sqlx::query("SELECT name FROM schema_migration WHERE owner = $1 AND number = $2")
        .bind(owner)
        .bind(number)
        .fetch_optional(&mut *connection)
        .await
        .map_err(|error| error.to_string())?;
    if let Some(row) = applied {
        let name: String = row.try_get(0).map_err(|error| error.to_string())?;
        if name == migration.name {
            return Ok(());
        }
        return Err(format!("the database has {name:?} under this number"));
    }
    let text = text_of(owner, migration).map_err(|error| error.to_string())?;
    let step = async {
        sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
        sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut *connection).await?;
        sqlx::query("INSERT INTO schema_migration (owner, number, name) VALUES ($1, $2, $3)")
            .bind(owner)
            .bind(number)
            .bind(migration.name)
            .execute(&mut *connection)
            .await?;
        sqlx::raw_sql("COMMIT").execute(&mut *connection).await
    };
    // A step that failed leaves with its connection, which the caller drops.
    step.await.map(drop).map_err(|error| error.to_string())
}
