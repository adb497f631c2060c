//! F16: the clock of the machine jumps two hours ahead, back, two hours behind, and back. Time that
//! is measured and not told goes on as ever, as it does on a real machine.

use std::path::Path;
use std::time::Duration;

use super::weather::Context;
use super::wrapped::Wrapped;
use crate::report::RowReport;

/// Where Debian and others put it.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
];
const JUMPS: [&str; 4] = ["+7200", "+0", "-7200", "+0"];

pub async fn run(context: &mut Context) -> RowReport {
    let Some(library) = LIBRARIES.into_iter().find(|path| Path::new(path).exists()) else {
        return RowReport::skip(
            "there is no libfaketime here (Debian: apt-get install libfaketime)",
        );
    };
    let before = format!(
        "test -e clock || printf '+0' > clock\n\
         export FAKETIME_TIMESTAMP_FILE=\"$PWD/clock\" FAKETIME_NO_CACHE=1 \
         FAKETIME_DONT_FAKE_MONOTONIC=1 LD_PRELOAD={library}"
    );
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
                // In one step: the shop reads it all the time.
                let next = clock.with_extension("next");
                std::fs::write(&next, jump)
                    .and_then(|()| std::fs::rename(&next, &clock))
                    .map_err(|error| error.to_string())?;
                load.purchases_go_on(3, &format!("the clock went to {jump} s")).await;
                context.env.sleep(stay).await;
                report.runs += 1;
            }
            Ok(())
        })
        .await
}
