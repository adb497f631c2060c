//! The command line's grammar. `mercat --help` is made of these texts.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The exit code of a command line that cannot be understood: `EX_USAGE` of `sysexits.h`. Commands
/// have the small numbers for themselves.
pub const MISUSED: u8 = 64;

/// The exit code of `verify` when it looked, and something is wrong.
pub const VIOLATED: u8 = 4;

const EXIT_CODES: &str = "Exit codes:
  0   done
  1   failed; standard error tells why
  2   import: rows were refused; the good products are in
  3   import: all is stored, but other services have not heard of all of it
  4   verify: an invariant does not hold
  64  the command line cannot be understood";

/// Mercat runs a shop backend: catalog, carts, checkout, stock, payments, accounts.
///
/// `mercat up` starts a whole shop in this process, on SQLite files in a data folder, and creates
/// what is missing. `mercat up --demo` adds a demo shop to look at.
///
/// Every command reads `mercat.toml` (or `--config FILE`), then variables such as
/// `MERCAT_GATEWAY__CORS_ORIGINS`, then `--set section.key=value`; `mercat config print` shows the
/// keys with their values.
#[derive(Parser)]
#[command(name = "mercat", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Read the configuration from FILE instead of ./mercat.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one key of the configuration; may be given more than once.
    #[arg(long = "set", global = true, value_name = "SECTION.KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Start a whole shop in this process.
    ///
    /// Creates the data folder, the databases, the signing key and the first staff account when
    /// they are missing, prints the addresses and (once) the staff password, and serves until
    /// SIGTERM or Ctrl-C. Killing it loses nothing that was acknowledged.
    ///
    /// With `--topology kafka` or `rabbitmq` each service is a process of its own, on PostgreSQL
    /// (`database.url`: a role that may create databases) and that broker (`[broker]`): for looking
    /// at, and for trying changes out. One that dies is started again; they end together.
    Up(Up),
    /// Run one service as a process, on PostgreSQL and a broker.
    ///
    /// It brings its database (`database.url`) up to date, finds the others by `[peers]`, and tells
    /// by `/readyz` on its internal port when it serves. Needs a build with the feature `servers`.
    Serve(Serve),
    /// Import products from a CSV file of Shopify or Vendure.
    ///
    /// Into the shop that runs at --server (with a token of a staff member or an API key that has
    /// catalog:import, and inventory:write when the file has stock columns), or straight into a
    /// data folder while no shop runs on it. A row that cannot be imported is reported with its
    /// line and column; good products go in all the same. Importing the same file again changes
    /// nothing.
    ///
    /// Ends with 0 when all went in; 1 when the file as a whole could not be imported; 2 when rows
    /// were refused; 3 when all is stored, but other services have not heard of all of it and
    /// nothing has moved for 30 seconds.
    Import(Import),
    /// Write all products as a Shopify CSV file, which imports again without a change.
    ///
    /// From the shop that runs at --server (with a token that has catalog:import, and
    /// inventory:read for the stock), or straight from a data folder.
    Export(Export),
    /// Create or update the databases of a data folder, and end; or move a shop to PostgreSQL.
    ///
    /// With --from and --to the shop of a data folder, which must not run, moves to one database a
    /// service. They must be empty, or hold what the same move has brought before it was stopped:
    /// then it goes on. In the end everything is read again on both sides, and what each table holds
    /// is told line by line. The data folder stays as it is.
    ///
    /// Ends with 0 when both sides hold the same; 1 when they do not, or when it failed.
    Migrate(Migrate),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(Config),
    /// Look after staff accounts.
    #[command(subcommand)]
    Staff(Staff),
    /// Watch events, look at those that a consumer could not digest, and free them.
    ///
    /// Asks the shop that runs on the data folder, whatever its topology, or the processes that
    /// --at names; where no shop runs, all but `tail` work on the data folder itself.
    #[command(subcommand)]
    Events(Events),
    /// Say whether the invariants of a shop hold: nothing lost, nothing sold or charged twice.
    ///
    /// Reads the databases of a data folder, or those on servers, and the test provider's ledger, also
    /// while a shop runs on them, and changes nothing. Each database is seen at one moment. For each
    /// invariant it prints how much was looked at, what breaks it, and what could not be looked at
    /// and why.
    ///
    /// Ends with 0 when everything that was looked at holds; 4 when an invariant does not; 1 when
    /// it could not look.
    Verify(Verify),
}

#[derive(Args)]
pub struct Data {
    /// The data folder. Default: `data` of the configuration, ./data.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Args)]
pub struct Migrate {
    #[command(flatten)]
    pub data: Data,
    /// Move the shop of this data folder to the databases of --to.
    #[arg(long, value_name = "DIR", conflicts_with = "data")]
    pub from: Option<PathBuf>,
    /// Where to: postgres://role:password@host:port/database, with {service} in it for the name of
    /// each service. Without {service} it is a role that may create databases, as for `mercat up
    /// --topology`. Default: `database.url` of the configuration.
    #[arg(long, value_name = "URL", requires = "from")]
    pub to: Option<String>,
    /// Move nothing, only compare what was moved.
    #[arg(long, requires = "from")]
    pub check: bool,
}

#[derive(Args)]
pub struct Up {
    #[command(flatten)]
    pub data: Data,
    /// Where to serve the shop. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// How the services reach each other.
    #[arg(long, value_enum, default_value_t = Topology::Embedded)]
    pub topology: Topology,
    /// Load the demo shop: 61 made-up products with pictures, in four currencies.
    #[arg(long)]
    pub demo: bool,
    /// How many processes of a service, such as `ordering=2`; may be given more than once. For
    /// topologies with processes.
    #[arg(long, value_name = "SERVICE=COUNT", value_parser = replicas)]
    pub replicas: Vec<(String, u32)>,
    /// Answer before what was done is on the disk. A loss of power then takes orders with it that
    /// were answered, and may leave a database that cannot be read: for shops that are thrown away.
    #[arg(long)]
    pub unsafe_no_sync: bool,
    /// End all when one process dies, instead of starting it again: for tests.
    #[arg(long, hide = true)]
    pub fail_fast: bool,
}

#[derive(Args)]
pub struct Serve {
    #[arg(value_enum)]
    pub service: ServiceName,
    /// Where to serve REST and gRPC. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// With the demo shop: catalog loads its products, the gateway has their pictures.
    #[arg(long)]
    pub demo: bool,
    /// End when standard input does: with whoever started this.
    #[arg(long, hide = true)]
    pub until_stdin_closes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServiceName {
    Identity,
    Catalog,
    Inventory,
    Ordering,
    Payment,
    Gateway,
}

impl ServiceName {
    pub const ALL: [Self; 6] = [
        Self::Identity,
        Self::Catalog,
        Self::Inventory,
        Self::Ordering,
        Self::Payment,
        Self::Gateway,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => identity::NAME,
            Self::Catalog => catalog::NAME,
            Self::Inventory => inventory::NAME,
            Self::Ordering => ordering::NAME,
            Self::Payment => payment::NAME,
            Self::Gateway => gateway::NAME,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Topology {
    /// One process; calls are direct.
    Embedded,
    /// One process; calls go through gRPC, as between processes. For tests.
    Loopback,
    /// A process each, on PostgreSQL; events through Kafka.
    Kafka,
    /// A process each, on PostgreSQL; events through RabbitMQ.
    #[value(name = "rabbitmq")]
    RabbitMq,
}

impl Topology {
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
pub struct Verify {
    #[command(flatten)]
    pub data: Data,
    /// The address of a service's PostgreSQL database; once for each service. Without --data and
    /// with {service} in `database.url` of the configuration, those are read.
    #[arg(long, value_name = "SERVICE=URL", value_parser = database, conflicts_with = "data")]
    pub database: Vec<(String, String)>,
    /// The addresses of all of them, with {service} for the service's name.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub database_template: Option<String>,
    /// The folder of the test provider's ledger. Default: that of the configuration, or
    /// test-provider in the data folder.
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// What changed within so many seconds may still be on its way to another service, and is not
    /// compared with it. When no shop runs on the folder, they count back from the last write.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub quiet_after: u32,
    /// Name at most so many violations of an invariant; all are counted.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub show: usize,
    /// Print the findings as one JSON document.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Remote {
    #[command(flatten)]
    pub data: Data,
    /// Address of a running shop, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub server: Option<String>,
    /// Access token or API key for --server; better in MERCAT_TOKEN than on the command line.
    #[arg(long, value_name = "TOKEN", env = "MERCAT_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

#[derive(Args)]
pub struct Import {
    /// The CSV file; `-` reads standard input.
    pub file: PathBuf,
    #[command(flatten)]
    pub remote: Remote,
    /// What the file is; `auto` tells by its header.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub format: Format,
    /// Check everything and report, but change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Leave aside what the file says of stock.
    #[arg(long)]
    pub no_stock: bool,
    /// Currency of prices whose column names none. Default: that of the shop.
    #[arg(long, value_name = "ISO4217")]
    pub currency: Option<String>,
    /// Language of the texts. Default: that of the shop.
    #[arg(long, value_name = "TAG")]
    pub locale: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Auto,
    Shopify,
    Vendure,
}

#[derive(Args)]
pub struct Export {
    /// Where to write; `-` is standard output.
    #[arg(default_value = "-")]
    pub file: PathBuf,
    #[command(flatten)]
    pub remote: Remote,
    /// Leave the stock cells empty.
    #[arg(long)]
    pub no_stock: bool,
}

#[derive(Subcommand)]
pub enum Config {
    /// Say whether a shop would start with the configuration; ends with 1 and names the key if not.
    ///
    /// Every service checks its own keys, over empty databases in a temporary folder. The data
    /// folder is not touched, so a shop may run on it.
    Check,
    /// Print the keys with their values, as TOML; unset optional ones are left out, secrets masked.
    Print,
}

#[derive(Subcommand)]
pub enum Staff {
    /// Make a new one-time password for a member of staff, and print it.
    ///
    /// For an owner who lost theirs or let it expire. It works on a data folder while no shop runs
    /// on it; or on identity's database, where `database.url` of the configuration names one, whether
    /// processes work there or not. It ends every session of the account, and is good for being
    /// replaced at the next sign-in and for nothing else. In a running shop an administrator does the same for a colleague with
    /// POST /v1/admin/accounts/{account_id}/one-time-password.
    ResetPassword {
        /// The e-mail address that the account signs in with.
        email: kernel::Email,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Args)]
pub struct At {
    #[command(flatten)]
    pub data: Data,
    /// Internal addresses of running processes, such as http://127.0.0.1:9100, with commas between.
    #[arg(long, value_name = "URLS", value_delimiter = ',', conflicts_with = "data")]
    pub at: Vec<String>,
}

#[derive(Subcommand)]
pub enum Events {
    /// Print each event as it is committed, until Ctrl-C: what it is, not what is in it.
    Tail(At),
    /// List parked events: consumer, event, aggregate, version, tries, error.
    Parked(At),
    /// Handle the parked events of an aggregate again, in order, until one fails.
    Replay {
        /// Such as `inventory.orders`.
        consumer: String,
        /// The aggregate's id, as `parked` prints it.
        aggregate: kernel::id::Uuid,
        #[command(flatten)]
        at: At,
    },
    /// Give up on one parked event.
    Skip {
        /// Such as `inventory.orders`.
        consumer: String,
        /// The event's id, as `parked` prints it.
        event: kernel::id::Uuid,
        #[command(flatten)]
        at: At,
    },
}

fn replicas(text: &str) -> Result<(String, u32), String> {
    let wrong = || "wants a service and 1 to 16, such as ordering=2".to_owned();
    let (service, count) = text.split_once('=').ok_or_else(wrong)?;
    let count: u32 = count.parse().map_err(|_| wrong())?;
    let is_known = ServiceName::ALL.iter().any(|known| known.name() == service);
    if is_known && (1..=16).contains(&count) {
        Ok((service.to_owned(), count))
    } else {
        Err(wrong())
    }
}

/// What is wrong is not repeated: it may hold a password.
fn database(text: &str) -> Result<(String, String), String> {
    let owns = |name: &str| name != gateway::NAME;
    let owners = ServiceName::ALL.map(ServiceName::name);
    match text.split_once('=') {
        Some((service, url)) if owners.contains(&service) && owns(service) => {
            Ok((service.to_owned(), url.to_owned()))
        }
        _ => Err("wants a service with a database and its address, such as \
                  catalog=postgres://role:password@host/catalog"
            .to_owned()),
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("wants SECTION.KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_sound() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn help_tells_the_exit_codes() {
        let help = super::Cli::command().render_help().to_string();
        for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "64"] {
            assert!(help.contains(&format!("\n  {code}  ")), "{help}");
        }
    }
}
