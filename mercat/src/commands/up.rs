//! `mercat up`: a whole shop in this process.

use std::io::Cursor;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use platform::http::{Module, ServerLimits};
use platform::service::Task;
use platform::shutdown::{Grace, Shutdown, signal};
use platform::telemetry::InternalPort;
use platform::{Context, Env};
use tokio::net::TcpListener;

use super::choose_data;
use crate::cli::{Topology, Up};
use crate::config::Config;
use crate::data::{DataFolder, Run, url};
use crate::shop::Shop;
use crate::{demo, open_files, output};

pub async fn run(mut config: Config, up: Up) -> Result<ExitCode, String> {
    let env = Env::system();
    choose_data(&mut config, &up.data);
    if let Some(listen) = up.listen {
        config.listen = listen;
    }
    let telemetry = platform::telemetry::init(&config.telemetry).map_err(|e| e.to_string())?;
    open_files::raise();
    let folder = DataFolder::open(&config.data)?;
    let listener = bind(config.listen, "listen").await?;
    let internal = config.telemetry.internal_listen.unwrap_or(([127, 0, 0, 1], 0).into());
    let internal = bind(internal, "telemetry.internal_listen").await?;
    let shop = Shop::assemble(&env, &config, &folder, up.topology).await?;
    // At once: whatever fails after this, the account is there.
    tell_first_staff(shop.first_staff.as_ref());
    let router = gateway(&config, &shop, up.topology, up.demo)?;
    let addresses = (address(&listener)?, address(&internal)?);

    let shutdown = Shutdown::new();
    shop.start(&shutdown);
    let _ = shop.authenticator.refresh().await;
    if up.demo {
        load_demo(&env, &shop).await?;
    }
    let internal = InternalPort { listener: internal, metrics: telemetry.metrics.clone() };
    let (internal_env, internal_end) = (env.clone(), shutdown.clone());
    env.spawn("internal port", async move {
        if let Err(error) = internal.serve(&internal_env, internal_end).await {
            tracing::error!(%error, "the internal port is closed");
        }
    });
    let metrics = telemetry.metrics.clone();
    let upkeep = Task::new("metrics.upkeep", Duration::from_secs(5), move |_| {
        let metrics = metrics.clone();
        async move {
            metrics.upkeep();
            Ok(())
        }
    });
    upkeep.start(&env, "mercat", shutdown.clone());
    shutdown.ready();
    let run = Run {
        shop: url(addresses.0),
        internal: url(addresses.1),
        pid: std::process::id(),
        topology: up.topology.name(),
        ready_ms: env.clock.monotonic().as_millis() as u64,
    };
    folder.tell(&run).map_err(|error| format!("run.json cannot be written: {error}"))?;
    greet(&run, &folder);
    serve(&env, &config, listener, router, &shutdown).await?;
    folder.untell();
    output::note("Mercat has stopped.");
    Ok(ExitCode::SUCCESS)
}

async fn bind(address: std::net::SocketAddr, key: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        format!(
            "{key} is {address}, which cannot be used: {error}; name another with --set {key}=…"
        )
    })
}

fn address(listener: &TcpListener) -> Result<std::net::SocketAddr, String> {
    listener.local_addr().map_err(|error| error.to_string())
}

/// The shop's one address, not served yet.
pub fn gateway(
    config: &Config,
    shop: &Shop,
    topology: Topology,
    demo: bool,
) -> Result<Router, String> {
    let modules: Vec<Module> = shop.services.iter().map(|service| service.http.clone()).collect();
    let about = gateway::About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        topology: topology.name().to_owned(),
        services: SERVICES.iter().map(|(n, what)| ((*n).to_owned(), (*what).to_owned())).collect(),
        demo,
    };
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

const SERVICES: &[(&str, &str)] = &[
    ("identity", "Accounts, sessions, roles, API keys"),
    ("catalog", "Products, categories, search, import and export"),
    ("inventory", "Locations, stock levels, reservations, movements"),
    ("ordering", "Carts, checkout, orders, shipping and tax"),
    ("payment", "Authorizations, captures, refunds, the ledger"),
    ("gateway", "This address: routing, permissions, limits"),
];

/// Importing what is already there changes nothing, so every start may do it.
async fn load_demo(env: &Env, shop: &Shop) -> Result<(), String> {
    let context = Context::background(env, "mercat", Duration::from_mins(5));
    let mut options = shop.importer.options();
    options.currency = kernel::Currency::EUR;
    let file = Cursor::new(demo::PRODUCTS);
    let report = shop.importer.import(&context, file, options, |_| {}).await;
    let report = report.map_err(|error| format!("the demo shop cannot be loaded: {error}"))?;
    if report.errors_total > 0 {
        return Err(format!("the demo shop has {} bad rows", report.errors_total));
    }
    Ok(())
}

fn greet(run: &Run<'_>, folder: &DataFolder) {
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

async fn serve(
    env: &Env,
    config: &Config,
    listener: TcpListener,
    router: Router,
    shutdown: &Shutdown,
) -> Result<(), String> {
    let grace = Grace { drain: Duration::from_secs(config.drain_seconds), ..Grace::default() };
    let limits = ServerLimits {
        drain_timeout: grace.drain,
        max_connections: config.gateway.max_connections,
        max_connections_per_peer: config.gateway.max_connections_per_client,
        unbounded_peers: config.gateway.trusted_proxies.clone(),
        ..ServerLimits::default()
    };
    let server = platform::http::serve(env.clone(), listener, router, limits, shutdown.clone());
    let (served, has_served) = tokio::sync::oneshot::channel();
    env.spawn("http server", async move {
        let _ = served.send(server.await);
    });
    let mut has_served = has_served;
    tokio::select! {
        ended = &mut has_served => {
            return Err(match ended {
                Ok(Err(error)) => format!("the server failed: {error}"),
                _ => "the server ended".to_owned(),
            });
        }
        caught = signal() => caught.map_err(|error| format!("signals: {error}"))?,
    }
    output::note("Stopping: requests in flight may end.");
    let drained = async move {
        let _ = has_served.await;
    };
    shutdown.run(env, grace, drained).await;
    Ok(())
}
