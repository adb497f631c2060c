//! `bench outbox`

use crate::Outcome;
use crate::cli::Outbox;
use crate::outbox::{self, Seen};
use crate::report::{Cell, Section, Table};
use crate::servers::{self, KAFKA, POSTGRES};

/// What is asked of the delay from decision to broker.
const P99_MS: f64 = 1000.0;

pub fn run(load: &Outbox) -> Outcome<Section> {
    let postgres = servers::told(POSTGRES)?;
    let kafka = if load.in_memory { None } else { Some(servers::told(KAFKA)?) };
    // This thread has a runtime already.
    let seen = std::thread::scope(|scope| {
        scope.spawn(|| outbox::run(load, &postgres, kafka.as_deref())).join()
    });
    let seen = seen.map_err(|_| "the replicas' thread panicked".to_owned())??;
    Ok(Section {
        title: "Outbox".into(),
        how: how(load),
        tables: vec![table(&seen)],
        notes: Vec::new(),
        failures: failures(&seen),
    })
}

fn how(load: &Outbox) -> String {
    let Outbox { seconds, writers, pause_ms, things, in_memory } = load;
    let broker = if *in_memory { "a broker in memory" } else { "Kafka" };
    format!(
        "{writers} writers over two replicas on one PostgreSQL, {seconds} s: each changes 1 to 12 \
         of {things} aggregates with one or two events each, every fourth time in vain, and waits \
         {pause_ms} ms. All the time a transaction of another database on that server is open; \
         every 5 s a third of the relays' leases is taken away; in the middle one replica is \
         killed and 3 s later another started. Delays are from the decision to the confirmation \
         of {broker}."
    )
}

fn table(seen: &Seen) -> Table {
    let Seen { delivered, .. } = seen;
    let mut table = Table::figures("");
    let seconds = seen.time.as_secs_f64();
    let mut count = |name: &str, value: u64| table.figure(name, Cell::Count(value), "");
    count("commands carried out", seen.commands);
    count("commands rejected, as they should be", seen.rejected);
    count("commands that failed", seen.failed);
    count("leases' thirds taken away", seen.leases_taken.into());
    count("events committed", seen.committed);
    count("events published", delivered.events);
    count("published again", delivered.twice);
    count("lost", delivered.lost);
    count("published, but never committed", delivered.from_nothing);
    count("ahead of one they follow", delivered.too_early);
    let rate = seen.committed as f64 / seconds;
    table.figure("rate", Cell::Number(rate, 0), "events/s");
    for (name, part) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
        let ms = Cell::Number(delivered.delays.quantile_ms(part), 1);
        table.figure(&format!("delay {name}"), ms, "ms");
    }
    table.figure("delay max", Cell::Number(delivered.delays.max_ms(), 1), "ms");
    table.figure("until the outbox was empty", Cell::ms(seen.drain), "ms");
    table
}

fn failures(seen: &Seen) -> Vec<String> {
    let Seen { delivered, .. } = seen;
    let mut failures = Vec::new();
    for (count, what) in [
        (delivered.lost, "events were committed and not published"),
        (delivered.from_nothing, "events were published that nobody committed"),
        (delivered.too_early, "events came ahead of one they follow"),
        (u64::from(seen.committed == 0), "run without an event"),
    ] {
        if count > 0 {
            failures.push(format!("{count} {what}"));
        }
    }
    let p99 = delivered.delays.quantile_ms(0.99);
    if p99 >= P99_MS {
        failures.push(format!("the delay's p99 is {p99:.0} ms; less than {P99_MS} is asked"));
    }
    failures
}
