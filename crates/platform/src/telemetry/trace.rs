//! Spans of ours in a trace that began elsewhere (W3C Trace Context).

use tracing::Span;

use crate::context::TraceParent;
use crate::env::Env;

/// Makes `span` part of the caller's trace and answers what to hand on: the same trace, with the
/// span as parent. Without export and without a caller's trace there is none.
pub(crate) fn join(span: &Span, caller: Option<TraceParent>, env: &Env) -> Option<TraceParent> {
    #[cfg(feature = "otlp")]
    let trace = super::otlp::join(span, caller).or_else(|| caller.map(|trace| trace.child(env)));
    #[cfg(not(feature = "otlp"))]
    let trace = caller.map(|trace| trace.child(env));
    if let Some(trace) = trace
        && !span.is_disabled()
    {
        span.record("trace_id", format_args!("{:032x}", trace.trace_id));
    }
    trace
}
