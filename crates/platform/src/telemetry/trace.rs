//! Spans of ours in a trace that began elsewhere (W3C Trace Context).

use ::http::HeaderMap;
#[cfg(feature = "otlp")]
use ::http::HeaderValue;
use tracing::Span;

use crate::context::{Context, TraceParent};
use crate::env::Env;
use crate::event::Envelope;

#[cfg(feature = "otlp")]
const TRACEPARENT: &str = "traceparent";

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

/// Names a request's span for whoever looks at traces: by its route, never by its path.
pub(crate) fn name_request(span: &Span, method: &str, route: &str) {
    #[cfg(feature = "otlp")]
    if super::otlp::is_on() {
        span.record("otel.name", format_args!("{method} {route}"));
        span.record("otel.kind", "server");
    }
    let _ = (span, method, route);
}

/// The span of a request that is passed on to a service in another process, below its caller's where
/// there is one; from here on `headers` name it as the parent. A span that nobody exports would only
/// cost: then there is none, and the caller's name goes on as it came.
pub fn of_passing(method: &str, route: &str, headers: &mut HeaderMap) -> Span {
    #[cfg(feature = "otlp")]
    if super::otlp::is_on() {
        let span = tracing::info_span!(
            "pass",
            otel.name = format_args!("{method} {route}"),
            otel.kind = "server",
        );
        let told = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()?.parse().ok());
        let own = super::otlp::join(&span, told);
        if let Some(Ok(value)) = own.map(|own| HeaderValue::try_from(own.to_string())) {
            headers.insert(TRACEPARENT, value);
        }
        return span;
    }
    let _ = (method, route, headers);
    Span::none()
}

/// The span of a call to another service, as the caller sees it; from here on `context` names it as
/// the parent. A span that nobody exports would only cost: then there is none.
pub(crate) fn of_call(call: &'static str, context: &mut Context) -> Span {
    #[cfg(feature = "otlp")]
    if super::otlp::is_on() && context.trace.is_some() {
        let span = tracing::info_span!("call", otel.name = call, otel.kind = "client");
        context.trace = super::otlp::join(&span, context.trace).or(context.trace);
        return span;
    }
    let _ = (call, context);
    Span::none()
}

/// The same on the side of the service that is called.
pub(crate) fn of_serving(call: &'static str, context: &mut Context) -> Span {
    #[cfg(feature = "otlp")]
    if super::otlp::is_on() && context.trace.is_some() {
        let span = tracing::info_span!("serve", otel.name = call, otel.kind = "server");
        context.trace = super::otlp::join(&span, context.trace).or(context.trace);
        return span;
    }
    let _ = (call, context);
    Span::none()
}

/// The span in which a consumer handles an event, below the one that told it; from here on `context`
/// names it as the parent. The event as told by that span, so that what its effect tells in turn lies
/// below; `None`: as it came.
pub(crate) fn of_event(
    consumer: &'static str,
    event: &Envelope,
    context: &mut Context,
) -> (Span, Option<Envelope>) {
    #[cfg(feature = "otlp")]
    if super::otlp::is_on() && context.trace.is_some() {
        let span = tracing::info_span!(
            "event",
            otel.name = format_args!("{consumer} {}", event.event_type),
            otel.kind = "consumer",
            event = %event.id,
            aggregate = %event.aggregate_id,
        );
        context.trace = super::otlp::join(&span, context.trace).or(context.trace);
        let traceparent = context.trace.map(|trace| trace.to_string());
        return (span, Some(Envelope { traceparent, ..event.clone() }));
    }
    let _ = (consumer, event, context);
    (Span::none(), None)
}
