//! Reads the databases of a shop, and the ledger of its test provider, and says which invariants of
//! the shop hold. It shares no code with the services: what a row means is written down here a
//! second time, so that a mistake there is not made here too.
//!
//! [`source`] is where the databases are: in a data folder, or on servers, from which what is looked
//! at is copied into such a folder first. [`Snapshot`](snapshot) opens everything read-only, each
//! database at one moment; [`shape`] is what the stored JSON looks like. The rows are read once, one by one, and what has to be compared
//! between databases goes into temporary tables, which SQLite keeps in a bounded cache and spills to
//! a temporary file: memory does not grow with the shop. [`orders`], [`stock`], [`money`],
//! [`provider`] and [`sessions`] read and check what must hold inside one database at any moment;
//! [`across`] and [`events`] compare databases, which must agree once things went quiet; [`answers`]
//! looks at what clients were told.

mod across;
mod answers;
mod events;
mod goods;
pub mod journal;
mod money;
mod orders;
mod provider;
pub mod report;
mod sessions;
mod shape;
mod snapshot;
mod source;
mod stock;

use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel::Timestamp;

pub use journal::Journal;
pub use report::{Finding, Invariant, Report, Violation};
#[cfg(feature = "postgres")]
pub use source::Servers;
pub use source::{Cell, Rows};

/// Where the databases are.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// The folder with `ordering.db` and the others.
    Folder(&'a Path),
    #[cfg(feature = "postgres")]
    Servers(&'a Servers),
    /// A simulated shop, with its provider.
    Memory(&'a dyn Rows),
}

/// What to look at.
#[derive(Clone, Debug)]
pub struct Look<'a> {
    pub shop: Place<'a>,
    /// The folder of the test provider's ledger.
    pub provider: &'a Path,
    /// The time, if a shop runs on the folder. `None` when none does: ages are then taken at the
    /// last write, for nobody has worked since. Servers tell by themselves whether one runs.
    pub now: Option<Timestamp>,
    /// What changed within this time may still be on its way, and is not held against the shop.
    pub quiet_after: Duration,
    /// How many violations of an invariant are named; all are counted.
    pub named: usize,
    /// What clients remember, for what only they can tell.
    pub journal: Option<&'a Journal>,
    /// Requests that clients made with their sessions.
    pub uses: &'a [journal::Use],
}

impl<'a> Look<'a> {
    /// At the data folder of a shop that does not run, with half a minute of grace.
    pub fn at(data: &'a Path, provider: &'a Path) -> Self {
        Self::of(Place::Folder(data), provider)
    }

    /// At a shop, wherever it is, with half a minute of grace.
    pub fn of(shop: Place<'a>, provider: &'a Path) -> Self {
        let quiet_after = Duration::from_secs(30);
        Self { shop, provider, now: None, quiet_after, named: 20, journal: None, uses: &[] }
    }
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} is missing: this is not the data folder of a shop")]
    NoShop(PathBuf),
    #[error("{0}: its name is not UTF-8")]
    Name(PathBuf),
    #[cfg(feature = "postgres")]
    #[error("the database of {0} cannot be read: {1}")]
    Server(&'static str, String),
    #[error("a database cannot be read: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("{0} cannot be read: {1}")]
    File(PathBuf, std::io::Error),
    #[error("line {1} of {0} is not one of the test provider's")]
    Ledger(PathBuf, usize),
}

/// Checks everything. `Ok` says that it was looked at, not that it holds.
pub fn verify(look: &Look<'_>) -> Result<Report, Error> {
    let book = snapshot::Snapshot::open(look)?;
    let mut report = Report::new(look.named, look.quiet_after, book.now());
    let has_ledger = provider::read(&book, look)?;
    orders::check(&book, &mut report)?;
    stock::check(&book, &mut report)?;
    money::check(&book, &mut report)?;
    sessions::check(&book, look.uses, &mut report)?;
    across::check(&book, &mut report)?;
    if has_ledger {
        across::check_provider(&book, &mut report)?;
    } else {
        for invariant in
            [Invariant::I3, Invariant::I4, Invariant::I10, Invariant::I11, Invariant::I12]
        {
            report
                .at(invariant)
                .not_checked("the provider's side: there is no test provider's ledger");
        }
    }
    events::check(&book, &mut report)?;
    answers::check(&book, &mut report)?;
    match look.journal {
        Some(journal) => journal::check(&book, journal, &mut report)?,
        None => report.miss_the_journal(),
    }
    report.young = book.young()?;
    Ok(report)
}
