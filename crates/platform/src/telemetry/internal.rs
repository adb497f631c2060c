//! The port for operators: `/metrics`, `/livez`, `/readyz`. It has no authentication and is never
//! bound to a public address.

use ::http::{HeaderValue, StatusCode, header};
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::Metrics;
use crate::env::Env;
use crate::http::ServerLimits;
use crate::shutdown::Shutdown;

/// Serves [`internal_router`] until the process stops: it answers while others drain.
#[derive(Debug)]
pub struct InternalPort {
    pub listener: TcpListener,
    pub metrics: Metrics,
    /// What else operators find there.
    pub more: Router,
}

impl InternalPort {
    pub async fn serve(self, env: &Env, shutdown: Shutdown) -> std::io::Result<()> {
        let router = internal_router(self.metrics, shutdown.clone()).merge(self.more);
        let limits = ServerLimits { max_connections: 64, ..ServerLimits::default() };
        let stopping = async move { shutdown.stopping().await };
        crate::http::server::serve_until(env.clone(), self.listener, None, router, limits, stopping)
            .await
    }
}

/// `/livez`: the process runs. `/readyz`: it wants traffic. `/metrics`: what it counted.
pub fn internal_router(metrics: Metrics, shutdown: Shutdown) -> Router {
    let text = |body: String| -> Response {
        let mut response = body.into_response();
        let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
        response
    };
    Router::new()
        .route("/metrics", get(move || std::future::ready(text(metrics.render()))))
        .route("/livez", get(|| std::future::ready("ok\n")))
        .route(
            "/readyz",
            get(move || {
                let answer = if shutdown.is_ready() {
                    (StatusCode::OK, "ready\n".to_owned())
                } else {
                    let phase = shutdown.phase();
                    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {phase:?}\n"))
                };
                std::future::ready(answer)
            }),
        )
}
