//! Two databases of a server: that of the replicas, and one that has nothing to do with them.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::id::Uuid;
use platform::store::postgres::sqlx::{
    self, AssertSqlSafe, Connection as _, PgConnection, Row as _,
};
use tokio::runtime::{Builder, Runtime};

use crate::{Outcome, clock, report};

const LOOK: Duration = Duration::from_millis(20);

pub struct Place {
    runtime: Runtime,
    server: String,
    name: String,
}

/// A transaction that is open until it is dropped.
pub struct Foreign<'a> {
    _runtime: &'a Runtime,
    _connection: PgConnection,
}

fn said(error: &sqlx::Error) -> String {
    format!("PostgreSQL: {error}")
}

impl Place {
    pub fn new(server: &str) -> Outcome<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        let name = format!("bench{}_outbox", std::process::id());
        let place = Self { runtime, server: server.to_owned(), name };
        for database in place.databases() {
            place.run(server, &format!("CREATE DATABASE {database}"))?;
        }
        Ok(place)
    }

    fn databases(&self) -> [String; 2] {
        [self.name.clone(), format!("{}_elsewhere", self.name)]
    }

    fn url_of(&self, database: &str) -> String {
        let (address, options) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let address = match address.split_once("://") {
            Some((scheme, rest)) => {
                let host = rest.split('/').next().unwrap_or_default();
                format!("{scheme}://{host}/{database}")
            }
            None => address.to_owned(),
        };
        if options.is_empty() { address } else { format!("{address}?{options}") }
    }

    /// Where the replicas work.
    pub fn url(&self) -> String {
        self.url_of(&self.name)
    }

    fn run(&self, url: &str, sql: &str) -> Outcome<()> {
        let outcome = self.runtime.block_on(async {
            let mut connection = PgConnection::connect(url).await?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await
        });
        outcome.map_err(|error| said(&error))
    }

    /// As if the owners of every third shard had been away for longer than their leases.
    pub fn take_leases(&self, third: u32) -> Outcome<()> {
        let sql =
            format!("UPDATE relay_lease SET owner = NULL, until = 0 WHERE shard % 3 = {third}");
        self.run(&self.url(), &sql)
    }

    /// A transaction with an id, in the other database: a relay that waits for all older ones to
    /// end would wait for it.
    pub fn hold_open_elsewhere(&self) -> Outcome<Foreign<'_>> {
        let url = self.url_of(&self.databases()[1]);
        let opened = self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await?;
            let open = "BEGIN; CREATE TABLE work (id BIGINT); SELECT pg_current_xact_id()";
            sqlx::raw_sql(open).execute(&mut connection).await?;
            Ok(connection)
        });
        let connection = opened.map_err(|error: sqlx::Error| said(&error))?;
        Ok(Foreign { _runtime: &self.runtime, _connection: connection })
    }

    /// How long it takes until the outbox is empty.
    pub fn drained(&self, patience: Duration) -> Outcome<Duration> {
        let url = self.url();
        let began = clock::now();
        let outcome = self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await?;
            while began.elapsed() < patience {
                let left = sqlx::query("SELECT 1 FROM outbox LIMIT 1");
                if left.fetch_optional(&mut connection).await?.is_none() {
                    break;
                }
                clock::sleep(LOOK).await;
            }
            connection.close().await
        });
        outcome.map_err(|error| said(&error))?;
        Ok(began.elapsed())
    }

    /// How many events each aggregate has told of, as the database has it.
    pub fn committed(&self) -> Outcome<BTreeMap<Uuid, u64>> {
        let url = self.url();
        let rows = self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await?;
            sqlx::query("SELECT id, seq FROM thing").fetch_all(&mut connection).await
        });
        let count = |row: &sqlx::postgres::PgRow| {
            let seq: i64 = row.try_get(1)?;
            Ok((row.try_get(0)?, u64::try_from(seq).unwrap_or_default()))
        };
        let counts = rows.and_then(|rows| rows.iter().map(count).collect());
        counts.map_err(|error| said(&error))
    }

    pub fn remove(&self) {
        for database in self.databases() {
            let gone = self.run(&self.server, &format!("DROP DATABASE {database} WITH (FORCE)"));
            if let Err(error) = gone {
                report::note(format_args!("{database} is left behind: {error}"));
            }
        }
    }
}
