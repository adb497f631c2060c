//! One connection: its handshake, its requests, and its end when it does nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderValue, Request, Response, header};
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use kernel::ErrorKind;
use tokio::net::TcpStream;
use tower::{Service, ServiceExt};

use super::Problem;
use super::activity::{Activity, Watched};
use super::server::{Answers, Content};
use crate::env::Env;
use crate::tls::{ServerTls, Stream};

/// A connection that has its place.
pub(super) struct Accepted {
    pub(super) env: Env,
    pub(super) peer: SocketAddr,
    pub(super) tls: Option<ServerTls>,
    pub(super) builder: Arc<auto::Builder<TokioExecutor>>,
    pub(super) watcher: Watcher,
    /// For a head, and for doing nothing.
    pub(super) timeouts: (Duration, Duration),
}

impl Accepted {
    pub(super) async fn serve<B: Content>(self, stream: TcpStream, service: impl Answers<B>) {
        let (header_timeout, idle_timeout) = self.timeouts;
        let stream = match &self.tls {
            None => Stream::Plain(stream),
            Some(tls) => match self.env.timeout(header_timeout, tls.accept(stream)).await {
                Some(Ok(stream)) => stream,
                Some(Err(error)) => {
                    tracing::debug!(peer = %self.peer, %error, "no TLS connection");
                    return;
                }
                None => return,
            },
        };
        let is_certified = stream.is_certified();
        let activity = Arc::new(Activity::new(self.env.clone()));
        let requests =
            Requests { inner: service, activity: activity.clone(), peer: self.peer, is_certified };
        let watched = TokioIo::new(Watched::new(stream, activity.clone()));
        let connection = self.builder.serve_connection(watched, requests).into_owned();
        tokio::select! {
            biased;
            outcome = self.watcher.watch(connection) => {
                if let Err(error) = outcome {
                    tracing::debug!(%error, "a connection ended in an error");
                }
            }
            () = activity.stalls(header_timeout, idle_timeout) => {}
        }
    }
}

/// Counts requests of a connection, tells handlers whose it is, and refuses what could be read in
/// two ways.
#[derive(Clone)]
struct Requests<S> {
    inner: S,
    activity: Arc<Activity>,
    peer: SocketAddr,
    is_certified: bool,
}

/// The client has shown a certificate of the authority that we trust.
#[derive(Clone, Copy, Debug)]
pub(super) struct Certified;

type Answer<B> = Response<Either<B, Full<Bytes>>>;

impl<S, B> hyper::service::Service<Request<Incoming>> for Requests<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Answer<B>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer<B>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let guard = self.activity.begin();
        if guard.is_ambiguous {
            return Box::pin(std::future::ready(Ok(ambiguous())));
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        if self.is_certified {
            request.extensions_mut().insert(Certified);
        }
        let inner = self.inner.clone();
        Box::pin(async move {
            let Ok(response) = inner.oneshot(request).await;
            drop(guard);
            Ok(response.map(Either::Left))
        })
    }
}

fn ambiguous<B>() -> Answer<B> {
    let problem = Problem::new(
        ErrorKind::Invalid,
        "ambiguous-length",
        "The request tells the length of its body more than once.",
    )
    .field("content-length", "must be the only header that tells the length");
    let mut response = Response::new(Either::Right(Full::from(problem.to_json())));
    *response.status_mut() = problem.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
