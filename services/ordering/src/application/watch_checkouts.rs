//! How long the oldest checkout has been open: what an operator is alarmed by.

use std::time::Duration;

use kernel::Timestamp;
use kernel::id::Uuid;
use platform::executor::Executor;
use platform::store::{Direction, Query};

use super::error::Error;
use crate::domain::Checkout;

/// The most overdue ones. When there are more, the oldest is old enough for anybody.
const PAGE: u32 = 500;

/// Since when the oldest checkout that has not ended has been open; zero when none is.
pub async fn oldest_checkout(executor: &Executor) -> Result<Duration, Error> {
    let open = Query::new(PAGE).eq("status", "open").order("deadline_at", Direction::Ascending);
    let rows = executor.store().list::<Checkout>(open).await?;
    let now = executor.env().now();
    let begun = rows.iter().map(|row| begun_at(row.id)).min();
    Ok(begun.map_or(Duration::ZERO, |begun| now.since(begun)))
}

/// A checkout has its order's id, and that begins with the moment when the order was placed.
fn begun_at(id: Uuid) -> Timestamp {
    let milliseconds = i64::try_from(id.as_u128() >> 80).unwrap_or(i64::MAX);
    Timestamp::from_micros(milliseconds.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_it_was_made() {
        let id = kernel::id::v7(1_700_000_000_123, [0xff; 10]);
        assert_eq!(begun_at(id), Timestamp::from_micros(1_700_000_000_123_000));
    }
}
