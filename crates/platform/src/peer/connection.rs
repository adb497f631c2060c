//! One HTTP/2 connection.

use std::net::SocketAddr;
use std::pin::Pin;

use ::http::{Request, Uri};
use axum::body::Body;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::PeerConfig;
use super::address::Origin;
use super::failure::root;
use crate::env::Env;
use crate::tls::{ClientTls, Stream};

pub(super) type Sender = http2::SendRequest<Body>;
pub(super) type Connection = Pin<Box<http2::Connection<TokioIo<Stream>, Body, Tasks>>>;

/// Answered by every port of ours without looking at anything.
pub(crate) const ALIVE_PATH: &str = "/.mercat/alive";

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
    let (mut sender, connection) = handshake.await.map_err(|error| error.to_string())?;
    let mut connection = Box::pin(connection);
    tokio::select! {
        biased;
        outcome = &mut connection => {
            let reason = outcome.err().map(|error| root(&error));
            Err(reason.unwrap_or_else(|| "it closed the connection".to_owned()))
        }
        answer = sender.send_request(greeting(origin)?) => {
            answer.map_err(|error| root(&error))?;
            Ok((sender, connection))
        }
    }
}

/// A connection counts when something was answered on it: a process that hangs still accepts, and
/// one that refuses our certificate says so only after the handshake. Any answer will do.
fn greeting(origin: &Origin) -> Result<Request<Body>, String> {
    let (scheme, authority) = (origin.scheme.clone(), origin.authority.clone());
    let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(ALIVE_PATH).build();
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri.map_err(|error| error.to_string())?;
    Ok(request)
}
