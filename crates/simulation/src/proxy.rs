//! How the gateway reaches a service: its requests travel, and what gets lost becomes the answer that
//! `platform::http::remote` gives.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use kernel::ErrorKind;
use platform::http::Problem;

use crate::net::{Lost, Net};

#[derive(Clone)]
struct Proxy {
    net: Net,
    service: &'static str,
}

pub fn router(net: &Net, service: &'static str) -> Router {
    Router::new().fallback(pass).with_state(Proxy { net: net.clone(), service })
}

async fn pass(State(proxy): State<Proxy>, request: Request) -> Response {
    let is_safe = request.method().is_safe();
    match proxy.net.request(proxy.service, request).await {
        Ok(answer) => {
            let mut response = Response::new(Body::from(answer.body));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            response
        }
        Err(Lost { was_sent: true }) if !is_safe => {
            Problem::new(ErrorKind::DeadlineExceeded, "answer-lost", "The answer got lost.")
                .into_response()
        }
        Err(_) => {
            let detail = "The service cannot answer right now. Try again shortly.";
            Problem::new(ErrorKind::Unavailable, "service-unavailable", detail).into_response()
        }
    }
}
