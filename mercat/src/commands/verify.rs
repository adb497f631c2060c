//! `mercat verify`.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use checker::{Finding, Look, Report};
use platform::Env;

use super::choose_data;
use crate::cli::{VIOLATED, Verify};
use crate::config::Config;
use crate::output;

pub fn run(mut config: Config, command: &Verify) -> Result<ExitCode, String> {
    let on_servers = servers(&config, command)?;
    choose_data(&mut config, &command.data);
    let configured = command.ledger.clone().or(config.payment.test_provider.folder.clone());
    let provider = configured.unwrap_or_else(|| config.data.join("test-provider"));
    let look = match &on_servers {
        Some(servers) => Look::of(servers.place(), &provider),
        None => Look {
            now: is_in_use(&config.data).then(|| Env::system().now()),
            ..Look::at(&config.data, &provider)
        },
    };
    let look = Look {
        quiet_after: Duration::from_secs(command.quiet_after.into()),
        named: command.show,
        ..look
    };
    let report = checker::verify(&look).map_err(|error| error.to_string())?;
    if command.json {
        let text = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
        output::line(text);
    } else {
        tell(&report);
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::from(VIOLATED) })
}

/// Where the databases are, if they are on servers.
#[cfg(feature = "servers")]
fn servers(config: &Config, command: &Verify) -> Result<Option<checker::Servers>, String> {
    let configured = config.database.url.expose().contains("{service}");
    let is_named = !command.database.is_empty() || command.database_template.is_some();
    if !is_named && (command.data.data.is_some() || !configured) {
        return Ok(None);
    }
    let found = checker::Servers::each(|service| {
        let mut named = command.database.iter().filter(|(name, _)| name == service);
        if let Some((_, url)) = named.next() {
            return Ok(url.clone());
        }
        match &command.database_template {
            Some(template) if template.contains("{service}") => {
                Ok(template.replace("{service}", service))
            }
            Some(_) => Err("--database-template wants {service} in it".to_owned()),
            None if configured => config.database.url_of(service),
            None => Err(format!("where is {service}? name it with --database {service}=URL")),
        }
    });
    found.map(Some)
}

#[cfg(not(feature = "servers"))]
fn servers(_: &Config, command: &Verify) -> Result<Option<NoServers>, String> {
    if command.database.is_empty() && command.database_template.is_none() {
        Ok(None)
    } else {
        Err(crate::processes::NOT_IN_THIS_BUILD.to_owned())
    }
}

/// This build does not know of any.
#[cfg(not(feature = "servers"))]
enum NoServers {}

#[cfg(not(feature = "servers"))]
impl NoServers {
    fn place(&self) -> checker::Place<'_> {
        match *self {}
    }
}

/// Whether a shop runs on the folder: it holds the lock then. Looking takes it for a moment, and
/// shared, so that two who look do not meet.
fn is_in_use(data: &Path) -> bool {
    let lock = File::open(data.join("lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn tell(report: &Report) {
    for finding in &report.findings {
        tell_one(finding);
    }
    let broken = report.violated().len();
    let all = report.findings.len();
    output::note(format_args!(
        "{} of {all} invariants hold at {}; {} rows changed less than {} s before and were not \
         compared",
        all - broken,
        report.at,
        report.young,
        report.quiet_after_seconds,
    ));
}

fn tell_one(finding: &Finding) {
    let counts: Vec<String> =
        finding.looked_at.iter().map(|count| format!("{} {}", count.count, count.of)).collect();
    let state = match finding.violations_total {
        0 => "holds".to_owned(),
        1 => "VIOLATED once".to_owned(),
        count => format!("VIOLATED {count} times"),
    };
    let name = format!("{:?}", finding.invariant);
    output::line(format_args!("{name:<4} {state}: {} ({})", finding.rule, counts.join(", ")));
    for violation in &finding.violations {
        output::line(format_args!("       {}: {}", violation.id, violation.what));
    }
    let unnamed = finding.violations_total - finding.violations.len() as u64;
    if unnamed > 0 {
        output::line(format_args!("       and {unnamed} more"));
    }
    for why in &finding.not_checked {
        output::line(format_args!("       not looked at: {why}"));
    }
}
