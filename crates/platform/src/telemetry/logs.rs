//! Logs on standard error: for people as text, for machines as one JSON object a line.

use std::io::IsTerminal as _;

use serde::{Deserialize, Serialize};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use super::{TelemetryConfig, TelemetryError};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

pub(super) fn init<L>(config: &TelemetryConfig, spans: Option<L>) -> Result<(), TelemetryError>
where
    L: Layer<Registry> + Send + Sync,
{
    let filter = EnvFilter::builder().parse(with_quiet_libraries(&config.log_filter));
    let filter = filter.map_err(|error| TelemetryError::Filter(error.to_string()))?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            lines.with_ansi(colours).with_target(false).with_filter(filter).boxed()
        }
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_filter(filter)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(spans)
        .with(lines)
        .try_init()
        .map_err(|_| TelemetryError::Twice)
}

/// The client of RabbitMQ calls every attempt to reconnect an error. An outage is told once, by us;
/// who wants the rest asks for it by name.
fn with_quiet_libraries(filter: &str) -> String {
    if filter.contains("lapin") { filter.to_owned() } else { format!("{filter},lapin=off") }
}

/// A panic becomes a line of the log with its place; its text may hold data and is kept to one
/// short line.
pub(super) fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic
            .payload()
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.payload().downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no text");
        let text: String = text.lines().next().unwrap_or_default().chars().take(200).collect();
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        tracing::error!(place, thread, panic = text, "panicked");
    }));
}
