//! The checkout load: many buyers, a warm-up, a measured time, then everything is read back.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::buyer::{Buyer, Plan, Tally};
use super::{Phase, Stage, shelf, verify};
use crate::cli::Checkout;
use crate::measure::proc::Memory;
use crate::measure::watch::{Moment, Spent};
use crate::shop::{Home, Shop};
use crate::staff::Admin;
use crate::{Outcome, clock};

const MEMORY_EVERY: Duration = Duration::from_millis(100);

/// What a load showed.
pub struct Loaded {
    pub tally: Tally,
    pub spent: Spent,
    /// The most memory while it ran, by each measure.
    pub memory: Memory,
    /// Memory in KiB of the shop's processes and its servers when the load ended.
    pub parts_kib: BTreeMap<String, u64>,
    pub audit: verify::Audit,
}

/// Puts goods into an empty home and starts a shop on it.
pub async fn open_shop(home: &Home, load: &Checkout, demo: bool) -> Outcome<Shop> {
    let variants = load.skus + load.hot;
    if load.topology.has_processes() {
        let shop = Shop::start(home, load.topology, demo)?;
        shelf::upload(home, &shop, variants).await?;
        return Ok(shop);
    }
    shelf::stock(home, variants)?;
    Shop::start(home, load.topology, demo)
}

/// Buys, and checks everything that was bought.
pub async fn run(home: &Home, shop: &Shop, load: &Checkout) -> Outcome<Loaded> {
    let mut admin = Admin::of(home, shop).await?;
    shelf::set_prices(&mut admin).await?;
    let mut hot = shelf::items(&mut admin, load.skus + load.hot).await?;
    let cold = hot.split_off(load.hot as usize);
    let plan =
        Plan { flow: load.flow, lines: load.lines, hot_percent: load.hot_percent, hot, cold };
    let (tally, spent, memory, parts_kib) = drive(shop, load, Rc::new(plan)).await?;
    let audit = verify::audit(&mut admin, &tally).await?;
    Ok(Loaded { tally, spent, memory, parts_kib, audit })
}

type Driven = (Tally, Spent, Memory, BTreeMap<String, u64>);

async fn drive(shop: &Shop, load: &Checkout, plan: Rc<Plan>) -> Outcome<Driven> {
    let mut internals = shop.internals();
    let stage = Stage::default();
    let mut buyers = JoinSet::new();
    for number in 0..load.buyers {
        let buyer = Buyer::new(number, plan.clone(), shop.connect());
        buyers.spawn_local(buyer.run(stage.clone()));
    }
    let mut watching = JoinSet::new();
    watching.spawn_local(most_memory(shop.pid, stage.clone()));

    clock::sleep(Duration::from_secs(load.warm_up.into())).await;
    let begin = Moment::read(shop, &mut internals).await?;
    stage.enter(Phase::Measured);
    clock::sleep(Duration::from_secs(load.seconds.into())).await;
    let end = Moment::read(shop, &mut internals).await?;
    let parts_kib = shop.memory_by_part();
    stage.enter(Phase::Over);

    let mut tally = Tally::default();
    while let Some(ended) = buyers.join_next().await {
        tally.merge(ended.map_err(|error| format!("a buyer: {error}"))?);
    }
    let Some(Ok(memory)) = watching.join_next().await else {
        return Err("nobody watched the memory".to_owned());
    };
    Ok((tally, begin.until(&end), memory, parts_kib))
}

async fn most_memory(pid: u32, stage: Stage) -> Memory {
    let mut most = Memory::default();
    while !stage.is_over() {
        if let Some(memory) = Memory::of(pid) {
            most.rss_kib = most.rss_kib.max(memory.rss_kib);
            most.pss_kib = most.pss_kib.max(memory.pss_kib);
            most.peak_kib = most.peak_kib.max(memory.peak_kib);
        }
        clock::sleep(MEMORY_EVERY).await;
    }
    most
}
