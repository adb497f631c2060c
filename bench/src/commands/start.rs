//! `bench start`

use std::fs::File;
use std::io::BufWriter;
use std::time::Duration;

use super::Lab;
use crate::Outcome;
use crate::cli::{Start, Topology};
use crate::goods;
use crate::report::{Cell, Section, Table};
use crate::shop::{Home, Shop};

/// What one start took: as seen from outside, as the shop says.
struct Took {
    outside: Duration,
    inside_ms: u64,
    stop: Duration,
}

pub fn run(lab: &Lab, start: &Start) -> Outcome<Section> {
    let mut first = Vec::new();
    for _ in 0..start.runs {
        first.push(once(&lab.home()?)?);
    }
    let home = lab.home()?;
    once(&home)?;
    let mut second = Vec::new();
    for _ in 0..start.runs {
        second.push(once(&home)?);
    }
    let home = lab.home()?;
    fill(&home, start.variants)?;
    let mut big = Vec::new();
    for _ in 0..start.runs {
        big.push(once(&home)?);
    }
    let columns =
        ["shop", "median ms", "min ms", "max ms", "ready_ms (median)", "stop ms (median)"];
    let mut table = Table::new("", &columns);
    table.row(row("new: makes databases, signing key, staff account", first));
    table.row(row("empty, started before", second));
    table.row(row(&format!("{} variants", Cell::Count(start.variants.into())), big));
    Ok(Section {
        title: "Start".into(),
        how: format!(
            "From before the process is made to the first 200 of `/readyz`, asked every \
             millisecond; {} runs of each; `ready_ms` is what the shop says itself; the page cache \
             is warm; `stop` is SIGTERM to the end of the process.",
            start.runs
        ),
        tables: vec![table],
        ..Section::default()
    })
}

fn once(home: &Home) -> Outcome<Took> {
    let shop = Shop::start(home, Topology::Embedded, false)?;
    let (outside, inside_ms) = (shop.start, shop.ready_ms);
    Ok(Took { outside, inside_ms, stop: shop.stop()? })
}

/// Imports a file of so many variants while no shop runs.
pub fn fill(home: &Home, variants: u32) -> Outcome<()> {
    let path = home.path("catalog.csv");
    let written =
        File::create(&path).and_then(|file| goods::write_csv(BufWriter::new(file), variants, 25));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    let (file, data) = (path.display().to_string(), home.data().display().to_string());
    home.run(&["import", &file, "--currency", "EUR", "--data", &data])?;
    Ok(())
}

fn row(name: &str, mut all: Vec<Took>) -> Vec<Cell> {
    let ready_ms = median(all.iter().map(|took| took.inside_ms).collect());
    let stop = median(all.iter().map(|took| took.stop).collect());
    all.sort_by_key(|took| took.outside);
    let outside = |index: usize| Cell::ms(all.get(index).map_or(Duration::ZERO, |t| t.outside));
    vec![
        Cell::text(name),
        outside(all.len() / 2),
        outside(0),
        outside(all.len().saturating_sub(1)),
        Cell::Count(ready_ms),
        Cell::ms(stop),
    ]
}

fn median<T: Ord + Copy + Default>(mut all: Vec<T>) -> T {
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}
