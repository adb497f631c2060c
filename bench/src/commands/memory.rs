//! `bench memory`

use std::time::Duration;

use super::{Lab, start};
use crate::cli::{Memory, Topology};
use crate::load::checkout;
use crate::measure::proc;
use crate::report::{Cell, Section, Table};
use crate::shop::Shop;
use crate::{Outcome, clock};

/// What was begun at the start has ended by then.
const IDLE: Duration = Duration::from_secs(5);

pub async fn run(lab: &Lab, memory: &Memory) -> Outcome<Section> {
    let mut table = Table::new("", &["shop", "RSS MB", "peak RSS MB", "PSS MB"]);
    let home = lab.home()?;
    Shop::start(&home, Topology::Embedded, true)?.stop()?;
    table.row(row("idle, demo shop", idle(&Shop::start(&home, Topology::Embedded, false)?).await?));
    let home = lab.home()?;
    let fresh = Shop::start(&home, Topology::Embedded, true)?;
    table.row(row("idle, demo shop, just loaded for the first time", idle(&fresh).await?));
    drop(fresh);

    let home = lab.home()?;
    start::fill(&home, memory.variants)?;
    let shop = Shop::start(&home, Topology::Embedded, false)?;
    let name = format!("idle, {} variants", Cell::Count(memory.variants.into()));
    table.row(row(&name, idle(&shop).await?));
    drop(shop);

    let home = lab.home()?;
    let load = &memory.checkout;
    let shop = checkout::open_shop(&home, load, false).await?;
    let loaded = checkout::run(&home, &shop, load).await?;
    let rate = loaded.tally.counted as f64 / loaded.spent.time.as_secs_f64();
    let name = format!("under load, the most ({} checkouts/s)", Cell::Number(rate, 0));
    table.row(row(&name, loaded.memory));
    table.row(row("idle again after the load", idle(&shop).await?));
    Ok(Section {
        title: "Memory".into(),
        how: format!(
            "Of the one process, from `/proc`; idle is {} s after what came before; the load is \
             {} buyers for {} s, looked at ten times a second. PSS counts pages that other \
             processes share in part only.",
            IDLE.as_secs(),
            load.buyers,
            load.seconds
        ),
        tables: vec![table],
        failures: loaded.audit.failures,
        ..Section::default()
    })
}

async fn idle(shop: &Shop) -> Outcome<proc::Memory> {
    clock::sleep(IDLE).await;
    shop.memory()
}

fn row(name: &str, memory: proc::Memory) -> Vec<Cell> {
    let proc::Memory { rss_kib, peak_kib, pss_kib } = memory;
    vec![Cell::text(name), Cell::mb(rss_kib), Cell::mb(peak_kib), Cell::mb(pss_kib)]
}
