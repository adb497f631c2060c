//! Calling somebody: what an operator must hear of, as a line of the log and a number to watch.

use crate::domain::Payment;

/// The provider refused to give back what a cancelled order holds.
pub fn give_back_refused(payment: &Payment) {
    metrics::counter!("payment_give_back_refused_total").increment(1);
    let (since, next) = (payment.attention_since(), payment.next_check_at());
    let text = "the provider refuses to give back what a cancelled order holds";
    tracing::error!(payment = %payment.id, ?since, ?next, "{text}");
}
