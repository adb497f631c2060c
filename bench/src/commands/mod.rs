//! One file a command: it runs, and answers with a section of the report.

mod browse;
mod checkout;
mod import;
mod memory;
mod outbox;
mod start;
mod topologies;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::Outcome;
use crate::cli::{self, Cli, Command, Flow, Topology};
use crate::measure::machine;
use crate::report::{self, Report, Section};
use crate::shop::Home;

/// What every command needs.
pub struct Lab {
    pub mercat: PathBuf,
    pub folder: PathBuf,
    pub settings: Vec<String>,
}

impl Lab {
    fn of(cli: &Cli) -> Outcome<Self> {
        let mercat = match &cli.mercat {
            Some(path) => path.clone(),
            None => std::env::current_exe()
                .map_err(|error| format!("this program does not know where it is: {error}"))?
                .with_file_name("mercat"),
        };
        // The shop runs in another folder.
        let mercat = mercat.canonicalize().map_err(|error| {
            format!("{}: {error}; build it or name it with --mercat", mercat.display())
        })?;
        let folder = cli.folder.clone().unwrap_or_else(std::env::temp_dir);
        Ok(Self { mercat, folder, settings: cli.set.clone() })
    }

    /// A folder for a shop that goes away when it is dropped.
    pub fn home(&self) -> Outcome<Home> {
        Home::new(&self.mercat, &self.folder, &self.settings)
    }
}

pub async fn run(cli: Cli) -> Outcome<ExitCode> {
    if let Command::Import(cli::Import { variants, write: Some(path) }) = &cli.command {
        import::write(path, *variants)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Topologies(cli::Topologies { build: true, .. }) = &cli.command {
        topologies::build()?;
    }
    let lab = Lab::of(&cli)?;
    let conditions = machine::conditions(&lab.mercat, &lab.folder);
    let sections = match &cli.command {
        Command::Start(start) => vec![start::run(&lab, start)?],
        Command::Memory(memory) => vec![memory::run(&lab, memory).await?],
        Command::Import(import) => vec![import::run(&lab, import).await?],
        Command::Checkout(load) => vec![checkout::run(&lab, load).await?],
        Command::Topologies(all) => vec![topologies::run(&lab, all).await?],
        Command::Outbox(load) => vec![outbox::run(load)?],
        Command::Browse(browse) => vec![browse::run(&lab, browse).await?],
        Command::All(all) => everything(&lab, all).await?,
    };
    let report = Report { conditions, sections };
    let text = report.markdown();
    report::print(&text);
    if let Some(path) = &cli.markdown {
        report::write(path, &text)?;
    }
    if let Some(path) = &cli.json {
        report::write(path, &format!("{:#}\n", report.json()))?;
    }
    Ok(if report.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn everything(lab: &Lab, all: &cli::All) -> Outcome<Vec<Section>> {
    let variants = all.variants;
    let checkout = |flow, topology, lines| cli::Checkout {
        buyers: 64,
        seconds: all.seconds,
        warm_up: 3,
        skus: 200,
        hot: 3,
        hot_percent: 50,
        lines,
        flow,
        topology,
    };
    let usual = checkout(Flow::Full, Topology::Embedded, 1);
    let step = |name: &str| report::note(format_args!("{}: {name}", crate::clock::date()));
    let mut sections = Vec::new();
    step("start");
    sections.push(start::run(lab, &cli::Start { runs: 10, variants })?);
    step("memory");
    let memory = cli::Memory { variants, checkout: usual.clone() };
    sections.push(memory::run(lab, &memory).await?);
    step("import");
    sections.push(import::run(lab, &cli::Import { variants, write: None }).await?);
    step("checkout");
    for load in [
        usual,
        checkout(Flow::Short, Topology::Embedded, 1),
        checkout(Flow::Full, Topology::Embedded, 3),
        checkout(Flow::Full, Topology::Loopback, 1),
    ] {
        sections.push(checkout::run(lab, &load).await?);
    }
    step("browse");
    let browse = cli::Browse { connections: 64, seconds: 8, variants };
    sections.push(browse::run(lab, &browse).await?);
    Ok(sections)
}
