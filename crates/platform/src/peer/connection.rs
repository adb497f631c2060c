//! One HTTP/2 connection.

use std::net::SocketAddr;

use axum::body::Body;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::PeerConfig;
use super::address::Origin;
use crate::env::Env;
use crate::tls::{ClientTls, Stream};

pub(super) type Sender = http2::SendRequest<Body>;
pub(super) type Connection = http2::Connection<TokioIo<Stream>, Body, Tasks>;

/// hyper's tasks run where ours do.
#[derive(Clone)]
pub(super) struct Tasks(Env);

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        self.0.spawn("http2 stream", async move {
            future.await;
        });
    }
}

/// Connects in time, or says why not.
pub(super) async fn connect(
    env: &Env,
    config: &PeerConfig,
    tls: Option<&ClientTls>,
    origin: &Origin,
    address: SocketAddr,
) -> Result<(Sender, Connection), String> {
    let work = open(env, config, tls, origin, address);
    match env.timeout(config.connect_timeout, work).await {
        Some(outcome) => outcome.map_err(|error| format!("{address}: {error}")),
        None => Err(format!("{address} did not take a connection in time")),
    }
}

async fn open(
    env: &Env,
    config: &PeerConfig,
    tls: Option<&ClientTls>,
    origin: &Origin,
    address: SocketAddr,
) -> Result<(Sender, Connection), String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let _ = stream.set_nodelay(true);
    let stream = match tls.filter(|_| origin.is_tls()) {
        None => Stream::Plain(stream),
        Some(tls) => tls.connect(origin.host(), stream).await.map_err(|error| error.to_string())?,
    };
    let handshake = http2::Builder::new(Tasks(env.clone()))
        .timer(TokioTimer::new())
        .keep_alive_interval(config.ping_every)
        .keep_alive_timeout(config.ping_timeout)
        .keep_alive_while_idle(false)
        .max_header_list_size(64 * 1024)
        .handshake(TokioIo::new(stream));
    handshake.await.map_err(|error| error.to_string())
}
