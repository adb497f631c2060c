//! Something that takes spans as an OpenTelemetry collector does: OTLP over gRPC, on a free port.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use platform::Env;
use prost::Message;
use tokio::net::TcpListener;

/// As much of `opentelemetry.proto.collector.trace.v1` as a test looks at.
#[derive(Clone, PartialEq, Message)]
struct ExportTraceServiceRequest {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<SentSpan>,
}

#[derive(Clone, PartialEq, Message)]
struct SentSpan {
    #[prost(bytes = "vec", tag = "1")]
    trace: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
}

/// Ids are written in hex, as in a `traceparent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The name of the service that sent it.
    pub process: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    /// 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: i32,
}

pub struct Collector {
    pub endpoint: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let spans = Arc::new(Mutex::new(Vec::new()));
        let (env, taken) = (Env::system(), spans.clone());
        env.clone().spawn("collector", async move {
            while let Ok((socket, _)) = listener.accept().await {
                let taken = taken.clone();
                let service =
                    hyper::service::service_fn(move |request| take(taken.clone(), request));
                let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(socket), service);
                env.spawn("collector's connection", async move {
                    // The exporter hangs up when it is dropped.
                    let _ = served.await;
                });
            }
        });
        Self { endpoint, spans }
    }

    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }
}

async fn take(
    spans: Arc<Mutex<Vec<Span>>>,
    request: Request<Incoming>,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, Infallible> {
    let path = request.uri().path().to_owned();
    assert_eq!(path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    // One uncompressed message: a flag, its length, itself.
    assert_eq!(body[0], 0, "not compressed");
    let export = ExportTraceServiceRequest::decode(&body[5..]).unwrap();
    spans.lock().unwrap().extend(export.resource_spans.into_iter().flat_map(told));
    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    let empty = Full::new(Bytes::from_static(&[0; 5])).with_trailers(async { Some(Ok(trailers)) });
    let response = Response::builder().header("content-type", "application/grpc").body(empty);
    Ok(response.unwrap())
}

fn told(sent: ResourceSpans) -> Vec<Span> {
    let attributes = sent.resource.unwrap_or_default().attributes;
    let process = attributes.into_iter().find(|attribute| attribute.key == "service.name");
    let process = process.and_then(|attribute| attribute.value).unwrap_or_default().text;
    let spans = sent.scope_spans.into_iter().flat_map(|scope| scope.spans);
    let span = |span: SentSpan| Span {
        process: process.clone(),
        trace: hex(&span.trace),
        id: hex(&span.id),
        parent: hex(&span.parent),
        name: span.name,
        kind: span.kind,
    };
    spans.map(span).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
