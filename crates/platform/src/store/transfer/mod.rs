//! Moves a service's database from SQLite to PostgreSQL, for a shop that grows: every aggregate, the
//! outbox in its order, inboxes, answers to idempotency keys and parked events. What has been moved
//! is read again on both sides, each on its own, and only if both hold the same is the move done.
//!
//! [`table`] is what a table looks like, read from the server; [`source`] reads pages of rows in the
//! order of their keys; [`target`] writes each page in one transaction, with the projections that
//! follow from its states, so that a move that was stopped goes on behind the last page; [`digest`]
//! makes of rows what both sides are compared by.

mod digest;
mod source;
mod table;
mod target;

use std::path::{Path, PathBuf};

use kernel::Timestamp;
use kernel::id::Uuid;

use super::aggregate::Schema;
use crate::env::Env;
use digest::Digester;
use source::Source;
use table::Table;
use target::{Standing, Target};

pub use digest::Digest;

/// Why a database could not be moved or compared. Nothing was taken from the source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    #[error("{0} is missing: this is not the data folder of a shop")]
    NoSource(PathBuf),
    #[error("the database in the data folder: {0}")]
    Source(String),
    #[error("the database on the server: {0}")]
    Target(String),
    #[error("the database on the server holds rows in {0:?} already; it must be empty")]
    NotEmpty(String),
    #[error("another shop was moved to this database, or began to be; it must be empty")]
    Other,
    #[error("a process works on the database on the server; stop it")]
    InUse,
    #[error("somebody moves a shop to this database at this moment")]
    Busy,
    #[error("nothing was moved to the database on the server")]
    NeverMoved,
    #[error("{table} {id} cannot be read by this version: {error}")]
    State { table: String, id: Uuid, error: String },
}

/// How far it is, for whoever waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    Moving { table: &'a str, rows: u64, of: u64 },
    Comparing { table: &'a str, rows: u64, of: u64 },
}

pub type Tell<'a> = &'a mut (dyn FnMut(Progress<'_>) + Send);

/// One table, as it was found on either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    pub table: String,
    pub source: Digest,
    pub target: Digest,
}

impl Compared {
    pub fn is_same(&self) -> bool {
        self.source == self.target
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Every table, by name. The move is done if all are the same, and not otherwise.
    Now(Vec<Compared>),
    /// It was done before. The shop may have worked on the server since, so nothing was compared.
    Before(Timestamp),
}

/// One service's database on its way.
pub struct Transfer {
    env: Env,
    schema: Schema,
    /// Names the move of a whole shop, so that it can be gone on with and another cannot.
    id: Uuid,
    source: Source,
    target: Target,
    tables: Vec<Table>,
}

impl Transfer {
    /// Opens both and brings their schemas up to date. Nobody else may use the source.
    pub async fn open(
        env: &Env,
        schema: &Schema,
        from: &Path,
        to: &str,
        id: Uuid,
    ) -> Result<Self, TransferError> {
        if !from.is_file() {
            return Err(TransferError::NoSource(from.to_owned()));
        }
        let source = Source::open(from, schema)?;
        let mut target = Target::open(env, schema, to).await?;
        let mut tables = Vec::new();
        let aggregates = schema.aggregates.iter().map(|aggregate| aggregate.table);
        for name in aggregates.chain(["inbox", "idempotency", "parked", "outbox"]) {
            let aggregate = schema.aggregates.iter().find(|a| a.table == name);
            tables.push(target.table(name, aggregate.copied()).await?);
        }
        Ok(Self { env: env.clone(), schema: schema.clone(), id, source, target, tables })
    }

    /// Moves what is not there yet, then compares everything.
    pub async fn run(&mut self, tell: Tell<'_>) -> Result<Moved, TransferError> {
        // Whoever works there by now need not stop to be told that nothing is to be done.
        if let Standing::Done(at) = self.target.standing(self.id).await? {
            return Ok(Moved::Before(at));
        }
        self.target.claim().await?;
        match self.target.standing(self.id).await? {
            Standing::Done(at) => return Ok(Moved::Before(at)),
            Standing::Begun => {}
            Standing::Other => return Err(TransferError::Other),
            Standing::Nothing => {
                for table in &self.tables {
                    if self.target.holds_rows(table).await? {
                        return Err(TransferError::NotEmpty(table.name.to_owned()));
                    }
                }
                self.target.begin(self.id, self.env.now()).await?;
            }
        }
        self.copy(tell).await?;
        let compared = self.compare(tell).await?;
        if compared.iter().all(Compared::is_same) {
            self.target.finish(self.id, self.env.now()).await?;
        }
        Ok(Moved::Now(compared))
    }

    async fn copy(&mut self, tell: Tell<'_>) -> Result<(), TransferError> {
        for table in &self.tables {
            let of = self.source.count(table)?;
            let mut rows = 0;
            let mut after = self.target.last_key(table).await?;
            if after.is_some() {
                rows = self.target.count(table).await?;
            }
            tell(Progress::Moving { table: table.name, rows, of });
            loop {
                let page = self.source.page(table, after.as_deref())?;
                let Some(last) = page.last() else { break };
                after = Some(table.key_of(last));
                self.target.write(&self.schema, table, &page).await?;
                rows += page.len() as u64;
                tell(Progress::Moving { table: table.name, rows, of });
            }
        }
        Ok(())
    }

    /// Reads everything on both sides and changes nothing. After the shop has worked on the server
    /// its tables differ, as they should.
    pub async fn check(&mut self, tell: Tell<'_>) -> Result<Vec<Compared>, TransferError> {
        match self.target.standing(self.id).await? {
            Standing::Nothing => Err(TransferError::NeverMoved),
            Standing::Other => Err(TransferError::Other),
            Standing::Begun | Standing::Done(_) => self.compare(tell).await,
        }
    }

    async fn compare(&mut self, tell: Tell<'_>) -> Result<Vec<Compared>, TransferError> {
        let mut all = Vec::new();
        for table in &self.tables {
            let of = self.source.count(table)?;
            let (mut digester, mut after) = (Digester::default(), None);
            loop {
                let page = self.source.page(table, after.as_deref())?;
                let Some(last) = page.last() else { break };
                after = Some(table.key_of(last));
                for row in &page {
                    digester.add(row);
                }
                tell(Progress::Comparing { table: table.name, rows: digester.rows(), of });
            }
            let source = digester.finish();
            let target = self.target.digest(table).await?;
            all.push(Compared { table: table.name.to_owned(), source, target });
        }
        Ok(all)
    }
}
