//! How PostgreSQL databases come to their schema.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::future::join_all;
use platform::store::postgres::sqlx::{self, Row as _};
use platform::store::{Engine as _, Migration};

use crate::sample::schema;
use crate::server::{Place, with_place};

async fn refusal(place: &Place, migrations: Vec<Migration>) -> String {
    let (mut schema, _) = schema();
    schema.migrations = Box::leak(migrations.into());
    place.open(&schema).await.map(drop).unwrap_err()
}

#[tokio::test]
async fn replicas_that_start_at_once_make_the_schema_once() {
    with_place(async |place| {
        let (schema, _) = schema();
        let engines = join_all((0..4).map(|_| place.open(&schema))).await;
        for engine in engines {
            assert!(engine.unwrap().sharing().is_some());
        }
    })
    .await;
}

#[tokio::test]
async fn a_database_of_a_newer_binary_or_another_history_is_left_alone() {
    with_place(async |place| {
        let (schema, _) = schema();
        let more = Migration {
            number: 2,
            name: "more",
            sqlite: "",
            postgres: Some("CREATE TABLE more (id BIGINT)"),
        };
        let mut newer = schema.clone();
        newer.migrations = Box::leak(Box::new([schema.migrations[0], more]));
        place.open(&newer).await.map(drop).unwrap();
        let old = refusal(place, schema.migrations.to_vec()).await;
        assert!(old.contains("start a newer binary"), "{old}");
        let renamed = Migration { name: "another", ..schema.migrations[0] };
        let other = refusal(place, vec![renamed, more]).await;
        assert!(other.contains("0001_another"), "{other}");
        place.open(&newer).await.map(drop).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_step_that_fails_leaves_nothing_behind() {
    with_place(async |place| {
        let (mut schema, _) = schema();
        let known = schema.migrations[0];
        let half = Migration {
            number: 2,
            name: "half",
            sqlite: "",
            postgres: Some("CREATE TABLE half (id BIGINT); SELECT 1 / 0"),
        };
        let failed = refusal(place, vec![known, half]).await;
        assert!(failed.contains("0002_half of sample failed"), "{failed}");
        let whole = Migration { postgres: Some("CREATE TABLE half (id BIGINT)"), ..half };
        schema.migrations = Box::leak(Box::new([known, whole]));
        place.open(&schema).await.map(drop).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_schema_that_knows_only_sqlite_says_so() {
    with_place(async |place| {
        let (schema, _) = schema();
        let known = Migration { postgres: None, ..schema.migrations[0] };
        let refused = refusal(place, vec![known]).await;
        assert!(refused.contains("sample has no migration 0001_init for PostgreSQL"), "{refused}");
    })
    .await;
}

/// Table, column, and whether it must hold a value.
type Columns = BTreeSet<(String, String, bool)>;

/// And the tables of full text, which each database makes in its own way.
fn columns_on_sqlite(scripts: &[String]) -> (Columns, BTreeSet<String>) {
    let database = rusqlite::Connection::open_in_memory().unwrap();
    for script in scripts {
        database.execute_batch(script).unwrap();
    }
    let sql = "SELECT t.name, c.name, c.\"notnull\" OR c.pk > 0 FROM pragma_table_list AS t \
               JOIN pragma_table_info(t.name) AS c \
               WHERE t.schema = 'main' AND t.type = 'table' AND t.name <> 'sqlite_schema'";
    let mut statement = database.prepare(sql).unwrap();
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let columns = found.unwrap().collect::<rusqlite::Result<_>>().unwrap();
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual'";
    let mut statement = database.prepare(sql).unwrap();
    let own = statement.query_map([], |row| row.get(0)).unwrap();
    (columns, own.collect::<rusqlite::Result<_>>().unwrap())
}

async fn columns_on_postgres(place: &Place, scripts: &[String]) -> Columns {
    let mut connection = place.connect().await;
    for script in scripts {
        let script = sqlx::AssertSqlSafe(script.clone());
        sqlx::raw_sql(script).execute(&mut connection).await.unwrap();
    }
    let found = sqlx::query(
        "SELECT table_name::text, column_name::text, is_nullable::text = 'NO' \
         FROM information_schema.columns WHERE table_schema = current_schema()",
    );
    let found = found.fetch_all(&mut connection).await.unwrap();
    found.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// The scripts of one engine in the order of their numbers; none when the folder is missing.
fn scripts(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test]
async fn every_schema_has_the_same_tables_and_columns_on_both_databases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let services = std::fs::read_dir(root.join("services")).unwrap();
    let mut owners: Vec<_> = services.map(|entry| entry.unwrap().path()).collect();
    owners.push(root.join("crates/platform"));
    let mut compared = 0;
    for owner in owners {
        let postgres = scripts(&owner.join("migrations/postgres"));
        if postgres.is_empty() {
            continue;
        }
        let (expected, own) = columns_on_sqlite(&scripts(&owner.join("migrations/sqlite")));
        with_place(async |place| {
            let mut found = columns_on_postgres(place, &postgres).await;
            found.retain(|(table, ..)| !own.contains(table));
            assert_eq!(found, expected, "{}", owner.display());
        })
        .await;
        compared += 1;
    }
    assert!(compared >= 2, "the folders have moved");
}
