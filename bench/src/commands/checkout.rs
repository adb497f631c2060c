//! `bench checkout`

use std::time::Duration;

use super::Lab;
use crate::Outcome;
use crate::cli::{Checkout, Flow};
use crate::load::buyer::Tally;
use crate::load::checkout::{self, Loaded};
use crate::measure::histogram::Histogram;
use crate::measure::watch::Spent;
use crate::report::{Cell, Section, Table};

pub async fn run(lab: &Lab, load: &Checkout) -> Outcome<Section> {
    let home = lab.home()?;
    let shop = checkout::open_shop(&home, load, false).await?;
    let loaded = checkout::run(&home, &shop, load).await?;
    let Loaded { tally, spent, memory, audit, .. } = &loaded;
    let mut figures = rates(tally, spent);
    if !load.topology.has_processes() {
        figures.figure("memory of the shop, the most", Cell::mb(memory.rss_kib), "MB RSS");
    }
    figures.figure("stock settled after the load", Cell::ms(audit.settled_after), "ms");
    let mut failures = audit.failures.clone();
    failures.extend(tally.errors.iter().map(|(kind, count)| format!("{count} × {kind}")));
    if tally.counted == 0 {
        failures.push("nothing was bought".to_owned());
    }
    Ok(Section {
        title: title(load),
        how: how(load),
        tables: vec![
            figures,
            latencies(tally),
            cpu(tally, spent),
            threads(tally, spent),
            store(tally, spent),
        ],
        notes: vec![format!(
            "read back and compared, order by order: {} orders; {} units ordered, {} gone from \
             stock; {} errors",
            Cell::Count(audit.orders),
            audit.units_ordered,
            audit.units_gone,
            tally.errors.values().sum::<u64>()
        )],
        failures,
    })
}

fn title(load: &Checkout) -> String {
    let flow = match load.flow {
        Flow::Full => "step by step",
        Flow::Short => "in two requests",
    };
    let lines = if load.lines == 1 { "1 line".to_owned() } else { format!("{} lines", load.lines) };
    format!("Checkout, {flow}, {lines}, {}", load.topology.name())
}

fn how(load: &Checkout) -> String {
    let Checkout { buyers, seconds, warm_up, skus, hot, hot_percent, lines, .. } = load;
    let flow = match load.flow {
        Flow::Full => format!(
            "open an empty cart, add {lines} line(s) one by one, set e-mail and address, complete"
        ),
        Flow::Short => {
            format!("open a cart with {lines} line(s), e-mail and address, complete")
        }
    };
    format!(
        "{buyers} buyers, each with one connection: {flow} (`tok_approved`, an idempotency key), \
         and again. {hot_percent} % of the lines are of {hot} hot variants, the others of {skus}; \
         1 to 3 units; shipping and 19 % tax. Counted is what was confirmed with the right total \
         in {seconds} s after {warm_up} s of warm-up; then every order is read back through the \
         API."
    )
}

fn rates(tally: &Tally, spent: &Spent) -> Table {
    let mut table = Table::figures("");
    let rate = tally.counted as f64 / spent.time.as_secs_f64();
    table.figure("checkouts", Cell::Number(rate, 0), "a second");
    table.figure("checkouts measured", Cell::Count(tally.counted), "");
    table
}

fn latencies(tally: &Tally) -> Table {
    let mut table = Table::new("Latency", &["", "p50 ms", "p90 ms", "p99 ms", "max ms"]);
    let mut row = |name: &str, times: &Histogram| {
        let mut cells = vec![Cell::text(name)];
        cells.extend([0.5, 0.9, 0.99].map(|part| Cell::Number(times.quantile_ms(part), 2)));
        cells.push(Cell::Number(times.max_ms(), 2));
        table.row(cells);
    };
    row("whole checkout", &tally.checkouts);
    row("complete", &tally.completions);
    table
}

/// Microseconds of CPU for one checkout.
fn each(cpu: Duration, tally: &Tally) -> Cell {
    Cell::Number(cpu.as_secs_f64() * 1e6 / tally.counted.max(1) as f64, 0)
}

fn cores(cpu: Duration, spent: &Spent) -> Cell {
    Cell::Number(cpu.as_secs_f64() / spent.time.as_secs_f64(), 2)
}

fn cpu(tally: &Tally, spent: &Spent) -> Table {
    let mut table = Table::new("CPU", &["", "µs a checkout", "cores"]);
    let others = spent.machine.saturating_sub(spent.server + spent.client);
    for (name, cpu) in [
        ("whole machine", spent.machine),
        ("shop", spent.server),
        ("load generator", spent.client),
        ("kernel and other processes", others),
        ("taken by the host", spent.stolen),
    ] {
        table.row(vec![Cell::text(name), each(cpu, tally), cores(cpu, spent)]);
    }
    table
}

fn threads(tally: &Tally, spent: &Spent) -> Table {
    let mut table = Table::new("CPU of the shop's threads", &["thread", "µs a checkout", "cores"]);
    let mut threads: Vec<_> = spent.threads.iter().filter(|(_, cpu)| !cpu.is_zero()).collect();
    threads.sort_by_key(|(_, cpu)| std::cmp::Reverse(**cpu));
    for (name, cpu) in threads {
        table.row(vec![Cell::text(name), each(*cpu, tally), cores(*cpu, spent)]);
    }
    table
}

fn store(tally: &Tally, spent: &Spent) -> Table {
    let columns = ["service", "statements a checkout", "commits a checkout", "commits/s"];
    let mut table = Table::new("Databases", &columns);
    let per = |count: u64| Cell::Number(count as f64 / tally.counted.max(1) as f64, 3);
    let mut row = |name: &str, statements: u64, commits: u64| {
        let rate = Cell::Number(commits as f64 / spent.time.as_secs_f64(), 0);
        table.row(vec![Cell::text(name), per(statements), per(commits), rate]);
    };
    let counters = &spent.counters;
    for (service, statements) in &counters.statements {
        row(service, *statements, counters.commits.get(service).copied().unwrap_or(0));
    }
    row("all", counters.statements.values().sum(), counters.commits.values().sum());
    table
}
