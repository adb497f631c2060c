//! F16: clocks are wrong by two hours. First that of the machine jumps ahead, back, behind and back;
//! then, in a shop of processes, one process after another is ahead of all others, and behind them.

use std::time::Duration;

use super::weather::Context;
use super::wrapped::Wrapped;
use crate::clocks;
use crate::fleet::{BrokerKind, Plan};
use crate::report::RowReport;

const JUMPS: [&str; 4] = ["+7200", clocks::RIGHT, "-7200", clocks::RIGHT];
const WRONG: [&str; 2] = ["+7200", "-7200"];
/// Of replicas the first: the second knows the time.
const SKEWED: [&str; 6] =
    ["ordering-1", "inventory-1", "payment-1", "identity-1", "catalog-1", "gateway-1"];

pub async fn run(context: &mut Context) -> RowReport {
    let Some(library) = clocks::library() else {
        return RowReport::skip(
            "there is no libfaketime here (Debian: apt-get install libfaketime)",
        );
    };
    let mut report = jumping(context, library).await;
    if context.settings.is_short || report.skipped.is_some() {
        return report;
    }
    match apart(context, library).await {
        Ok(second) => {
            report.topology = format!("{}, and {}", report.topology, second.topology);
            report.merge(second);
        }
        Err(error) => report.note(format!("not run in processes: {error}")),
    }
    report
}

/// One process, whose time is the only one there is.
async fn jumping(context: &Context, library: &str) -> RowReport {
    let world = clocks::variables(library, "clock".as_ref());
    let world = world.map(|(name, value)| match name.as_str() {
        "FAKETIME_TIMESTAMP_FILE" => format!("{name}=\"$PWD/{value}\""),
        _ => format!("{name}={value}"),
    });
    let right = clocks::RIGHT;
    let before = format!("test -e clock || printf '{right}' > clock\nexport {}", world.join(" "));
    let wrapped = match Wrapped::new(&context.settings.program, &before, ("", "")) {
        Ok(wrapped) => wrapped,
        Err(error) => return RowReport::skip(error.to_string()),
    };
    let load = context.wrapped(&wrapped).await;
    let turns = context.settings.pick(1, 4);
    let stay = context.settings.pick(Duration::from_secs(2), Duration::from_secs(8));
    context
        .weather(&load, async |report| {
            let clock = load.house.shop().folder().join("clock");
            for jump in (0..turns).flat_map(|_| JUMPS) {
                clocks::set(&clock, jump).map_err(|error| error.to_string())?;
                load.purchases_go_on(3, &format!("the clock went to {jump} s")).await;
                context.env.sleep(stay).await;
                report.runs += 1;
            }
            Ok(())
        })
        .await
}

/// Processes that do not agree what time it is.
async fn apart(context: &Context, library: &'static str) -> Result<RowReport, String> {
    let settings = Vec::new();
    let plan = Plan { broker: BrokerKind::Kafka, replicas: 2, settings, clocks: Some(library) };
    let load = context.new_fleet(&plan).await?;
    let stay = context.settings.each / 10;
    let report = context.weather(&load, async |report| {
        let fleet = load.house.fleet();
        for (name, offset) in SKEWED.iter().flat_map(|name| WRONG.map(|offset| (name, offset))) {
            let place = fleet.place(name);
            let sold = load.tally.sold_in_all();
            fleet.set_clock(place, offset)?;
            context.env.sleep(stay).await;
            let during = load.tally.sold_in_all() - sold;
            fleet.set_clock(place, clocks::RIGHT)?;
            load.purchases_go_on(3, &format!("the clock of {name} was {offset} s off")).await;
            report.note(format!("{name} was {offset} s off: {during} sold meanwhile"));
            report.runs += 1;
        }
        Ok(())
    });
    Ok(report.await)
}
