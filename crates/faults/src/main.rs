//! `cargo xtask faults` runs this: rows of faults on real processes, and what came of them.

use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use faults::bugs::{self, Tried};
use faults::report::{RowReport, RunReport};
use faults::rows::{Context, ROWS, Row};
use faults::settings::Settings;
use futures_util::FutureExt as _;
use platform::Env;
use testkit::seeded_bugs;

/// Breaks a running shop on purpose, and says what it lost.
#[derive(Parser)]
struct Cli {
    /// The `mercat` binary, built with everything.
    #[arg(long, value_name = "FILE")]
    mercat: PathBuf,
    /// The checkout whose servers are used: PostgreSQL and the brokers are stopped and started.
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// Only this row, such as F7; may be given more than once.
    #[arg(long, value_name = "ROW")]
    row: Vec<String>,
    /// How long each row goes on that goes on for a time.
    #[arg(long, value_name = "MINUTES", default_value_t = 1)]
    minutes: u64,
    /// A few minutes in all, and no judgement by time: for a machine that is busy.
    #[arg(long)]
    short: bool,
    /// With this mistake turned on, such as forget-void, which some row has to notice; may be given
    /// more than once.
    #[arg(long, value_name = "NAME")]
    bug: Vec<String>,
    /// Where the report goes, as JSON.
    #[arg(long, value_name = "FILE", default_value = "target/faults/report.json")]
    report: PathBuf,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Err(error.to_string()),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(violations) => {
            say(&format!("{violations} violations or mistakes that nobody noticed"));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&error);
            ExitCode::FAILURE
        }
    }
}

/// How many violations there were; with mistakes made on purpose, how many nobody noticed.
async fn run(cli: Cli) -> Result<usize, String> {
    let rows = chosen(&cli)?;
    let program = cli.mercat.canonicalize();
    let program = program.map_err(|error| format!("{}: {error}", cli.mercat.display()))?;
    let each = Duration::from_mins(cli.minutes);
    let settings = Settings { program, project: cli.project, is_short: cli.short, each, bug: None };
    let mut run = RunReport {
        version: env!("CARGO_PKG_VERSION"),
        short: cli.short,
        processors: std::thread::available_parallelism().map_or(0, usize::from),
        build: if settings.is_release() { "release" } else { "debug" },
        rows: Vec::new(),
    };
    if cli.bug.is_empty() {
        run_rows(&rows, settings, &mut run, &cli.report).await?;
        say(&run.table());
        return Ok(run.violations());
    }
    let mut tried = Vec::new();
    for bug in &cli.bug {
        if !settings.has_bugs() || !seeded_bugs::named_in(&settings.project).contains(bug) {
            return Err(format!("this program cannot make the mistake {bug}"));
        }
        say(&format!("with {bug}"));
        run.rows.clear();
        let settings = Settings { bug: Some(bug.clone()), ..settings.clone() };
        run_rows(&rows, settings, &mut run, &cli.report).await?;
        tried.extend(run.rows.iter().map(|report| Tried::of(bug, report)));
    }
    say(&bugs::table(&tried));
    let missed = bugs::missed(&tried);
    for bug in &missed {
        say(&format!("nobody noticed {bug}"));
    }
    Ok(missed.len())
}

async fn run_rows(
    rows: &[&Row],
    settings: Settings,
    run: &mut RunReport,
    path: &Path,
) -> Result<(), String> {
    let env = Env::system();
    let mut context = Context::new(env.clone(), settings);
    for row in rows {
        say(&format!("{} {} …", row.name, row.fault));
        let begun = env.clock.monotonic();
        let work = AssertUnwindSafe((row.run)(&mut context)).catch_unwind().await;
        let mut report = work.unwrap_or_else(|panic| RowReport {
            violations: vec![format!("the row did not come to its end: {}", words(&*panic))],
            ..RowReport::default()
        });
        report.row = row.name;
        row.fault.clone_into(&mut report.fault);
        report.seconds = env.clock.monotonic().saturating_sub(begun).as_secs();
        tell(&report);
        run.rows.push(report);
        run.write(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn chosen(cli: &Cli) -> Result<Vec<&'static Row>, String> {
    let known = |name: &String| ROWS.iter().any(|row| row.is_called(name));
    if let Some(wrong) = cli.row.iter().find(|name| !known(name)) {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        return Err(format!("there is no row {wrong}; there are {}", names.join(", ")));
    }
    let is_chosen = |row: &&Row| match cli.row.as_slice() {
        [] => row.is_short || !cli.short,
        names => names.iter().any(|name| row.is_called(name)),
    };
    Ok(ROWS.iter().filter(is_chosen).collect())
}

fn tell(report: &RowReport) {
    if let Some(why) = &report.skipped {
        say(&format!("*** SKIPPED {}: {why}", report.row));
        return;
    }
    let (violations, seconds) = (report.violations.len(), report.seconds);
    let sold = report.sold;
    say(&format!("{} {sold} sold, {violations} violations, {seconds} s", report.row));
    for violation in &report.violations {
        say(&format!("  {violation}"));
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}

fn say(text: &str) {
    // Whoever reads may have gone.
    let _ = writeln!(std::io::stdout(), "{text}");
}
