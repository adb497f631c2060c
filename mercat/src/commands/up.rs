//! `mercat up`: a whole shop in this process.

use std::io::Cursor;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use catalog::application::Importer;
use platform::bus::operate::operator_routes;
use platform::host::Host;
use platform::http::{Module, ServerLimits};
use platform::{Context, Env};

use super::{Given, choose_data};
use crate::cli::{Topology, Up};
use crate::config::Config;
use crate::data::{DataFolder, Run, url};
use crate::shop::{Carrier, Shop};
use crate::{demo, output};

pub async fn run(mut config: Config, up: Up, given: &Given) -> Result<ExitCode, String> {
    choose_data(&mut config, &up.data);
    if let Some(listen) = up.listen {
        config.listen = listen;
    }
    if up.unsafe_no_sync {
        forgo_sync(&mut config, up.topology)?;
    }
    let carrier = match up.topology {
        Topology::Embedded => Carrier::Direct,
        Topology::Loopback => Carrier::Loopback,
        Topology::Kafka | Topology::RabbitMq => {
            return crate::processes::up(config, up, given).await;
        }
    };
    if !up.replicas.is_empty() {
        let name = up.topology.name();
        return Err(format!("--replicas needs processes; in the topology {name} there is one"));
    }
    in_one_process(config, &up, carrier).await
}

/// Says so loudly: nobody shall find out after the power was lost.
fn forgo_sync(config: &mut Config, topology: Topology) -> Result<(), String> {
    if !matches!(topology, Topology::Embedded | Topology::Loopback) {
        return Err(
            "--unsafe-no-sync is for a shop in one process; of servers it is PostgreSQL's \
                    own setting"
                .to_owned(),
        );
    }
    config.store.forgoes_sync = true;
    output::note(
        "*** --unsafe-no-sync: answers do not wait for the disk. A loss of power takes orders with \
         it that were answered, and may leave databases that cannot be read. ***",
    );
    Ok(())
}

async fn in_one_process(config: Config, up: &Up, carrier: Carrier) -> Result<ExitCode, String> {
    let env = Env::system();
    let mut host = Host::open(&env, "mercat", config.listen, &config.telemetry).await?;
    let folder = DataFolder::open_shop(&config.data)?;
    let shop = Shop::assemble(&env, &config, &folder, carrier).await?;
    // At once: whatever fails after this, the account is there.
    tell_first_staff(shop.first_staff.as_ref());
    let router = gateway(&config, &shop, up.topology, up.demo)?;
    let tls = gateway::public_tls(&env, &config.gateway)?;
    let addresses = host.addresses()?;
    let executors = shop.services.iter().map(|service| service.executor.clone());
    host.for_operators = operator_routes(executors.collect(), shop.bus.subscriptions().to_vec());

    shop.start(&host.shutdown);
    let _ = shop.authenticator.refresh().await;
    if up.demo {
        load_demo(&env, &shop.importer).await?;
    }
    let mut address = url(addresses.public);
    if tls.is_some() {
        address = address.replacen("http:", "https:", 1);
    }
    let ready = || {
        let run = Run {
            shop: address,
            internal: url(addresses.internal),
            pid: std::process::id(),
            topology: up.topology.name(),
            ready_ms: env.clock.monotonic().as_millis() as u64,
            processes: &[],
        };
        folder.tell(&run).map_err(|error| format!("run.json cannot be written: {error}"))?;
        greet(&run, &folder);
        Ok(())
    };
    host.serve(router, tls, limits(&config), ready).await?;
    folder.untell();
    output::note("Mercat has stopped.");
    Ok(ExitCode::SUCCESS)
}

/// What the shop's one address bears.
fn limits(config: &Config) -> ServerLimits {
    ServerLimits {
        drain_timeout: Duration::from_secs(config.drain_seconds),
        max_connections: config.gateway.max_connections,
        max_connections_per_peer: config.gateway.max_connections_per_client,
        unbounded_peers: config.gateway.trusted_proxies.clone(),
        ..ServerLimits::default()
    }
}

/// The shop's one address, not served yet.
pub fn gateway(
    config: &Config,
    shop: &Shop,
    topology: Topology,
    demo: bool,
) -> Result<Router, String> {
    let modules: Vec<Module> = shop.services.iter().map(|service| service.http.clone()).collect();
    let about = about(topology, demo);
    gateway::build(gateway::Needs {
        env: shop.env.clone(),
        config: config.gateway.clone(),
        authenticator: shop.authenticator.clone(),
        modules,
        about,
        files: Some(demo::pictures()),
    })
    .map_err(|error| error.to_string())
}

/// What the shop's first page tells.
pub fn about(topology: Topology, demo: bool) -> gateway::About {
    gateway::About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        topology: topology.name().to_owned(),
        services: SERVICES.iter().map(|(n, what)| ((*n).to_owned(), (*what).to_owned())).collect(),
        demo,
    }
}

const SERVICES: &[(&str, &str)] = &[
    ("identity", "Accounts, sessions, roles, API keys"),
    ("catalog", "Products, categories, search, import and export"),
    ("inventory", "Locations, stock levels, reservations, movements"),
    ("ordering", "Carts, checkout, orders, shipping and tax"),
    ("payment", "Authorizations, captures, refunds, the ledger"),
    ("gateway", "This address: routing, permissions, limits"),
];

/// Importing what is already there changes nothing, so every start may do it.
pub async fn load_demo(env: &Env, importer: &Importer) -> Result<(), String> {
    let context = Context::background(env, "mercat", Duration::from_mins(5));
    let mut options = importer.options();
    options.currency = kernel::Currency::EUR;
    let file = Cursor::new(demo::PRODUCTS);
    let report = importer.import(&context, file, options, |_| {}).await;
    let report = report.map_err(|error| format!("the demo shop cannot be loaded: {error}"))?;
    if report.errors_total > 0 {
        return Err(format!("the demo shop has {} bad rows", report.errors_total));
    }
    Ok(())
}

pub fn greet(run: &Run<'_>, folder: &DataFolder) {
    output::line(format_args!(
        "Mercat {} is ready in {} ms ({}, data in {})",
        env!("CARGO_PKG_VERSION"),
        run.ready_ms,
        run.topology,
        folder.path().display()
    ));
    output::line(format_args!("  shop       {}", run.shop));
    output::line(format_args!("  reference  {}/docs", run.shop));
    output::line(format_args!("  internal   {}  (/metrics, /livez, /readyz)", run.internal));
}

/// Printed once, when the account is made; it is stored nowhere.
pub fn tell_first_staff(first: Option<&identity::OneTimePassword>) {
    if let Some(first) = first {
        tell_staff(first);
    }
}

/// A one-time password, and what its owner does with it.
pub fn tell_staff(made: &identity::OneTimePassword) {
    output::line(format_args!(
        "  staff      {}  password: {}  (shown only now, good for {} days)",
        made.email,
        made.password.expose(),
        made.valid_days
    ));
    for line in [
        "             It opens one thing: choosing your own. Sign in with it at POST /v1/auth/staff/login,",
        "             choose with POST /v1/auth/password, and sign in again. If it is lost or too old, stop",
    ] {
        output::line(line);
    }
    output::line(format_args!(
        "             the shop and run: mercat staff reset-password {}",
        made.email
    ));
}
