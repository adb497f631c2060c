//! What an operator sees: logs, metrics, traces, and whether the process lives and is ready.
//!
//! Never in any of them: bodies, tokens, passwords, card numbers, personal data. Ids are fine.

mod internal;
mod logs;
mod metrics;
#[cfg(feature = "otlp")]
mod otlp;
mod trace;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

pub use internal::{InternalPort, internal_router};
pub use logs::LogFormat;
pub use metrics::Metrics;
pub(crate) use metrics::RouteMetrics;
pub use trace::of_passing;
pub(crate) use trace::{join, name_request, of_call, of_event, of_serving};

/// The section `[telemetry]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// `text` for people, `json` for machines.
    pub log_format: LogFormat,
    /// What is logged, as `tracing-subscriber` directives: `info,ordering=debug`.
    pub log_filter: String,
    /// Where spans are sent by OTLP over gRPC, such as `http://127.0.0.1:4317`. Needs a build with
    /// the feature `otlp`.
    pub otlp_endpoint: Option<String>,
    /// Where `/metrics`, `/livez` and `/readyz` are served. Never a public address.
    pub internal_listen: Option<SocketAddr>,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Text,
            log_filter: "info".to_owned(),
            otlp_endpoint: None,
            internal_listen: None,
        }
    }
}

/// Why telemetry could not be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryError {
    #[error("telemetry.log_filter: {0}")]
    Filter(String),
    #[error("telemetry.otlp_endpoint: {0}")]
    Otlp(String),
    #[error("telemetry was already set up in this process")]
    Twice,
}

/// Keeps exporters alive; dropping it sends what waits.
#[derive(Debug)]
pub struct Telemetry {
    pub metrics: Metrics,
    #[cfg(feature = "otlp")]
    _spans: Option<otlp::Exporter>,
}

/// Sets up logs, metrics and traces for this process, once, before anything else is built.
pub fn init(config: &TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    init_as("mercat", config)
}

/// The same; spans name the process `process`.
pub(crate) fn init_as(
    process: &'static str,
    config: &TelemetryConfig,
) -> Result<Telemetry, TelemetryError> {
    #[cfg(not(feature = "otlp"))]
    if config.otlp_endpoint.is_some() {
        return Err(TelemetryError::Otlp(
            "this build has no OTLP export; build with the feature otlp".to_owned(),
        ));
    }
    #[cfg(feature = "otlp")]
    let export = |endpoint| otlp::Exporter::new(process, endpoint);
    #[cfg(feature = "otlp")]
    let spans = config.otlp_endpoint.as_deref().map(export).transpose()?;
    #[cfg(not(feature = "otlp"))]
    let _ = process;
    #[cfg(feature = "otlp")]
    logs::init(config, spans.as_ref().map(otlp::Exporter::layer))?;
    #[cfg(not(feature = "otlp"))]
    logs::init(config, None::<tracing_subscriber::layer::Identity>)?;
    logs::log_panics();
    Ok(Telemetry {
        metrics: Metrics::install()?,
        #[cfg(feature = "otlp")]
        _spans: spans,
    })
}
