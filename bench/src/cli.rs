//! The command line's grammar.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Measures a Mercat shop from outside, on this machine.
///
/// Every command starts the release binary (build it with `cargo build --release -p mercat`) in a
/// temporary folder on free ports, and prints its figures as Markdown with the conditions under
/// which they hold. Ends with 1 when a check of correctness failed.
#[derive(Parser)]
#[command(name = "bench", version, max_term_width = 100)]
pub struct Cli {
    /// The `mercat` binary. Default: the one beside this program.
    #[arg(long, global = true, value_name = "FILE")]
    pub mercat: Option<PathBuf>,
    /// Make the temporary folders here: the disk that the databases are measured on.
    #[arg(long, global = true, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Write the report as JSON, too.
    #[arg(long, global = true, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the Markdown here, too.
    #[arg(long, global = true, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Pass `--set SECTION.KEY=VALUE` on to the shop; may be given more than once.
    #[arg(long = "set", global = true, value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Process start to ready: a new shop, an empty one, a big one.
    Start(Start),
    /// Memory: idle, idle with many variants, under checkout load.
    Memory(Memory),
    /// Variants per second of an import, by command line and by upload, and of importing again.
    Import(Import),
    /// Checkouts per second, from an empty cart to a confirmed order, each verified.
    Checkout(Checkout),
    /// The same checkouts on every topology, one after another: what each costs, and where.
    ///
    /// Those of processes need a build with `--features servers`, and PostgreSQL, Kafka and
    /// RabbitMQ from `cargo xtask services up`, where their databases and queues are left.
    Topologies(Topologies),
    /// From a decision to the broker, with two replicas in trouble: what is late, lost, out of order.
    ///
    /// Needs PostgreSQL and Kafka from `cargo xtask services up`, and no `mercat`.
    Outbox(Outbox),
    /// Lists, products and search over a big catalog.
    Browse(Browse),
    /// Everything, with its defaults.
    All(All),
}

#[derive(Args)]
pub struct Start {
    /// How often each start is measured.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
    /// The size of the big shop.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub variants: u32,
}

#[derive(Args)]
pub struct Memory {
    /// The size of the big shop.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub variants: u32,
    #[command(flatten)]
    pub checkout: Checkout,
}

#[derive(Args)]
pub struct Import {
    /// How many variants the generated file has; its products have 1 to 20 each.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub variants: u32,
    /// Only write the file, to look at it or to use it elsewhere.
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}

#[derive(Args, Clone)]
pub struct Checkout {
    /// Buyers, each with a connection, who buy again as soon as they have bought.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub buyers: u32,
    /// How long is measured.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// How long is bought before measuring begins.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=600))]
    pub warm_up: u32,
    /// Variants that are bought now and then.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub skus: u32,
    /// Variants that everybody wants.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub hot: u32,
    /// How many of a hundred lines are of a hot variant.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub hot_percent: u32,
    /// Lines in each cart, of different variants.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub lines: u32,
    /// How a cart is filled.
    #[arg(long, value_enum, default_value_t = Flow::Full)]
    pub flow: Flow,
    /// How the shop's services reach each other.
    #[arg(long, value_enum, default_value_t = Topology::Embedded)]
    pub topology: Topology,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flow {
    /// Open an empty cart, add each line, set e-mail and address, complete.
    Full,
    /// Open a cart with everything in it, complete.
    Short,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Topology {
    Embedded,
    Loopback,
    Kafka,
    #[value(name = "rabbitmq")]
    RabbitMq,
}

impl Topology {
    pub const ALL: [Self; 4] = [Self::Embedded, Self::Loopback, Self::Kafka, Self::RabbitMq];

    /// Has each service a process of its own?
    pub fn has_processes(self) -> bool {
        matches!(self, Self::Kafka | Self::RabbitMq)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Loopback => "loopback",
            Self::Kafka => "kafka",
            Self::RabbitMq => "rabbitmq",
        }
    }
}

#[derive(Args)]
pub struct Topologies {
    /// Buyers, each with a connection, who buy again as soon as they have bought.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub buyers: u32,
    /// How long each is measured.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// Only these; may be given more than once.
    #[arg(long, value_enum)]
    pub only: Vec<Topology>,
    /// Build the program and the binaries of the services before.
    #[arg(long)]
    pub build: bool,
}

#[derive(Args)]
pub struct Outbox {
    /// How long it is written.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=3600))]
    pub seconds: u32,
    /// Writers, over both replicas.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..=4096))]
    pub writers: u32,
    /// How long a writer waits between two commands.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(0..=60_000))]
    pub pause_ms: u32,
    /// How many aggregates there are.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(12..=1_000_000))]
    pub things: u32,
    /// A broker in memory, which confirms at once, instead of Kafka.
    #[arg(long)]
    pub in_memory: bool,
}

impl Outbox {
    pub fn pause(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.pause_ms.into())
    }
}

#[derive(Args)]
pub struct Browse {
    /// Open connections, each asking again as soon as it was answered.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub connections: u32,
    /// How long each kind of request is measured.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// The size of the catalog.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub variants: u32,
}

#[derive(Args)]
pub struct All {
    /// The size of the big shop.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub variants: u32,
    /// How long each checkout load is measured.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_sound() {
        super::Cli::command().debug_assert();
    }
}
