//! One payment.

use super::{Error, Payments};
use crate::domain::{OrderId, Payment, PaymentId, Rejection};

impl Payments {
    pub async fn get(&self, id: PaymentId) -> Result<Payment, Error> {
        let found = self.executor.store().get::<Payment>(id.uuid()).await?;
        Ok(found.ok_or(Rejection::NoPayment)?.state)
    }

    pub async fn get_of_order(&self, order_id: OrderId) -> Result<Payment, Error> {
        self.get(PaymentId::of_order(order_id)).await
    }
}
