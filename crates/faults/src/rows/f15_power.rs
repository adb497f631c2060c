//! F15: what a loss of power would cost. `strace` writes down what the shop asks of the disk while
//! buyers buy: whoever is told that a write is done is told after the log was synced.
//!
//! The rule is checked at each writer thread, which alone writes its database: between a write to
//! the log (`…-wal`) and the next word to another thread (a futex, or a pipe that wakes the runtime)
//! there is an `fdatasync` of that log. A shop that is told not to sync must fail this check, or the
//! check is worth nothing.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use testkit::until_within;

use super::weather::Context;
use super::wrapped::Wrapped;
use crate::report::RowReport;

const CALLS: &str = "pwrite64,write,fdatasync,fsync,futex,sendto,writev";

pub async fn run(context: &mut Context) -> RowReport {
    if !can_trace() {
        return RowReport::skip(
            "strace is missing here, or may not trace (Debian: apt-get install strace)",
        );
    }
    let mut report = match audited(context, "").await {
        Ok((report, audit)) => judged(report, &audit),
        Err(error) => return RowReport::skip(error),
    };
    match audited(context, "--unsafe-no-sync").await {
        Ok((_, audit)) if audit.unsynced == 0 => {
            report
                .violations
                .push("the audit finds nothing in a shop that does not sync".to_owned());
        }
        Ok((_, audit)) => report.note(format!(
            "without syncing, the same audit finds {} of {} batches unsynced",
            audit.unsynced, audit.batches
        )),
        Err(error) => report.violations.push(error),
    }
    report
}

fn judged(mut report: RowReport, audit: &Audit) -> RowReport {
    report.runs = audit.batches;
    report.note(format!(
        "{} batches were written to logs, with {} syncs of them",
        audit.batches, audit.syncs
    ));
    if audit.batches == 0 {
        report.violations.push("the trace holds no write to a log".to_owned());
    }
    report.violations.extend(audit.examples.iter().cloned());
    report
}

async fn audited(context: &Context, last: &str) -> Result<(RowReport, Audit), String> {
    let failed = |error: std::io::Error| error.to_string();
    let traces = tempfile::tempdir().map_err(failed)?;
    let trace = traces.path().join("trace");
    // -D: the tracer is a grandchild, so that the shop keeps the id that it was started with.
    let strace = format!("strace -D -f -y -q -s 24 -e trace={CALLS} -o '{}'", trace.display());
    let wrapped = Wrapped::new(&context.settings.program, "", (&strace, last)).map_err(failed)?;
    let load = context.wrapped(&wrapped).await;
    let time = context.settings.pick(Duration::from_secs(2), Duration::from_secs(30));
    let report = context
        .weather(&load, async |_report| {
            context.env.sleep(time).await;
            Ok(())
        })
        .await;
    load.house.shop().kill();
    let audit = until_within(Duration::from_mins(1), "the trace is written", async || {
        Audit::of(&trace).ok().filter(|audit| audit.has_ended)
    });
    Ok((report, audit.await))
}

fn can_trace() -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "-o", "/dev/null", "true"]).stderr(Stdio::null());
    strace.status().is_ok_and(|status| status.success())
}

/// What a trace tells.
#[derive(Debug, Default)]
struct Audit {
    /// Times that a log was written to and then synced, or should have been.
    batches: u64,
    syncs: u64,
    unsynced: u64,
    examples: Vec<String>,
    /// The last process of it was killed.
    has_ended: bool,
}

impl Audit {
    fn of(trace: &Path) -> std::io::Result<Self> {
        Ok(Self::read(&String::from_utf8_lossy(&std::fs::read(trace)?)))
    }

    fn read(text: &str) -> Self {
        let mut audit = Self::default();
        // By thread: the log that it has written to and not synced.
        let mut dirty: HashMap<&str, &str> = HashMap::new();
        for line in text.lines() {
            let Some((thread, call)) = line.split_once(' ') else { continue };
            let call = call.trim_start();
            audit.has_ended |= call.starts_with("+++ killed") || call.starts_with("+++ exited");
            let log = file_of(call).filter(|file| file.ends_with("-wal"));
            match log {
                Some(log) if call.starts_with("pwrite64(") => {
                    audit.batches += u64::from(dirty.insert(thread, log).is_none());
                }
                Some(_) if call.starts_with("fdatasync(") || call.starts_with("fsync(") => {
                    audit.syncs += 1;
                    dirty.remove(thread);
                }
                _ if wakes(call) => {
                    if let Some(log) = dirty.remove(thread) {
                        audit.unsynced += 1;
                        if audit.examples.len() < 3 {
                            audit.examples.push(format!("{log} was not synced before: {line}"));
                        }
                    }
                }
                _ => {}
            }
        }
        audit
    }
}

/// The path that `strace -y` tells of the first argument.
fn file_of(call: &str) -> Option<&str> {
    let (_, rest) = call.split_once('<')?;
    rest.split_once('>').map(|(file, _)| file)
}

/// Whether somebody else hears of something by this.
fn wakes(call: &str) -> bool {
    let wakes = call.starts_with("futex(") && call.contains("FUTEX_WAKE");
    wakes || ["write(", "writev(", "sendto("].iter().any(|name| call.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITE: &str = "7 pwrite64(9</d/ordering.db-wal>, \"\\0\"..., 4096, 32) = 4096\n";
    const SYNC: &str = "7 fdatasync(9</d/ordering.db-wal>) = 0\n";
    const TELL: &str = "7 futex(0x7f, FUTEX_WAKE_PRIVATE, 1) = 1\n";

    #[test]
    fn telling_before_syncing_is_found_and_after_it_is_not() {
        let audit = Audit::read(&[WRITE, WRITE, SYNC, TELL].concat());
        assert_eq!((audit.batches, audit.syncs, audit.unsynced), (1, 1, 0));
        let audit = Audit::read(&[WRITE, TELL, SYNC].concat());
        assert_eq!((audit.batches, audit.unsynced), (1, 1));
    }

    #[test]
    fn what_other_threads_do_meanwhile_says_nothing_of_this_one() {
        let other = TELL.replacen('7', "8", 1);
        let audit = Audit::read(&[WRITE, &other, SYNC].concat());
        assert_eq!(audit.unsynced, 0);
        let elsewhere = "7 fdatasync(9</d/payment.db>) = 0\n";
        let audit =
            Audit::read(&[WRITE, elsewhere, TELL, "7 +++ killed by SIGKILL +++\n"].concat());
        assert_eq!((audit.unsynced, audit.has_ended), (1, true));
    }
}
