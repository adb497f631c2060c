//! The accept loop. `axum::serve` sets no timer, so its header time-out is inert and it bounds
//! nothing; this one does (slow heads, idle connections, their number, HTTP/2 resets).

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ::http::{Request, Response};
use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::Service;

use super::ServerLimits;
use super::connection::Accepted;
use super::peers::Peers;
use crate::env::Env;
use crate::shutdown::Shutdown;
use crate::tls::ServerTls;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What is said to one connection too many.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
    retry-after: 1\r\nconnection: close\r\ncontent-length: 170\r\n\r\n\
    {\"type\":\"https://mercat.dev/problems/too-many-connections\",\"title\":\"Too many connections\",\
    \"status\":503,\"detail\":\"This server has no connection left for you.\",\"errors\":[]}";

/// What answers requests: the bounds of everything that serves, in one place.
pub trait Answers<B>:
    Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<S, B> Answers<B> for S where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// The body of an answer.
pub trait Content: Body<Data = Bytes, Error: Into<Error>> + Send + 'static {}

impl<B> Content for B where B: Body<Data = Bytes, Error: Into<Error>> + Send + 'static {}

/// Serves until `shutdown` drains; then no connection is taken, requests in flight end, and the
/// future completes, at the latest after the drain time-out. HTTP/1.1 and HTTP/2 without TLS.
pub async fn serve<B: Content>(
    env: Env,
    listener: TcpListener,
    service: impl Answers<B>,
    limits: ServerLimits,
    shutdown: Shutdown,
) -> io::Result<()> {
    serve_tls(env, listener, None, service, limits, shutdown).await
}

/// [`serve`] over TLS when it is given: ALPN offers HTTP/2 and HTTP/1.1.
pub async fn serve_tls<B: Content>(
    env: Env,
    listener: TcpListener,
    tls: Option<ServerTls>,
    service: impl Answers<B>,
    limits: ServerLimits,
    shutdown: Shutdown,
) -> io::Result<()> {
    let draining = async move { shutdown.draining().await };
    serve_until(env, listener, tls, service, limits, draining).await
}

/// [`serve_tls`] with an end of one's own.
pub async fn serve_until<B: Content>(
    env: Env,
    listener: TcpListener,
    tls: Option<ServerTls>,
    service: impl Answers<B>,
    limits: ServerLimits,
    end: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let builder = Arc::new(builder(&limits));
    let permits = Arc::new(Semaphore::new(limits.max_connections));
    let peers = Peers::new(&limits);
    let graceful = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut end => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                accept_failed(&env, &error).await;
                continue;
            }
        };
        let Ok(permit) = permits.clone().try_acquire_owned() else {
            refuse(&stream, tls.is_some());
            continue;
        };
        let Some(place) = peers.place(peer.ip()) else {
            refuse(&stream, tls.is_some());
            continue;
        };
        // Without it small answers wait for the peer's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let connection = Accepted {
            env: env.clone(),
            peer,
            tls: tls.clone(),
            builder: builder.clone(),
            watcher: graceful.watcher(),
            timeouts: (limits.header_timeout, limits.idle_timeout),
        };
        let service = service.clone();
        env.spawn("http connection", async move {
            let _places = (permit, place);
            connection.serve(stream, service).await;
        });
    }
    drop(listener);
    if env.timeout(limits.drain_timeout, graceful.shutdown()).await.is_none() {
        tracing::warn!("connections were still open when draining had to end");
    }
    Ok(())
}

fn builder(limits: &ServerLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // A backstop: `Activity` is stricter between the first byte of a head and its last.
        .header_read_timeout(limits.idle_timeout)
        .max_buf_size(limits.max_header_bytes.max(8192))
        .max_headers(limits.max_headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(limits.max_pending_resets)
        .max_local_error_reset_streams(limits.max_local_resets)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

/// Out of file descriptors, or a peer that left while it waited: neither ends the server.
async fn accept_failed(env: &Env, error: &io::Error) {
    match error.kind() {
        io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset => {}
        _ => {
            tracing::error!(%error, "no connection can be accepted");
            env.sleep(Duration::from_millis(100)).await;
        }
    }
}

fn refuse(stream: &TcpStream, is_tls: bool) {
    metrics::counter!("http_connections_refused_total").increment(1);
    if is_tls {
        return;
    }
    // An empty send buffer takes these few bytes at once; who cannot read them is closed anyway.
    let _ = stream.try_write(BUSY);
}
