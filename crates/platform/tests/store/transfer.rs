//! A database that moves from SQLite to PostgreSQL, and what is noticed on the way.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use kernel::id::Uuid;
use platform::store::Engine as _;
use platform::store::postgres::sqlx::{self, AssertSqlSafe, Row as _};
use platform::store::transfer::{Compared, Moved, Progress, Transfer, TransferError};

use crate::sample::{self, PutBox, a_box};
use crate::server::{Place, with_place};

const BOXES: usize = 1_100;
const MOVE: Uuid = Uuid::from_u128(1);

/// A database with rows in every table. Nobody works on it any more.
async fn filled(folder: &Path) -> PathBuf {
    let bench = sample::sqlite(folder);
    let puts = (0..BOXES).map(|n| {
        let mut state = a_box(&format!("box \"{n}\" \u{1f4e6}"), n as i64);
        state.label = state.label.filter(|_| n % 3 > 0);
        bench.run(PutBox { id: bench.id(), state })
    });
    let put = join_all(puts).await;
    assert!(put.into_iter().all(|put| put.is_ok()));
    drop(bench);
    let path = folder.join("sample.db");
    let rows = "
        INSERT INTO inbox SELECT 'sample.boxes', id, 3, id FROM box;
        INSERT INTO idempotency VALUES
            ('anonymous', 'PUT /v1/boxes', 'a', 'f', 201, '[]', x'7b7d00ff', 5),
            ('anonymous', 'PUT /v1/boxes', 'b', 'f', NULL, NULL, NULL, 6);
        INSERT INTO parked SELECT 'sample.boxes', id, 4, id, 'sample', 'mercat.sample.BoxPut.v1',
            'box', 7, '', NULL, NULL, x'', 0, 'it is poison', 5, 8 FROM box LIMIT 1;";
    rusqlite::Connection::open(&path).unwrap().execute_batch(rows).unwrap();
    path
}

async fn open(place: &Place, from: &Path, id: Uuid) -> Result<Transfer, TransferError> {
    let (schema, _) = sample::schema();
    Transfer::open(&place.test.env, &schema, from, &place.options().url, id).await
}

async fn run(place: &Place, from: &Path, id: Uuid) -> Result<Moved, TransferError> {
    open(place, from, id).await?.run(&mut |_| ()).await
}

async fn check(place: &Place, from: &Path) -> Vec<Compared> {
    open(place, from, MOVE).await.unwrap().check(&mut |_| ()).await.unwrap()
}

fn differing(compared: &[Compared]) -> Vec<&str> {
    compared.iter().filter(|c| !c.is_same()).map(|c| c.table.as_str()).collect()
}

async fn execute(place: &Place, sql: &'static str) {
    let mut connection = place.connect().await;
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}

async fn all(place: &Place, sql: &str) -> Vec<String> {
    let mut connection = place.connect().await;
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await;
    rows.unwrap().iter().map(|row| row.get::<String, _>(0)).collect()
}

#[tokio::test]
async fn a_moved_database_holds_the_same_with_its_projections_and_its_order_of_events() {
    with_place(async |place: &Place| {
        let folder = tempfile::tempdir().unwrap();
        let from = filled(folder.path()).await;
        let mut told = Vec::new();
        let mut tell = |progress: Progress<'_>| {
            if let Progress::Moving { table: "box", rows, of } = progress {
                told.push((rows, of));
            }
        };
        let moved = open(place, &from, MOVE).await.unwrap().run(&mut tell).await.unwrap();
        let Moved::Now(compared) = moved else { panic!("it was not moved before") };
        let boxes = BOXES as u64;
        assert_eq!(told, [(0, boxes), (1_000, boxes), (boxes, boxes)], "page by page");
        let rows: Vec<_> = compared.iter().map(|c| (c.table.as_str(), c.target.rows)).collect();
        let expected = [
            ("box", boxes),
            ("shelf", 0),
            ("inbox", boxes),
            ("idempotency", 2),
            ("parked", 1),
            ("outbox", boxes),
        ];
        assert_eq!((rows.as_slice(), differing(&compared)), (expected.as_slice(), vec![]));

        // Whoever works there finds what it expects.
        let there = place.bench().await;
        assert_eq!(there.heavy().await.len(), BOXES - 101, "the projection was filled");
        let waiting = there.executor.store().outbox(10_000).await.unwrap();
        let source = rusqlite::Connection::open(&from).unwrap();
        let mut ids = source.prepare("SELECT id FROM outbox ORDER BY place").unwrap();
        let ids: Vec<[u8; 16]> =
            ids.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let moved: Vec<_> = waiting.iter().map(|event| *event.id.as_bytes()).collect();
        assert_eq!(moved, ids, "in the order of their commits");
        let id = there.id();
        there.run(PutBox { id, state: a_box("new", 1) }).await.unwrap();
        let last = there.executor.store().outbox(10_000).await.unwrap().pop().unwrap();
        assert_eq!(last.aggregate_id, id, "what is new comes behind");
    })
    .await;
}

#[tokio::test]
async fn a_second_run_says_that_it_is_done_and_changes_nothing() {
    with_place(async |place: &Place| {
        let folder = tempfile::tempdir().unwrap();
        let from = filled(folder.path()).await;
        run(place, &from, MOVE).await.unwrap();
        execute(place, "DELETE FROM box WHERE weight = 5").await;
        let again = run(place, &from, MOVE).await.unwrap();
        assert_eq!(again, Moved::Before(place.test.env.now()));
        assert_eq!(all(place, "SELECT count(*)::text FROM box").await, ["1099"]);
        let other = run(place, &from, Uuid::from_u128(2)).await;
        assert_eq!(other, Err(TransferError::Other), "not even from the same folder");
    })
    .await;
}

#[tokio::test]
async fn a_move_that_was_stopped_goes_on_behind_its_last_page() {
    with_place(async |place: &Place| {
        let folder = tempfile::tempdir().unwrap();
        let from = filled(folder.path()).await;
        let mut transfer = open(place, &from, MOVE).await.unwrap();
        // Stopped where it would tell of the second page of boxes.
        let mut stop = |progress: Progress<'_>| {
            let second = Progress::Moving { table: "box", rows: 1_100, of: 1_100 };
            assert_ne!(progress, second, "stop here");
        };
        let stopped = AssertUnwindSafe(transfer.run(&mut stop)).catch_unwind().await;
        assert!(stopped.is_err());
        drop(transfer);
        let last = "DELETE FROM box WHERE id IN (SELECT id FROM box ORDER BY id DESC LIMIT 49)";
        execute(place, last).await;
        let mut told = Vec::new();
        let mut transfer = open(place, &from, MOVE).await.unwrap();
        let moved = transfer.run(&mut |progress| told.extend(moving(progress))).await.unwrap();
        let Moved::Now(compared) = moved else { panic!("it was not done") };
        assert_eq!((told[0].clone(), differing(&compared)), (("box".to_owned(), 1_051), vec![]));
        assert_eq!(all(place, "SELECT count(*)::text FROM heavy").await, ["999"]);
    })
    .await;
}

fn moving(progress: Progress<'_>) -> Option<(String, u64)> {
    match progress {
        Progress::Moving { table, rows, .. } => Some((table.to_owned(), rows)),
        Progress::Comparing { .. } => None,
    }
}

#[tokio::test]
async fn a_row_that_differs_is_noticed_whatever_differs_in_it() {
    with_place(async |place: &Place| {
        let folder = tempfile::tempdir().unwrap();
        let from = filled(folder.path()).await;
        run(place, &from, MOVE).await.unwrap();
        assert_eq!(differing(&check(place, &from).await), Vec::<&str>::new());
        for (change, back, table) in [
            (
                "UPDATE box SET state = jsonb_set(state, '{weight}', '8') WHERE weight = 7",
                "UPDATE box SET state = jsonb_set(state, '{weight}', '7.0') WHERE weight = 7",
                "box",
            ),
            (
                "UPDATE box SET seq = seq + 1 WHERE weight = 7",
                "UPDATE box SET seq = seq - 1 WHERE weight = 7",
                "box",
            ),
            (
                "UPDATE inbox SET version = 4 WHERE aggregate_id = (SELECT min(aggregate_id::text)::uuid FROM inbox)",
                "UPDATE inbox SET version = 3",
                "inbox",
            ),
            (
                "UPDATE idempotency SET body = '' WHERE key = 'a'",
                r"UPDATE idempotency SET body = '\x7b7d00ff' WHERE key = 'a'",
                "idempotency",
            ),
            (
                "INSERT INTO shelf VALUES ('00000000-0000-0000-0000-000000000001', 1, 0, '{}')",
                "DELETE FROM shelf",
                "shelf",
            ),
            (
                "UPDATE outbox SET correlation = 'x' WHERE place = 3",
                "UPDATE outbox SET correlation = (SELECT min(correlation) FROM outbox)",
                "outbox",
            ),
        ] {
            execute(place, change).await;
            assert_eq!(differing(&check(place, &from).await), [table], "{change}");
            execute(place, back).await;
        }
        // Nothing is left of it but what was put back.
        let left = check(place, &from).await;
        assert!(differing(&left).iter().all(|table| *table == "outbox"), "{left:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_empty_or_in_use_is_left_alone() {
    with_place(async |place: &Place| {
        let folder = tempfile::tempdir().unwrap();
        let from = filled(folder.path()).await;
        let missing = run(place, &folder.path().join("none.db"), MOVE).await;
        assert!(matches!(missing, Err(TransferError::NoSource(_))));
        let never = open(place, &from, MOVE).await.unwrap().check(&mut |_| ()).await;
        assert_eq!(never, Err(TransferError::NeverMoved));

        let bench = place.bench().await;
        bench.run(PutBox { id: bench.id(), state: a_box("mine", 1) }).await.unwrap();
        assert_eq!(run(place, &from, MOVE).await, Err(TransferError::NotEmpty("box".to_owned())));
        execute(place, "DELETE FROM box; DELETE FROM outbox").await;

        let sharing = place.open(&sample::schema().0).await.unwrap();
        let life = std::time::Duration::from_mins(1);
        sharing.sharing().unwrap().lease(Uuid::from_u128(9), life).await.unwrap();
        assert_eq!(run(place, &from, MOVE).await, Err(TransferError::InUse));
        sharing.sharing().unwrap().release(Uuid::from_u128(9)).await.unwrap();

        // One that stands still in the middle.
        let mut first = open(place, &from, MOVE).await.unwrap();
        let mut hang = |progress: Progress<'_>| {
            assert_ne!(progress, Progress::Moving { table: "inbox", rows: 0, of: 1_100 }, "stop");
        };
        assert!(AssertUnwindSafe(first.run(&mut hang)).catch_unwind().await.is_err());
        assert_eq!(run(place, &from, MOVE).await, Err(TransferError::Busy));
        drop(first);
        assert!(matches!(run(place, &from, MOVE).await, Ok(Moved::Now(_))));
    })
    .await;
}
