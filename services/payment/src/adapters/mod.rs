//! The world outside: tables, events, REST, gRPC, providers. What is decided, is decided in the
//! domain; here it is only translated.

pub mod alarm;
pub mod events;
pub mod grpc;
pub mod http;
pub mod standard_webhooks;
pub mod store;
pub mod test_provider;

use crate::ports::Outside;

/// How changes of payments become visible.
pub fn outside() -> Outside {
    Outside { publish: events::publish, alarm: alarm::give_back_refused, answer: http::answer }
}
