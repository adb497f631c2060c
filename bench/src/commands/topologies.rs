//! `bench topologies`

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use super::Lab;
use crate::cli::{Checkout, Flow, Topologies, Topology};
use crate::load::checkout::{self, Loaded};
use crate::report::{self, Cell, Section, Table};
use crate::servers::{BROKER_PART, POSTGRES_PART, Servers};
use crate::shop::{ALL_IN_ONE, SUPERVISOR};
use crate::{Outcome, clock};

const SERVICES: [&str; 6] = ["gateway", "identity", "catalog", "inventory", "ordering", "payment"];
const CLIENT: &str = "load generator";
/// What was begun at the start has ended by then.
const IDLE: Duration = Duration::from_secs(5);

/// What one topology showed.
struct Seen {
    topology: Topology,
    start: Duration,
    starts: BTreeMap<String, Duration>,
    idle_kib: BTreeMap<String, u64>,
    loaded: Loaded,
}

/// Builds what is measured. The shop and each service alone have different features, so that much is
/// built twice.
pub fn build() -> Outcome<()> {
    let cargo = |arguments: &[String]| {
        let status = Command::new("cargo").args(["build", "--release"]).args(arguments).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("cargo build: {status}")),
            Err(error) => Err(format!("cargo: {error}")),
        }
    };
    cargo(&["--package=mercat".to_owned(), "--features=servers".to_owned()])?;
    let names = SERVICES.map(|name| format!("--package={name}"));
    let features = SERVICES.map(|name| format!("--features={name}/process"));
    cargo(&[names, features].concat())
}

pub async fn run(lab: &Lab, all: &Topologies) -> Outcome<Section> {
    let chosen = if all.only.is_empty() { &Topology::ALL[..] } else { &all.only };
    let (mut seen, mut notes, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for topology in chosen {
        if topology.has_processes()
            && let Err(error) = Servers::of(*topology)
        {
            notes.push(format!("{}: left out, {error}", topology.name()));
            continue;
        }
        report::note(format_args!("{}: {}", clock::date(), topology.name()));
        let one = measure(lab, all, *topology).await?;
        let named = |text: &String| format!("{}: {text}", topology.name());
        failures.extend(one.loaded.audit.failures.iter().map(named));
        let errors = one.loaded.tally.errors.iter();
        failures.extend(errors.map(|(kind, count)| named(&format!("{count} × {kind}"))));
        if one.loaded.tally.counted == 0 {
            failures.push(named(&"nothing was bought".to_owned()));
        }
        notes.push(format!(
            "{}: {} orders read back and compared; {} events had their effect while measured",
            topology.name(),
            Cell::Count(one.loaded.audit.orders),
            Cell::Count(one.loaded.spent.delays.count()),
        ));
        seen.push(one);
    }
    let tables = vec![rates(&seen), cpu(&seen), memory(&seen), starts(&seen), sizes(lab)];
    Ok(Section { title: "Topologies".into(), how: how(all), tables, notes, failures })
}

fn how(all: &Topologies) -> String {
    let Topologies { buyers, seconds, .. } = all;
    format!(
        "{buyers} buyers, each with one connection, do what they do in `bench checkout` (an empty \
         cart, one line, e-mail and address, complete; again), {seconds} s after 3 s of warm-up, \
         on one topology after another; every order is read back. All of it, the buyers and the \
         servers too, shares this machine. An event's delay is from its publisher's decision to \
         the committed effect at a consumer, over all consumers; within a bucket of the histogram \
         it is taken as evenly spread."
    )
}

async fn measure(lab: &Lab, all: &Topologies, topology: Topology) -> Outcome<Seen> {
    let load = Checkout {
        buyers: all.buyers,
        seconds: all.seconds,
        warm_up: 3,
        skus: 200,
        hot: 3,
        hot_percent: 50,
        lines: 1,
        flow: Flow::Full,
        topology,
    };
    let home = lab.home()?;
    let shop = checkout::open_shop(&home, &load, false).await?;
    let starts = shop.starts(&home);
    clock::sleep(IDLE).await;
    let idle_kib = shop.memory_by_part();
    let loaded = checkout::run(&home, &shop, &load).await?;
    let start = shop.start;
    shop.stop()?;
    Ok(Seen { topology, start, starts, idle_kib, loaded })
}

impl Seen {
    /// Microseconds of CPU for one checkout.
    fn each(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.loaded.tally.counted.max(1) as f64
    }

    fn of_part(&self, part: &str) -> Option<Duration> {
        if part == CLIENT {
            return Some(self.loaded.spent.client);
        }
        self.loaded.spent.parts.get(part).copied()
    }
}

fn dash(cell: Option<Cell>) -> Cell {
    cell.unwrap_or_else(|| Cell::text("–"))
}

fn rates(seen: &[Seen]) -> Table {
    let columns = [
        "topology",
        "checkouts/s",
        "p50 ms",
        "p99 ms",
        "complete p50 ms",
        "complete p99 ms",
        "event delay p50 ms",
        "event delay p99 ms",
        "shop CPU µs",
        "PostgreSQL CPU µs",
        "broker CPU µs",
        "client CPU µs",
    ];
    let mut table = Table::new("Checkouts, and the CPU time that one takes", &columns);
    for one in seen {
        let (tally, spent) = (&one.loaded.tally, &one.loaded.spent);
        let ms = |times: f64| Cell::Number(times, 1);
        let delay = |part: f64| dash(spent.delays.quantile_ms(part).map(ms));
        let each = |cpu: Duration| Cell::Number(one.each(cpu), 0);
        table.row(vec![
            Cell::text(one.topology.name()),
            Cell::Number(tally.counted as f64 / spent.time.as_secs_f64(), 0),
            ms(tally.checkouts.quantile_ms(0.5)),
            ms(tally.checkouts.quantile_ms(0.99)),
            ms(tally.completions.quantile_ms(0.5)),
            ms(tally.completions.quantile_ms(0.99)),
            delay(0.5),
            delay(0.99),
            each(spent.server),
            dash(one.of_part(POSTGRES_PART).map(each)),
            dash(one.of_part(BROKER_PART).map(each)),
            each(spent.client),
        ]);
    }
    table
}

/// A row for each process, a column for each topology.
fn by_process(
    title: &str,
    rows: &[&str],
    seen: &[Seen],
    cell: impl Fn(&Seen, &str) -> Option<Cell>,
) -> Table {
    let columns: Vec<&str> =
        std::iter::once("process").chain(seen.iter().map(|one| one.topology.name())).collect();
    let mut table = Table::new(title, &columns);
    for row in rows {
        let cells = seen.iter().map(|one| cell(one, row));
        let cells: Vec<Option<Cell>> = cells.collect();
        if cells.iter().any(Option::is_some) {
            let mut all = vec![Cell::text(*row)];
            all.extend(cells.into_iter().map(dash));
            table.row(all);
        }
    }
    table
}

fn rows() -> Vec<&'static str> {
    let mut rows = vec![ALL_IN_ONE];
    rows.extend(SERVICES);
    rows.extend([SUPERVISOR, POSTGRES_PART, BROKER_PART]);
    rows
}

fn cpu(seen: &[Seen]) -> Table {
    let mut names = rows();
    names.push(CLIENT);
    by_process("CPU by process, µs a checkout", &names, seen, |one, part| {
        one.of_part(part).map(|cpu| Cell::Number(one.each(cpu), 0))
    })
}

fn memory(seen: &[Seen]) -> Table {
    let title = "Memory, MB idle / at the end of the load (RSS; of the servers PSS)";
    by_process(title, &rows(), seen, |one, part| {
        let (idle, load) = (one.idle_kib.get(part)?, one.loaded.parts_kib.get(part)?);
        Some(Cell::text(format!("{} / {}", Cell::mb(*idle), Cell::mb(*load))))
    })
}

fn starts(seen: &[Seen]) -> Table {
    const WHOLE: &str = "whole shop, on new databases";
    let mut names = vec![WHOLE];
    names.extend(SERVICES);
    by_process("Start, ms from the process to ready", &names, seen, |one, part| {
        if part == WHOLE {
            return Some(Cell::Number(one.start.as_secs_f64() * 1e3, 0));
        }
        one.starts.get(part).map(|took| Cell::Number(took.as_secs_f64() * 1e3, 0))
    })
}

/// The program, and the binaries of the services that lie beside it.
fn sizes(lab: &Lab) -> Table {
    let mut table = Table::new("Size of the binaries", &["binary", "MB"]);
    for name in std::iter::once("mercat").chain(SERVICES) {
        let path =
            if name == "mercat" { lab.mercat.clone() } else { lab.mercat.with_file_name(name) };
        if let Ok(file) = std::fs::metadata(&path) {
            table.row(vec![Cell::text(name), Cell::Number(file.len() as f64 / 1e6, 1)]);
        }
    }
    table
}
