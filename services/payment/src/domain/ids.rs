//! Ids. A payment's id follows from its order's, so that one order can only ever have one.

use kernel::id::{TypedId, Uuid};
use kernel::typed_id;

typed_id!(
    /// A payment. Also the key under which its authorization is known at the provider.
    PaymentId, "pay"
);
typed_id!(
    /// A capture. Also its key at the provider.
    CaptureId, "cap"
);
typed_id!(
    /// A refund. Also its key at the provider.
    RefundId, "ref"
);
typed_id!(
    /// An order; owned by ordering.
    OrderId, "ord"
);

/// The name space of the ids that this service derives.
const NAMESPACE: Uuid = Uuid::from_u128(0x8d0c_4f6e_52c1_4a57_9a0e_6f1d_3b7a_2c94);

/// An id of the time of `origin` and of parts that are kept apart, so that no two lists of parts
/// meet.
pub(super) fn derived(origin: Uuid, parts: &[&[u8]]) -> Uuid {
    kernel::id::v8_after(origin, NAMESPACE, &name(parts))
}

/// The same for what has no origin here.
pub(super) fn hashed(parts: &[&[u8]]) -> Uuid {
    kernel::id::v5(NAMESPACE, &name(parts))
}

fn name(parts: &[&[u8]]) -> Vec<u8> {
    let mut name = Vec::with_capacity(64);
    for part in parts {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part);
    }
    name
}

impl PaymentId {
    /// The one payment of an order.
    pub fn of_order(order: OrderId) -> Self {
        Self::from_uuid(derived(order.uuid(), &[b"payment", order.uuid().as_bytes()]))
    }

    /// The key under which a void of this payment is known at the provider.
    pub fn void_key(self) -> String {
        kernel::id::encode("void", self.uuid())
    }
}

impl RefundId {
    /// The refund that a cancelled payment asks for on its own, the `number`th of its refunds.
    pub fn of_cancellation(payment: PaymentId, number: usize) -> Self {
        let number = (number as u64).to_be_bytes();
        Self::from_uuid(derived(
            payment.uuid(),
            &[b"cancellation", payment.uuid().as_bytes(), &number],
        ))
    }
}

impl CaptureId {
    /// The capture of the whole sum that follows a confirmed order by itself.
    pub fn automatic(payment: PaymentId) -> Self {
        Self::from_uuid(derived(payment.uuid(), &[b"automatic", payment.uuid().as_bytes()]))
    }
}

/// Whether `text` could be a key of ours for a payment.
pub fn payment_of_key(text: &str) -> Option<PaymentId> {
    kernel::id::decode(PaymentId::PREFIX, text).ok().map(PaymentId::from_uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_one_payment_id_and_another_order_another() {
        let one = OrderId::from_uuid(Uuid::from_u128(1));
        let two = OrderId::from_uuid(Uuid::from_u128(2));
        assert_eq!(PaymentId::of_order(one), PaymentId::of_order(one));
        assert_ne!(PaymentId::of_order(one), PaymentId::of_order(two));
        assert_eq!(
            payment_of_key(&PaymentId::of_order(one).to_string()),
            Some(PaymentId::of_order(one))
        );
        assert_eq!(payment_of_key("cap_x"), None);
    }

    #[test]
    fn derived_ids_keep_their_parts_apart() {
        assert_ne!(hashed(&[b"ab", b"c"]), hashed(&[b"a", b"bc"]));
    }
}
