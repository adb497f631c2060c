//! What SQLite alone must show: that a file outlives the process, and who may open it.

use platform::store::Migration;
use platform::store::sqlite::{Options, SqliteEngine};

use crate::sample::{PutBox, a_box, schema, sqlite};

#[tokio::test]
async fn what_was_answered_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let id = {
        let bench = sqlite(folder.path());
        let id = bench.id();
        bench.run(PutBox { id, state: a_box("kept", 3) }).await.unwrap();
        id
    };
    let bench = sqlite(folder.path());
    assert_eq!(bench.get(id).await, Some(a_box("kept", 3)));
    assert_eq!(bench.executor.store().outbox(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn acknowledged_commits_are_synced() {
    let folder = tempfile::tempdir().unwrap();
    let bench = sqlite(folder.path());
    let connection = rusqlite::Connection::open(folder.path().join("sample.db")).unwrap();
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |r| r.get(0)).unwrap();
    assert_eq!(mode, "wal");
    drop(bench);
}

#[test]
fn a_database_of_a_newer_binary_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.db");
    let (old, _) = schema();
    let more = Migration {
        number: 2,
        name: "more",
        sqlite: "CREATE TABLE more (id INTEGER) STRICT",
        postgres: None,
    };
    let mut newer = old.clone();
    newer.migrations = Box::leak(Box::new([old.migrations[0], more]));
    SqliteEngine::open(&path, &newer, Options::default()).map(drop).unwrap();
    let error = SqliteEngine::open(&path, &old, Options::default()).map(drop).unwrap_err();
    assert!(error.to_string().contains("start a newer binary"), "{error}");
    SqliteEngine::open(&path, &newer, Options::default()).map(drop).unwrap();
}

#[test]
fn a_migration_that_was_rewritten_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.db");
    let (mut schema, _) = schema();
    SqliteEngine::open(&path, &schema, Options::default()).map(drop).unwrap();
    let renamed = Migration { name: "another", ..schema.migrations[0] };
    schema.migrations = Box::leak(Box::new([renamed]));
    let error = SqliteEngine::open(&path, &schema, Options::default()).map(drop).unwrap_err();
    assert!(error.to_string().contains("0001_another"), "{error}");
}
