//! `bench browse`

use std::rc::Rc;
use std::time::Duration;

use super::{Lab, start};
use crate::Outcome;
use crate::cli::{Browse, Topology};
use crate::goods;
use crate::load::visitor::{self, Kind, Known, Tally};
use crate::measure::watch::Spent;
use crate::report::{Cell, Section, Table};
use crate::shop::Shop;

/// Every so manyth product is asked for.
const SAMPLE: usize = 7;

pub async fn run(lab: &Lab, browse: &Browse) -> Outcome<Section> {
    let home = lab.home()?;
    start::fill(&home, browse.variants)?;
    let shop = Shop::start(&home, Topology::Embedded, false)?;
    let products = goods::products(browse.variants).step_by(SAMPLE);
    let (handles, titles) = products.map(|product| (product.handle, product.title)).unzip();
    let known = Rc::new(Known { handles, titles });
    let columns =
        ["request", "requests/s", "p50 ms", "p90 ms", "p99 ms", "max ms", "kB", "shop CPU µs"];
    let mut table = Table::new("", &columns);
    let mut failures = Vec::new();
    for kind in Kind::ALL {
        let time = Duration::from_secs(browse.seconds.into());
        let (tally, spent) = visitor::run(&shop, kind, &known, browse.connections, time).await?;
        table.row(row(kind, &tally, &spent));
        let errors = tally.errors.iter();
        failures.extend(errors.map(|(error, count)| format!("{}: {count} × {error}", kind.name())));
        if tally.counted == 0 {
            failures.push(format!("{}: nothing was answered", kind.name()));
        }
    }
    let memory = shop.memory()?;
    Ok(Section {
        title: "Browse".into(),
        how: format!(
            "{} connections, each asking again as soon as it was answered, {} s of each kind after \
             1 s of warm-up, on a catalog of {} variants.",
            browse.connections,
            browse.seconds,
            Cell::Count(browse.variants.into())
        ),
        tables: vec![table],
        notes: vec![format!(
            "memory of the shop afterwards: {} MB RSS, at most {} MB",
            Cell::mb(memory.rss_kib),
            Cell::mb(memory.peak_kib)
        )],
        failures,
    })
}

fn row(kind: Kind, tally: &Tally, spent: &Spent) -> Vec<Cell> {
    let count = tally.counted.max(1) as f64;
    let mut cells = vec![
        Cell::text(kind.name()),
        Cell::Number(tally.counted as f64 / spent.time.as_secs_f64(), 0),
    ];
    cells.extend([0.5, 0.9, 0.99].map(|part| Cell::Number(tally.latency.quantile_ms(part), 2)));
    cells.extend([
        Cell::Number(tally.latency.max_ms(), 2),
        Cell::Number(tally.bytes as f64 / 1e3 / count, 1),
        Cell::Number(spent.server.as_secs_f64() * 1e6 / count, 0),
    ]);
    cells
}
