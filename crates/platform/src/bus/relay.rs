//! From one service's outbox onward: to the consumers of this process, or to a broker.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, OptionFuture};

use super::pump::{Ended, Outlet, Pump};
use super::tenure::Tenure;
use crate::env::Env;
use crate::executor::Executor;
use crate::shutdown::Shutdown;
use crate::store::{EngineError, StoreError, Waiting};

/// How many events it reads from the table at once.
const PAGE: u32 = 512;
/// The table is looked at so often, whatever was told.
const POLL: Duration = Duration::from_secs(5);
/// The same when other processes write there, too: nobody tells of theirs.
const POLL_IN_COMPANY: Duration = Duration::from_millis(100);
/// So long a delivered event waits for a commit that takes it along.
const SETTLE: Duration = Duration::from_millis(50);
/// How often the age of the outbox is told.
const TELL: Duration = Duration::from_secs(5);

pub(super) struct Relay {
    env: Env,
    publisher: Executor,
    tenure: Tenure,
    pump: Pump,
    feed: Feed,
    /// The table holds events that nobody told of.
    behind: bool,
    /// The table could not be read. Nothing is taken in until the next poll: what is told of
    /// meanwhile was committed later, and would move the cursor past what was not read.
    unreadable: bool,
    /// There was no room when it looked last.
    full: bool,
    reading: Option<BoxFuture<'static, Result<Vec<Waiting>, EngineError>>>,
    /// When what was delivered is deleted, if no commit has taken it along.
    settle: Option<BoxFuture<'static, ()>>,
    settling: Option<BoxFuture<'static, Result<(), StoreError>>>,
    poll: BoxFuture<'static, ()>,
    tell: BoxFuture<'static, ()>,
    /// How many events wait in the pump.
    waiting: metrics::Gauge,
}

/// How it knows what it has taken in already.
enum Feed {
    /// Nobody else writes here: all up to this place.
    Cursor(i64),
    /// Transactions of several processes end in any order, so places are no horizon: each row that
    /// was taken in and is not deleted yet. With them the rows that are being deleted.
    Rows { taken: HashSet<i64>, done: Vec<i64>, leaving: Vec<i64> },
}

impl Relay {
    /// `tenure` is to be kept by somebody as long as the relay runs.
    pub(super) fn new(
        env: Env,
        publisher: Executor,
        outlet: Arc<dyn Outlet>,
        tenure: Tenure,
    ) -> Self {
        let feed = if tenure.shards().is_some() {
            Feed::Rows { taken: HashSet::new(), done: Vec::new(), leaving: Vec::new() }
        } else {
            Feed::Cursor(0)
        };
        Self {
            poll: env.timer.sleep(POLL),
            tell: env.timer.sleep(TELL),
            waiting: metrics::gauge!(
                "mercat_relay_waiting_events", "service" => publisher.service()
            ),
            pump: Pump::new(env.clone(), outlet),
            env,
            publisher,
            tenure,
            feed,
            behind: true,
            unreadable: false,
            full: false,
            reading: None,
            settle: None,
            settling: None,
        }
    }

    pub(super) async fn run(mut self, shutdown: Shutdown) {
        if matches!(self.feed, Feed::Cursor(_)) {
            self.publisher.tail().follow();
        }
        let (publisher, tenure) = (self.publisher.clone(), self.tenure.clone());
        let mut stopping = std::pin::pin!(shutdown.stopping());
        loop {
            self.take_in();
            // What comes seldom first, so that a busy pump keeps nothing waiting.
            tokio::select! {
                biased;
                () = &mut stopping => break,
                () = tenure.changed() => self.behind = true,
                () = publisher.tail().committed() => {
                    self.behind |= matches!(self.feed, Feed::Rows { .. });
                }
                Some(page) = OptionFuture::from(self.reading.as_mut()) => self.was_read(page),
                Some(settled) = OptionFuture::from(self.settling.as_mut()) => self.settled(settled),
                Some(()) = OptionFuture::from(self.settle.as_mut()) => self.settle(),
                () = &mut self.poll => self.polled(),
                () = &mut self.tell => self.tell(),
                ended = self.pump.turn() => self.ended(ended),
            }
        }
        // Not needed, but the next start has nothing to do twice.
        let _ = publisher.settle().await;
    }

    fn polled(&mut self) {
        self.behind = true;
        self.unreadable = false;
        let pause = if self.tenure.has_company() { POLL_IN_COMPANY } else { POLL };
        self.poll = self.env.timer.sleep(pause);
    }

    /// Takes in what was committed, as far as there is room.
    fn take_in(&mut self) {
        let waiting = self.pump.queued();
        self.waiting.set(waiting as f64);
        let has_room = self.pump.has_room();
        if !has_room && !self.full {
            let service = self.publisher.service();
            tracing::error!(service, waiting, "events are not taken off; the rest waits");
        }
        self.full = !has_room;
        if !has_room || self.reading.is_some() || self.unreadable {
            return;
        }
        if !self.behind && matches!(self.feed, Feed::Cursor(_)) {
            let (fresh, overflowed) = self.publisher.tail().take();
            self.behind = overflowed;
            self.accept(fresh);
        }
        if self.behind {
            self.reading = self.read();
        }
    }

    fn read(&mut self) -> Option<BoxFuture<'static, Result<Vec<Waiting>, EngineError>>> {
        let engine = self.publisher.store().engine().clone();
        match &self.feed {
            Feed::Cursor(cursor) => {
                let cursor = *cursor;
                Some(async move { engine.outbox(cursor, PAGE).await }.boxed())
            }
            Feed::Rows { taken, .. } => {
                // What is committed from here on is told again.
                self.behind = false;
                let shards = self.tenure.shards().filter(|shards| !shards.is_empty())?;
                let taken: Vec<i64> = taken.iter().copied().collect();
                let read = async move {
                    let Some(sharing) = engine.sharing() else { return Ok(Vec::new()) };
                    sharing.unsent(&shards, &taken, PAGE).await
                };
                Some(read.boxed())
            }
        }
    }

    fn was_read(&mut self, page: Result<Vec<Waiting>, EngineError>) {
        self.reading = None;
        match page {
            Ok(page) => {
                let is_full = page.len() == PAGE as usize;
                self.behind = match self.feed {
                    Feed::Cursor(_) => is_full,
                    Feed::Rows { .. } => self.behind || is_full,
                };
                self.accept(page);
            }
            Err(error) => {
                let service = self.publisher.service();
                tracing::error!(%error, service, "outbox unreadable; it is read again");
                self.unreadable = true;
                self.poll = self.env.timer.sleep(POLL_IN_COMPANY);
            }
        }
    }

    fn accept(&mut self, events: Vec<Waiting>) {
        for event in events {
            let is_new = match &mut self.feed {
                Feed::Cursor(cursor) => {
                    let is_new = event.place > *cursor;
                    *cursor = event.place.max(*cursor);
                    is_new
                }
                Feed::Rows { taken, .. } => taken.insert(event.place),
            };
            if is_new {
                self.pump.accept(event);
            }
        }
    }

    fn ended(&mut self, ended: Ended) {
        if let Feed::Rows { taken, done, .. } = &mut self.feed {
            for place in &ended.lost {
                taken.remove(place);
            }
            done.extend(&ended.done);
        }
        if !ended.done.is_empty() {
            self.publisher.delivered(ended.done);
            self.settle.get_or_insert_with(|| self.env.timer.sleep(SETTLE));
        }
    }

    /// Deletes what was delivered and no commit took along.
    fn settle(&mut self) {
        self.settle = None;
        if self.settling.is_some() {
            self.settle = Some(self.env.timer.sleep(SETTLE));
            return;
        }
        let is_due = match &mut self.feed {
            Feed::Cursor(_) => self.publisher.tail().has_done(),
            Feed::Rows { done, leaving, .. } => {
                leaving.append(done);
                !leaving.is_empty()
            }
        };
        if is_due {
            let publisher = self.publisher.clone();
            self.settling = Some(async move { publisher.settle().await }.boxed());
        }
    }

    fn settled(&mut self, settled: Result<(), StoreError>) {
        self.settling = None;
        if let Err(error) = settled {
            let service = self.publisher.service();
            tracing::warn!(%error, service, "delivered events stay a little longer");
            self.settle.get_or_insert_with(|| self.env.timer.sleep(TELL));
            return;
        }
        if let Feed::Rows { taken, leaving, .. } = &mut self.feed {
            for place in leaving.drain(..) {
                taken.remove(&place);
            }
        }
    }

    /// How old the oldest event is that waits: what an operator wants to be woken by.
    fn tell(&mut self) {
        self.tell = self.env.timer.sleep(TELL);
        let (env, publisher) = (self.env.clone(), self.publisher.clone());
        self.env.spawn("outbox age", async move {
            let Ok(oldest) = publisher.store().outbox(1).await else { return };
            let now = env.now().as_micros();
            let age = oldest.first().map_or(0, |event| now - event.time.as_micros());
            metrics::gauge!("mercat_outbox_oldest_seconds", "service" => publisher.service())
                .set(age as f64 / 1e6);
        });
    }
}
