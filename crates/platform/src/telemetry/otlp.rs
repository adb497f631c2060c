//! Export of spans by OTLP over gRPC. The only file that knows OpenTelemetry.

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::filter::{Filtered, LevelFilter};
use tracing_subscriber::{Layer as _, Registry};

use super::TelemetryError;
use crate::context::TraceParent;

/// Is there anybody to whom spans are sent?
static ON: AtomicBool = AtomicBool::new(false);

pub(super) fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Sends spans in batches; dropping it sends what waits.
#[derive(Debug)]
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    pub(super) fn new(process: &'static str, endpoint: &str) -> Result<Self, TelemetryError> {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build()
            .map_err(|error| TelemetryError::Otlp(error.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(
                Resource::builder()
                    .with_service_name(process)
                    .with_attribute(KeyValue::new("service.namespace", "mercat"))
                    .build(),
            )
            .build();
        ON.store(true, Ordering::Relaxed);
        Ok(Self(provider))
    }

    /// Spans from `info` on, which are ours: those below are of the libraries underneath, the ones
    /// that carry the export itself among them.
    pub(super) fn layer(
        &self,
    ) -> Filtered<OpenTelemetryLayer<Registry, Tracer>, LevelFilter, Registry> {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("mercat"))
            .with_location(false)
            .with_threads(false)
            .with_filter(LevelFilter::INFO)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::debug!(%error, "the last spans were not sent");
        }
    }
}

/// Puts `span` under the caller's span; answers the span as others will name it.
pub(super) fn join(span: &Span, caller: Option<TraceParent>) -> Option<TraceParent> {
    if let Some(caller) = caller {
        let remote = SpanContext::new(
            TraceId::from_bytes(caller.trace_id.to_be_bytes()),
            SpanId::from_bytes(caller.span_id.to_be_bytes()),
            if caller.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() },
            true,
            TraceState::default(),
        );
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(remote));
    }
    let context = span.context();
    let own = context.span().span_context().clone();
    own.is_valid().then(|| TraceParent {
        trace_id: u128::from_be_bytes(own.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(own.span_id().to_bytes()),
        sampled: own.is_sampled(),
    })
}
