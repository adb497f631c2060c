//! The standing procedure.

use std::path::Path;
use std::time::Duration;

use futures_util::future::join;
use platform::Env;
use testkit::{Shop, Start, Topology, until_within};

use super::wrapped::Wrapped;
use crate::books::balance;
use crate::fleet::{BrokerKind, Fleet, Plan};
use crate::house::House;
use crate::load::{Afterwards, Ends, Load, Phase};
use crate::report::RowReport;
use crate::settings::Settings;

/// How long everything must succeed after the faults.
const HEALTHY: Duration = Duration::from_secs(10);
const HEALTHY_IN_SHORT: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_millis(50);
/// A saga may wait for a provider that hangs; nothing waits for longer.
const PATIENCE: Duration = Duration::from_mins(3);
/// What a mistake broke stays broken.
const PATIENCE_WITH_A_BUG: Duration = Duration::from_secs(20);
/// Until something was cancelled, refunded and sold out, if that did not come by itself.
const WHOLE: Duration = Duration::from_mins(1);
/// Until the first purchase ends well after the faults. A broken shop never gets there.
const RECOVERY: Duration = Duration::from_mins(3);

/// What rows share: a shop of processes is dear to start, so those that ask for the same one get it
/// one after another, with all that its buyers remember.
pub struct Context {
    pub env: Env,
    pub settings: Settings,
    kept: Option<((BrokerKind, u32), Load)>,
}

impl Context {
    pub fn new(env: Env, settings: Settings) -> Self {
        Self { env, settings, kept: None }
    }

    /// A shop of processes, the one that was used before if it is of this kind.
    pub async fn fleet(&mut self, broker: BrokerKind, replicas: u32) -> Result<Load, String> {
        if let Some((kind, load)) = self.kept.take()
            && kind == (broker, replicas)
        {
            return Ok(load);
        }
        let plan = Plan { broker, replicas, settings: Vec::new(), clocks: None };
        self.new_fleet(&plan).await
    }

    /// A shop of processes that nobody had before.
    pub async fn new_fleet(&self, plan: &Plan) -> Result<Load, String> {
        let fleet = Fleet::start(&self.env, &self.settings, plan).await?;
        Ok(self.load(House::Many(fleet)).await)
    }

    /// Keeps a shop of processes for the next row. One that broke an invariant is not kept: the
    /// next row would be told of it again.
    pub fn keep(&mut self, broker: BrokerKind, replicas: u32, load: Load, report: &RowReport) {
        if report.violations.is_empty() {
            self.kept = Some(((broker, replicas), load));
        }
    }

    /// A shop in one process.
    pub async fn embedded(&self, change: impl FnOnce(Start) -> Start) -> Load {
        let start = change(self.start(&self.settings.program));
        self.load(House::One(Shop::start(start).await)).await
    }

    /// The same, by a script that becomes the shop.
    pub async fn wrapped(&self, wrapped: &Wrapped) -> Load {
        let start = self.start(&wrapped.program());
        self.load(House::One(Shop::start(start).await)).await
    }

    fn start(&self, program: &Path) -> Start {
        let start = Start::new(program, Topology::Embedded);
        match &self.settings.bug {
            Some(bug) => start.bug(bug),
            None => start,
        }
    }

    async fn load(&self, house: House) -> Load {
        let cold = self.settings.pick(20, 200);
        Load::on(&self.env, house, cold, self.settings.is_short).await
    }

    /// Buyers buy, `faults` happen and are over when it ends, and then everything must succeed,
    /// come to rest, and be accounted for.
    pub async fn weather(
        &self,
        load: &Load,
        faults: impl AsyncFnOnce(&mut RowReport) -> Result<(), String>,
    ) -> RowReport {
        let mut report = RowReport { topology: load.house.topology(), ..RowReport::default() };
        let before = load.ends();
        load.begin().await;
        let (buyers, pace) = self.settings.pick((6, 300), (8, 200));
        let buying = load.run(buyers, Duration::from_millis(pace));
        let procedure = async {
            load.enter(Phase::Calm);
            load.purchases_go_on(3, "the load began").await;
            load.enter(Phase::Faults);
            let outcome = faults(&mut report).await;
            load.enter(Phase::Calm);
            if let Err(error) = outcome {
                report.violations.push(format!("the fault could not be made: {error}"));
            }
            let recovered = self.recovered(load).await;
            report.ready(recovered);
            load.enter(Phase::Healed);
            let healthy = self.env.sleep(self.settings.pick(HEALTHY_IN_SHORT, HEALTHY));
            // It takes longer than a short run has.
            if !self.settings.is_short || self.settings.bug.is_some() {
                join(healthy, load.somebody_leaves()).await;
            } else {
                healthy.await;
            }
            self.whole(load, &mut report).await;
            load.end();
        };
        join(buying, procedure).await;
        self.close(load, &mut report, before).await;
        report
    }

    /// Until a purchase that began after the faults ends well.
    async fn recovered(&self, load: &Load) -> Duration {
        let healed = self.env.clock.monotonic();
        let sold = until_within(RECOVERY, "a purchase ends well after the faults", async || {
            load.tally.sold_after(healed)
        });
        sold.await.saturating_sub(healed)
    }

    /// A row in which nobody cancels, or everybody gets what they want, shows less than it says.
    async fn whole(&self, load: &Load, report: &mut RowReport) {
        let patience = if self.settings.bug.is_some() { HEALTHY } else { WHOLE };
        let all = async {
            while !load.tally.afterwards().is_whole() {
                self.env.sleep(LOOK).await;
            }
        };
        if self.env.timeout(patience, all).await.is_none() {
            let afterwards = load.tally.afterwards();
            report.violations.push(format!("the load was not whole: {afterwards:?}"));
        }
    }

    /// Counts, and looks into the books.
    async fn close(&self, load: &Load, report: &mut RowReport, before: Ends) {
        report.violations.extend(load.house.ended());
        let patience = if self.settings.bug.is_some() { PATIENCE_WITH_A_BUG } else { PATIENCE };
        let books = balance(load, patience).await;
        report.converged(books.settled);
        report.compared = books.looked_at;
        if books.violations.is_empty() {
            report.violations.extend(load.cancellations().await);
        }
        report.violations.extend(books.violations);
        let sum = load.tally.take();
        let after = load.ends();
        report.operations = sum.all;
        report.sold = after.sold - before.sold;
        report.refused = after.refused - before.refused;
        report.unknown = after.unknown - before.unknown;
        let Afterwards { cancelled, refunded, sent_again, sold_out } = sum.afterwards;
        report.cancelled = cancelled;
        report.refunded = refunded;
        report.sent_again = sent_again;
        report.sold_out = sold_out;
        report.availability = sum.checkouts.percent();
        report.slowest_ms = sum.slowest.as_millis() as u64;
        if let Some(percent) = sum.carts.percent() {
            report.note(format!("{percent:.1} % of carts were opened at the first try"));
        }
        report.violations.extend(sum.wrong);
    }

    /// Whether times are judged: not on a machine that is busy with a whole CI.
    pub fn at_most(&self, report: &mut RowReport, what: &str, took: Duration, bound: Duration) {
        report.note(format!("{what}: {took:.1?} (bound {bound:?})"));
        if took > bound && !self.settings.is_short {
            report.violations.push(format!("{what} took {took:.1?}, more than {bound:?}"));
        }
    }

    pub fn at_least(&self, report: &mut RowReport, what: &str, percent: f64, bound: f64) {
        report.note(format!("{what}: {percent:.1} % (bound {bound} %)"));
        if percent < bound && !self.settings.is_short {
            report.violations.push(format!("{what} is {percent:.1} %, less than {bound} %"));
        }
    }
}
