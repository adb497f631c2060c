//! One message of every event, with every field set. A sample never changes once it is shipped: what
//! a new field is worth is told by a further sample.

use contracts::{catalog, identity, inventory, ordering, payment};
use platform::event::{DecodeError, Event};

/// An event as it was shipped.
pub struct Sample {
    /// The event's type; of a further sample followed by what is new in it, `…v1.with-channel`.
    pub name: String,
    pub event_type: &'static str,
    /// As it is encoded today.
    pub bytes: Vec<u8>,
    /// Decodes as consumers do, and encodes again.
    pub round_trip: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
}

fn sample<E: Event>(event: &E) -> Sample {
    Sample {
        name: E::TYPE.to_owned(),
        event_type: E::TYPE,
        bytes: event.encode_to_vec(),
        round_trip: |bytes| E::decode(bytes).map(|event| event.encode_to_vec()),
    }
}

/// Sixteen bytes that tell one id from another.
fn id(n: u8) -> Vec<u8> {
    (0..16).map(|at| n.wrapping_mul(16).wrapping_add(at)).collect()
}

pub fn all() -> Vec<Sample> {
    let mut all = of_catalog();
    all.extend(of_identity());
    all.extend(of_inventory());
    all.extend(of_ordering());
    all.extend(of_payment());
    all
}

fn of_catalog() -> Vec<Sample> {
    use catalog::v1::{PriceChanged, ProductPublished, ProductWithdrawn, VariantPrice};
    let price = |n, currency: &str, price_minor| VariantPrice {
        variant_id: id(n),
        currency: currency.to_owned(),
        price_minor,
    };
    vec![
        sample(&ProductPublished {
            product_id: id(1),
            variant_ids: vec![id(2), id(3)],
            counts_follow: true,
        }),
        sample(&ProductWithdrawn {
            product_id: id(1),
            variant_ids: vec![id(2), id(3)],
            status: "archived".to_owned(),
        }),
        sample(&PriceChanged {
            product_id: id(1),
            prices: vec![price(2, "EUR", 1999), price(3, "JPY", 300)],
        }),
    ]
}

fn of_identity() -> Vec<Sample> {
    use identity::v1::{AccountErased, AccountRegistered, SessionRevoked};
    vec![
        sample(&AccountRegistered { account_id: id(4), kind: "customer".to_owned() }),
        sample(&AccountErased { account_id: id(4) }),
        sample(&SessionRevoked {
            session_id: id(5),
            account_id: id(4),
            reason: "logout".to_owned(),
        }),
    ]
}

fn of_inventory() -> Vec<Sample> {
    use inventory::v1::{ReservationExpired, StockChanged};
    vec![
        sample(&StockChanged {
            variant_id: id(2),
            location_id: id(6),
            on_hand: -3,
            reserved: 2,
            backorder: true,
            tracked: true,
        }),
        sample(&ReservationExpired { order_id: id(7) }),
    ]
}

fn of_ordering() -> Vec<Sample> {
    use ordering::v1::{OrderCancelled, OrderConfirmed, OrderLine, OrderPlaced, OrderRejected};
    let lines = || {
        let line =
            |n, quantity, price_minor| OrderLine { variant_id: id(n), quantity, price_minor };
        vec![line(2, 1, 1999), line(3, 9_999, 250)]
    };
    vec![
        sample(&OrderPlaced {
            order_id: id(7),
            customer_id: id(4),
            lines: lines(),
            total_minor: 2_501_749,
            currency: "EUR".to_owned(),
        }),
        sample(&OrderConfirmed {
            order_id: id(7),
            number: 1001,
            payment_id: id(8),
            lines: lines(),
            total_minor: 2_501_749,
            currency: "EUR".to_owned(),
        }),
        sample(&OrderRejected { order_id: id(7), reason: "payment_declined".to_owned() }),
        sample(&OrderCancelled {
            order_id: id(7),
            payment_id: id(8),
            reason: "staff".to_owned(),
            lines: lines(),
        }),
    ]
}

fn of_payment() -> Vec<Sample> {
    use payment::v1::{
        PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentVoided,
    };
    let currency = || "EUR".to_owned();
    vec![
        sample(&PaymentAuthorized {
            payment_id: id(8),
            order_id: id(7),
            amount_minor: 2_501_749,
            currency: currency(),
        }),
        sample(&PaymentDeclined {
            payment_id: id(8),
            order_id: id(7),
            code: "card_declined".to_owned(),
        }),
        sample(&PaymentVoided { payment_id: id(8), order_id: id(7) }),
        sample(&PaymentCaptured {
            payment_id: id(8),
            order_id: id(7),
            amount_minor: 1_000,
            captured_minor: 2_501_749,
            currency: currency(),
        }),
        sample(&PaymentRefunded {
            payment_id: id(8),
            order_id: id(7),
            refund_id: id(9),
            amount_minor: 500,
            refunded_minor: 700,
            currency: currency(),
        }),
    ]
}
