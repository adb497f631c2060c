//! Metrics in Prometheus' text format, written when they are asked for.

use std::time::Duration;

use ::http::{Method, StatusCode};
use ::metrics::{Counter, Histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::TelemetryError;

/// Upper bounds in seconds: from half a millisecond to ten seconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of counts, such as the commands in a batch.
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Reads what the process has counted.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Makes this process count. Counters made before are lost, so it comes first.
    pub(super) fn install() -> Result<Self, TelemetryError> {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .and_then(|b| b.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &SIZES))
            .expect("the buckets are not empty");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        ::metrics::set_global_recorder(recorder).map_err(|_| TelemetryError::Twice)?;
        Ok(Self(handle))
    }

    /// For tests and for whoever does not export: counts that nobody else sees.
    pub fn detached() -> Self {
        Self(PrometheusBuilder::new().build_recorder().handle())
    }

    /// The text of `/metrics`.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }

    /// Moves samples into their buckets. To be done every few seconds, so that memory stays
    /// bounded when nobody asks for the text.
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

/// Handles made once a route, so that a request only adds.
pub(crate) struct RouteMetrics {
    /// By the first digit of the status.
    requests: [Counter; 5],
    seconds: Histogram,
}

impl RouteMetrics {
    pub(crate) fn new(service: &'static str, method: &Method, path: &str) -> Self {
        let route = format!("{method} {path}");
        let requests = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|status| {
            ::metrics::counter!(
                "http_requests_total",
                "service" => service, "route" => route.clone(), "status" => status
            )
        });
        let seconds = ::metrics::histogram!(
            "http_request_seconds",
            "service" => service, "route" => route
        );
        Self { requests, seconds }
    }

    pub(crate) fn record(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.requests[class].increment(1);
        self.seconds.record(took.as_secs_f64());
    }
}
