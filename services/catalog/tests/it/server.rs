//! Where PostgreSQL is, and a place of its own in it for each test.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;
use platform::store::postgres::Options;
use platform::store::postgres::sqlx::{self, AssertSqlSafe, Connection as _, PgConnection};
use platform::testing::servers::{POSTGRES, told_or_skipped};

/// A schema in the test database.
pub struct Place {
    server: String,
    name: String,
}

impl Place {
    pub fn options(&self) -> Options {
        Options::new(format!("{}?options=-csearch_path%3D{}", self.server, self.name))
    }

    /// In this place, past the engine.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.options().url).await.unwrap()
    }

    async fn run(&self, sql: String) {
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
}

/// Runs `test` in a place that is taken away afterwards, whatever became of the test. False when
/// there is no server.
pub async fn with_place(test: impl AsyncFnOnce(&Place)) -> bool {
    static PLACES: AtomicU32 = AtomicU32::new(0);
    let Some([server]) = told_or_skipped([POSTGRES]) else { return false };
    let nth = PLACES.fetch_add(1, Ordering::Relaxed);
    let place = Place { server, name: format!("catalog_{}_{nth}", std::process::id()) };
    let name = &place.name;
    place.run(format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).await;
    let outcome = AssertUnwindSafe(test(&place)).catch_unwind().await;
    place.run(format!("DROP SCHEMA {name} CASCADE")).await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
    true
}
