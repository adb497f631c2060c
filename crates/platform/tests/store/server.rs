//! Where PostgreSQL is, and a place of its own in it for each test.

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;
use platform::env::{Env, TestEnv};
use platform::store::Schema;
use platform::store::postgres::sqlx::{self, AssertSqlSafe, Connection as _, PgConnection};
use platform::store::postgres::{Options, PostgresEngine};
use platform::testing::servers::{POSTGRES, told_or_skipped};

use crate::sample::{self, Bench};

/// A schema in the test database.
pub struct Place {
    server: String,
    name: String,
    pub test: TestEnv,
}

impl Place {
    pub fn options(&self) -> Options {
        Options::new(format!("{}?options=-csearch_path%3D{}", self.server, self.name))
    }

    pub async fn open(&self, schema: &Schema) -> Result<PostgresEngine, String> {
        let opened = PostgresEngine::open(&self.test.env, schema, &self.options()).await;
        opened.map_err(|error| error.to_string())
    }

    /// One replica of the sample service.
    pub async fn bench(&self) -> Bench {
        let (schema, heavy) = sample::schema();
        let engine = std::sync::Arc::new(self.open(&schema).await.unwrap());
        Bench::over(&schema, Some(heavy), engine, self.test.clone())
    }

    /// One without projections.
    pub async fn plain(&self) -> Bench {
        self.plain_as("sample").await
    }

    /// The server knows the connections of a service by its name.
    pub async fn plain_as(&self, service: &'static str) -> Bench {
        let mut schema = sample::plain_schema();
        schema.service = service;
        let engine = std::sync::Arc::new(self.open(&schema).await.unwrap());
        Bench::over(&schema, None, engine, self.test.clone())
    }

    /// In this place, past the engine.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.options().url).await.unwrap()
    }

    /// As the owner of the server.
    pub async fn run(&self, sql: String) {
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
}

/// Runs `test` in a place that is taken away afterwards, whatever became of the test.
pub async fn with_place(test: impl AsyncFnOnce(&Place)) {
    static PLACES: AtomicU32 = AtomicU32::new(0);
    let Some([server]) = told_or_skipped([POSTGRES]) else { return };
    let nth = PLACES.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{nth}", std::process::id());
    let place = Place { server, name, test: Env::test() };
    let name = &place.name;
    place.run(format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).await;
    let outcome = AssertUnwindSafe(test(&place)).catch_unwind().await;
    place.run(format!("DROP SCHEMA {name} CASCADE")).await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// The same with one replica in it.
pub async fn with_bench<F: Future<Output = ()>>(test: impl FnOnce(Bench) -> F) {
    with_place(async |place: &Place| test(place.bench().await).await).await;
}

/// The same without projections.
pub async fn with_plain<F: Future<Output = ()>>(test: impl FnOnce(Bench) -> F) {
    with_place(async |place: &Place| test(place.plain().await).await).await;
}
