//! The money of one payment as it moved, oldest first.

use platform::store::{Direction, Query};

use super::{Error, Payments};
use crate::domain::charge::MAX_OPERATIONS;
use crate::domain::{LedgerEntry, PaymentId};

impl Payments {
    /// All of it: a payment has a bounded number of operations.
    pub async fn ledger(&self, payment_id: PaymentId) -> Result<Vec<LedgerEntry>, Error> {
        self.get(payment_id).await?;
        let query = Query::new(2 * MAX_OPERATIONS as u32)
            .eq("payment_id", payment_id.uuid())
            .order("recorded_at", Direction::Ascending);
        let entries = self.executor.store().list::<LedgerEntry>(query).await?;
        Ok(entries.into_iter().map(|entry| entry.state).collect())
    }
}
