//! Numbers for operators.

use std::time::Duration;

/// How long the oldest open checkout has been open.
pub fn oldest_checkout(age: Duration) {
    metrics::gauge!("ordering_oldest_checkout_seconds").set(age.as_secs_f64());
}
