//! Somebody who looks at goods.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use serde::Deserialize;
use tokio::task::JoinSet;

use super::{Phase, Stage};
use crate::client::Connection;
use crate::measure::histogram::Histogram;
use crate::measure::watch::{Moment, Spent};
use crate::rng::Rng;
use crate::shop::Shop;
use crate::{Outcome, clock};

const WARM_UP: Duration = Duration::from_secs(1);
const AFTER_ERROR: Duration = Duration::from_millis(20);
/// Whoever has turned so many pages begins again.
const PAGES: u32 = 20;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Page after page of the newest products.
    Pages,
    /// The first page of the cheapest, with a tag.
    Filtered,
    Product,
    /// Two words of a title.
    Search,
    /// The beginning of a word, as somebody types it.
    Prefix,
    /// A word with two letters exchanged.
    Typo,
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::Pages, Self::Filtered, Self::Product, Self::Search, Self::Prefix, Self::Typo];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pages => "`/v1/products?limit=20`, 20 pages deep",
            Self::Filtered => "`/v1/products?tag=…&sort=price_asc`",
            Self::Product => "`/v1/products/{handle}`",
            Self::Search => "`/v1/search?q=` two words",
            Self::Prefix => "`/v1/search?q=` beginning of a word",
            Self::Typo => "`/v1/search?q=` word with a typing error",
        }
    }
}

/// What can be asked for: a sample of the catalog.
pub struct Known {
    pub handles: Vec<String>,
    pub titles: Vec<String>,
}

#[derive(Default)]
pub struct Tally {
    pub latency: Histogram,
    pub counted: u64,
    pub bytes: u64,
    pub errors: BTreeMap<String, u64>,
}

struct Visitor {
    kind: Kind,
    known: Rc<Known>,
    rng: Rng,
    connection: Connection,
    cursor: Option<String>,
    page: u32,
    path: String,
}

#[derive(Deserialize)]
struct Cursor<'a> {
    #[serde(default, borrow)]
    next_cursor: Option<&'a str>,
}

/// Asks one kind of question with so many connections.
pub async fn run(
    shop: &Shop,
    kind: Kind,
    known: &Rc<Known>,
    connections: u32,
    time: Duration,
) -> Outcome<(Tally, Spent)> {
    let stage = Stage::default();
    let mut visitors = JoinSet::new();
    for number in 0..connections {
        let visitor = Visitor {
            kind,
            known: known.clone(),
            rng: Rng::new(u64::from(number) << 32),
            connection: shop.connect(),
            cursor: None,
            page: 0,
            path: String::new(),
        };
        visitors.spawn_local(visitor.run(stage.clone()));
    }
    let mut internals = shop.internals();
    clock::sleep(WARM_UP).await;
    let begin = Moment::read(shop, &mut internals).await?;
    stage.enter(Phase::Measured);
    clock::sleep(time).await;
    let end = Moment::read(shop, &mut internals).await?;
    stage.enter(Phase::Over);
    let mut all = Tally::default();
    while let Some(ended) = visitors.join_next().await {
        let tally = ended.map_err(|error| format!("a visitor: {error}"))?;
        all.latency.merge(&tally.latency);
        all.counted += tally.counted;
        all.bytes += tally.bytes;
        for (kind, count) in tally.errors {
            *all.errors.entry(kind).or_default() += count;
        }
    }
    Ok((all, begin.until(&end)))
}

impl Visitor {
    async fn run(mut self, stage: Stage) -> Tally {
        let mut tally = Tally::default();
        while !stage.is_over() {
            self.choose();
            let began = clock::now();
            let error = match self.connection.ask("GET", &self.path, &[], "").await {
                Ok(reply) if reply.status == 200 => {
                    if self.kind == Kind::Pages {
                        let cursor = reply.parse::<Cursor<'_>>().ok().and_then(|c| c.next_cursor);
                        self.cursor = cursor.map(str::to_owned);
                    }
                    if stage.is_measured() {
                        tally.latency.record(began.elapsed());
                        tally.counted += 1;
                        tally.bytes += reply.body.len() as u64;
                    }
                    continue;
                }
                Ok(reply) => reply.problem(),
                Err(error) => error.to_string(),
            };
            *tally.errors.entry(error).or_default() += 1;
            self.cursor = None;
            clock::sleep(AFTER_ERROR).await;
        }
        tally
    }

    fn choose(&mut self) {
        self.path.clear();
        let title = self.rng.pick(&self.known.titles).to_lowercase();
        let mut words = title.split(' ');
        let (first, last) = (words.next().unwrap_or("lamp"), words.next_back().unwrap_or("chair"));
        let _ = match self.kind {
            Kind::Pages => {
                self.page = if self.cursor.is_some() { self.page + 1 } else { 0 };
                if self.page >= PAGES {
                    (self.page, self.cursor) = (0, None);
                }
                match &self.cursor {
                    Some(cursor) => write!(self.path, "/v1/products?limit=20&cursor={cursor}"),
                    None => write!(self.path, "/v1/products?limit=20"),
                }
            }
            Kind::Filtered => {
                let tag = self.rng.pick(&["bestseller", "wool", "linen", "winter", "handmade"]);
                write!(self.path, "/v1/products?tag={tag}&sort=price_asc&currency=EUR")
            }
            Kind::Product => {
                write!(self.path, "/v1/products/{}", self.rng.pick(&self.known.handles))
            }
            Kind::Search => write!(self.path, "/v1/search?q={first}+{last}"),
            Kind::Prefix => write!(self.path, "/v1/search?q={}", &last[..3]),
            Kind::Typo => {
                let (begin, rest) = last.split_at(1);
                let (second, third) = (&rest[..1], &rest[1..2]);
                write!(self.path, "/v1/search?q={begin}{third}{second}{}", &rest[2..])
            }
        };
    }
}
