//! Reservations whose time is over give their units back.

use futures_util::future::join_all;
use platform::Context;
use platform::store::{Direction, Query};

use super::settle_order::Settle;
use super::{Error, Inventory};
use crate::domain::{OrderId, Reservation};

/// How many end in one go; they are decided concurrently and so committed together.
const ROUND: u32 = 200;
/// How many rounds before the task gives way; the next run goes on.
const ROUNDS: u32 = 50;

impl Inventory {
    /// Ends what is due. Returns how many that were. The command looks again: a reservation that
    /// was committed meanwhile stays committed.
    pub async fn expire_due(&self, context: &Context) -> Result<u64, Error> {
        let mut expired = 0;
        for _ in 0..ROUNDS {
            let query = Query::new(ROUND)
                .le("expires_at", self.executor.env().now())
                .order("expires_at", Direction::Ascending);
            let due = self.store().list::<Reservation>(query).await?;
            let ends = due.iter().map(|reservation| {
                let order = OrderId::from_uuid(reservation.id);
                self.executor.execute(context, Settle::expiry(order, &reservation.lines))
            });
            // One that fails must not keep the others, but it must be heard of.
            let mut failure = None;
            for outcome in join_all(ends).await {
                match outcome {
                    Ok(()) => expired += 1,
                    Err(error) => failure = Some(error),
                }
            }
            if let Some(error) = failure {
                return Err(error);
            }
            if due.len() < ROUND as usize {
                break;
            }
        }
        Ok(expired)
    }
}
