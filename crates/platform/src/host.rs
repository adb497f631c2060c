//! What every process of ours does around its work: it logs, counts, listens, tells whether it is
//! ready, serves until it is told to end, and ends in order.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use crate::env::Env;
use crate::http::ServerLimits;
use crate::service::Task;
use crate::shutdown::{Grace, Shutdown, signal};
use crate::telemetry::{InternalPort, Telemetry, TelemetryConfig};
use crate::tls::ServerTls;

/// A process that listens and does not serve yet.
#[derive(Debug)]
pub struct Host {
    env: Env,
    name: &'static str,
    listener: TcpListener,
    internal: TcpListener,
    telemetry: Telemetry,
    pub shutdown: Shutdown,
    /// What operators find on the internal port beside the usual.
    pub for_operators: Router,
}

/// Where a process listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub public: SocketAddr,
    /// `/metrics`, `/livez`, `/readyz`.
    pub internal: SocketAddr,
}

impl Host {
    /// Sets up telemetry and takes both addresses; an error names the key that is wrong. To be
    /// called once in a process, before anything else is built.
    pub async fn open(
        env: &Env,
        name: &'static str,
        listen: SocketAddr,
        telemetry: &TelemetryConfig,
    ) -> Result<Self, String> {
        let internal = telemetry.internal_listen.unwrap_or(([127, 0, 0, 1], 0).into());
        let telemetry =
            crate::telemetry::init_as(name, telemetry).map_err(|error| error.to_string())?;
        crate::open_files::raise();
        Ok(Self {
            env: env.clone(),
            name,
            listener: bind(listen, "listen").await?,
            internal: bind(internal, "telemetry.internal_listen").await?,
            telemetry,
            shutdown: Shutdown::new(),
            for_operators: Router::new(),
        })
    }

    pub fn addresses(&self) -> Result<Addresses, String> {
        let of = |listener: &TcpListener| listener.local_addr().map_err(|error| error.to_string());
        Ok(Addresses { public: of(&self.listener)?, internal: of(&self.internal)? })
    }

    /// Serves `router`, and the internal port beside it, until SIGTERM or Ctrl-C; then drains for
    /// as long as the limits allow. `ready` runs when the process is ready.
    pub async fn serve(
        self,
        router: Router,
        tls: Option<ServerTls>,
        limits: ServerLimits,
        ready: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        let Self { env, name, listener, internal, telemetry, shutdown, for_operators } = self;
        let internal = InternalPort {
            listener: internal,
            metrics: telemetry.metrics.clone(),
            more: for_operators,
        };
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
        upkeep.start(&env, name, shutdown.clone());
        shutdown.ready();
        ready()?;
        let grace = Grace { drain: limits.drain_timeout, ..Grace::default() };
        let end = shutdown.clone();
        let server = crate::http::serve_tls(env.clone(), listener, tls, router, limits, end);
        let (served, mut has_served) = tokio::sync::oneshot::channel();
        env.spawn("http server", async move {
            let _ = served.send(server.await);
        });
        tokio::select! {
            biased;
            ended = &mut has_served => {
                return Err(match ended {
                    Ok(Err(error)) => format!("the server failed: {error}"),
                    _ => "the server ended".to_owned(),
                });
            }
            caught = signal() => caught.map_err(|error| format!("signals: {error}"))?,
        }
        tracing::info!("stopping: requests in flight may end");
        let drained = async move {
            let _ = has_served.await;
        };
        shutdown.run(&env, grace, drained).await;
        Ok(())
    }
}

async fn bind(address: SocketAddr, key: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        format!(
            "{key} is {address}, which cannot be used: {error}; name another with --set {key}=…"
        )
    })
}
