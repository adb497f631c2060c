//! F20: ten times as many checkouts as the shop can take. Buyers come at their own times, whether
//! anybody answers or not. Most have to be turned away; as many as ever are served, and when it is
//! over the shop is as it was.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use testkit::Client;
use testkit::checkout::Cart;
use testkit::journal::{Entry, Outcome};
use testkit::until_within;

use super::cores::Apart;
use super::weather::Context;
use crate::load::Load;
use crate::report::RowReport;

const TIMES: u64 = 10;
const RECOVERY: Duration = Duration::from_secs(10);
/// A shop at rest answers a checkout well within this.
const AT_REST: Duration = Duration::from_secs(1);
/// Buyers at once when the peak is looked for.
const CROWDS: [usize; 3] = [16, 64, 256];
/// Carts that are opened at once, before anybody is in a hurry.
const OPENERS: usize = 16;
/// Answers that come later help nobody: the deadline of a checkout.
const LATE: Duration = Duration::from_secs(15);
/// A little more than the connections that the shop takes from one client.
const CROWD: usize = 2_500;
const TICK: Duration = Duration::from_millis(5);

struct Ready {
    cart: Cart,
    key: String,
    variant: String,
}

pub async fn run(context: &mut Context) -> RowReport {
    let load = context.embedded(|start| start).await;
    let apart = load.house.process().and_then(Apart::from);
    let seconds = context.settings.pick(1, 10);
    let mut report = context
        .weather(&load, async |report| {
            let client = load.house.client();
            let (before, crowd) = peak(context, &load, &client, seconds).await;
            let wanted = (before * (TIMES * seconds) as f64).ceil() as usize;
            let carts = open(&load, &client, wanted).await;
            let flood = flood(context, &load, carts, Duration::from_secs(seconds)).await;
            let recovered = recovered(context, &load, &client).await;
            // The peak again, with all the carts that nobody got to buy still in the databases: a shop
            // with ten times as many carts is slower by itself.
            let after = bought(context, &load, flood.left_over, crowd, seconds).await;
            // The crowd takes its connections along when it leaves.
            drop(client);
            let peak = if after > 0.0 { after } else { before };
            let goodput = flood.meanwhile as f64 / seconds as f64;
            report.runs = wanted as u64;
            if apart.is_none() {
                report.note("the buyers took their share of the shop's cores");
            }
            report.note(format!(
                "peak {before:.0} checkouts a second, {after:.0} when the carts for the crowd were there; \
                 {wanted} within {seconds} s: {} served meanwhile ({goodput:.0} a second), {} in all, {} too \
                 late, {} before the door, {} without an answer, refused by status {:?}; the last one knew \
                 after {:.1?}",
                flood.meanwhile,
                flood.sold,
                flood.late,
                flood.at_the_door,
                flood.unanswered,
                flood.refused,
                flood.took
            ));
            let share = goodput * 100.0 / peak.max(f64::MIN_POSITIVE);
            context.at_least(report, "goodput at ten times the peak", share, 90.0);
            context.at_most(report, "until a checkout was as quick as ever", recovered, RECOVERY);
            Ok(())
        })
        .await;
    // The standing buyers stand in line with the flood: their share tells nothing of a fault.
    report.availability = None;
    report
}

/// The most checkouts a second that crowds of several sizes get, each as fast as it is served, and
/// the size of that crowd.
async fn peak(context: &Context, load: &Load, client: &Client, seconds: u64) -> (f64, usize) {
    let mut peak: (f64, usize) = (0.0, CROWDS[0]);
    // How many carts a crowd can buy in the time is known from the one before.
    let mut enough = context.settings.pick(300, 4_000);
    for crowd in CROWDS {
        let carts = open(load, client, enough).await;
        let rate = bought(context, load, carts, crowd, seconds).await;
        if rate > peak.0 {
            peak = (rate, crowd);
        }
        enough = ((peak.0 * 1.5 * seconds as f64) as usize).max(crowd);
    }
    peak
}

/// How many checkouts a second a crowd gets that is served as fast as can be, from these carts.
async fn bought(
    context: &Context,
    load: &Load,
    carts: Vec<Ready>,
    crowd: usize,
    seconds: u64,
) -> f64 {
    let carts = Mutex::new(carts);
    let begun = context.env.clock.monotonic();
    let end = begun + Duration::from_secs(seconds);
    let sold = AtomicU64::new(0);
    let next = || carts.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let buyers = (0..crowd).map(|_| async {
        while context.env.clock.monotonic() < end
            && let Some(ready) = next()
        {
            let is_sold = complete(load, ready).await == End::Sold;
            sold.fetch_add(u64::from(is_sold), Ordering::SeqCst);
        }
    });
    join_all(buyers).await;
    let took = context.env.clock.monotonic().saturating_sub(begun);
    sold.load(Ordering::SeqCst) as f64 / took.as_secs_f64()
}

async fn open(load: &Load, client: &Client, wanted: usize) -> Vec<Ready> {
    let next = AtomicUsize::new(0);
    let openers = (0..OPENERS).map(|_| async {
        let mut opened = Vec::new();
        loop {
            let nth = next.fetch_add(1, Ordering::SeqCst);
            if nth >= wanted {
                return opened;
            }
            opened.extend(open_one(load, client, nth).await);
        }
    });
    join_all(openers).await.into_iter().flatten().collect()
}

async fn open_one(load: &Load, client: &Client, nth: usize) -> Option<Ready> {
    let variant = load.cold(nth).variant.clone();
    let cart = Cart::try_open(client, &[(&*variant, 1)]).await?;
    Some(Ready { cart, key: client.fresh_key(), variant })
}

/// What a buyer sees of a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Sold,
    /// With this status.
    Refused(u16),
    Unanswered,
}

async fn complete(load: &Load, ready: Ready) -> End {
    let Ready { cart, key, variant } = ready;
    let answer = cart.try_complete("tok_approved", &key).await;
    let status = answer.as_ref().ok().map(|reply| reply.status.as_u16());
    let outcome = Outcome::of(answer);
    let end = match (&outcome, status) {
        (Outcome::Ok(_), _) => End::Sold,
        (_, Some(status)) => End::Refused(status),
        (_, None) => End::Unanswered,
    };
    let total_minor = cart.total()["amount"].as_i64().expect("a cart shows its total");
    load.journal.note(Entry { cart: cart.id, key, variant, units: 1, total_minor, outcome });
    end
}

/// What became of a flood.
#[derive(Default)]
struct Flood {
    /// Sold while they still came.
    meanwhile: u64,
    /// Before it was late.
    sold: u64,
    late: u64,
    /// By the status that refused them.
    refused: BTreeMap<u16, u64>,
    unanswered: u64,
    /// They found the crowd before the door, and did not get in.
    at_the_door: u64,
    left_over: Vec<Ready>,
    /// Until the last one was answered, or had given up.
    took: Duration,
}

/// Lets all of them go, evenly over this time. Who finds [`CROWD`] others waiting does not get in:
/// so many connections the shop does not take anyway.
async fn flood(context: &Context, load: &Load, carts: Vec<Ready>, time: Duration) -> Flood {
    let (env, all) = (&context.env, carts.len());
    let begun = env.clock.monotonic();
    let mut flood = Flood::default();
    let mut carts = carts.into_iter().enumerate().peekable();
    let mut under_way = FuturesUnordered::new();
    while carts.peek().is_some() {
        let passed = env.clock.monotonic().saturating_sub(begun);
        let due = (passed.as_secs_f64() / time.as_secs_f64() * all as f64) as usize;
        while let Some((_, ready)) = carts.next_if(|(nth, _)| *nth <= due) {
            if under_way.len() >= CROWD {
                flood.at_the_door += 1;
                flood.left_over.push(ready);
                continue;
            }
            under_way.push(async move {
                let came = env.clock.monotonic();
                let outcome = complete(load, ready).await;
                let now = env.clock.monotonic();
                (outcome, now.saturating_sub(came), now.saturating_sub(begun) <= time)
            });
        }
        // They go on while the next ones come.
        let ticked = env.timeout(TICK, async {
            while let Some(ended) = under_way.next().await {
                flood.count(ended);
            }
        });
        if ticked.await.is_some() {
            env.sleep(TICK).await;
        }
    }
    while let Some(ended) = under_way.next().await {
        flood.count(ended);
    }
    flood.took = env.clock.monotonic().saturating_sub(begun);
    flood
}

impl Flood {
    fn count(&mut self, (outcome, took, is_meanwhile): (End, Duration, bool)) {
        match outcome {
            End::Sold if took <= LATE => {
                self.sold += 1;
                self.meanwhile += u64::from(is_meanwhile);
            }
            End::Sold => self.late += 1,
            End::Refused(status) => *self.refused.entry(status).or_default() += 1,
            End::Unanswered => self.unanswered += 1,
        }
    }
}

async fn recovered(context: &Context, load: &Load, client: &Client) -> Duration {
    let begun = context.env.clock.monotonic();
    let what = "a checkout is as quick as ever after the flood";
    until_within(Duration::from_mins(3), what, async || {
        let ready = open_one(load, client, 0).await?;
        let came = context.env.clock.monotonic();
        let is_sold = complete(load, ready).await == End::Sold;
        let took = context.env.clock.monotonic().saturating_sub(came);
        (is_sold && took <= AT_REST).then_some(())
    })
    .await;
    context.env.clock.monotonic().saturating_sub(begun)
}
