use kernel::id::Uuid;
use kernel::{Address, Currency, Quantity, Timestamp};

use super::cart::{Cart, CartLine, CartStatus};
use super::checkout::{RejectReason, Rejection};
use super::ids::{CartId, PaymentId, ProductId, VariantId};
use super::order::{Languages, Order, Stage, What};
use super::payment::PaymentStatus;
use super::pricing::Tariff;
use super::quote::{Quotes, VariantQuote, price};
use super::refusal::Refusal;
use super::scope::SecretHash;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

fn variant(n: u128) -> VariantId {
    VariantId::from_uuid(Uuid::from_u128(n))
}

fn quotes() -> Quotes {
    Quotes::new((1..=3).map(|n| VariantQuote {
        variant_id: variant(n),
        product_id: ProductId::from_uuid(Uuid::from_u128(n)),
        sku: Some(format!("SKU-{n}")),
        product_title: format!("Thing {n}"),
        variant_title: None,
        purchasable: n != 3,
        price_minor: 100 * n as i64,
        weight_grams: 10,
        requires_shipping: true,
        tax_class: None,
        image_url: None,
    }))
}

pub(super) fn cart(variants: &[u128]) -> Cart {
    let line = |n: &u128| CartLine { variant_id: variant(*n), quantity: Quantity::new(2).unwrap() };
    Cart {
        secret_hash: SecretHash::new([0; 32]),
        owner: None,
        currency: Currency::EUR,
        lines: variants.iter().map(line).collect(),
        email: Some("ada@example.com".parse().unwrap()),
        shipping_address: Some(Address {
            name: "Ada".into(),
            company: None,
            line1: "Street 1".into(),
            line2: None,
            city: "Berlin".into(),
            postal_code: None,
            region: None,
            country: "DE".parse().unwrap(),
            phone: None,
        }),
        billing_address: None,
        shipping_method_id: None,
        status: CartStatus::Open,
        created_at: NOW,
        expires_at: NOW,
        kept: crate::domain::kept::KeptAnswers::default(),
    }
}

pub(super) fn placed(cart: &Cart) -> Result<Order, Refusal> {
    let (quotes, tariff) = (quotes(), Tariff::default());
    let priced = price(cart, &quotes, &tariff)?;
    let languages =
        Languages { wanted: vec!["de-AT".parse().unwrap()], fallback: "en".parse().unwrap() };
    let id = CartId::from_uuid(Uuid::nil());
    Order::place(id, cart, &quotes, &priced, &tariff, &languages, NOW)
}

fn paid_by() -> PaymentId {
    PaymentId::from_uuid(Uuid::nil())
}

fn confirmed() -> Order {
    let mut order = placed(&cart(&[1, 2])).unwrap();
    order.confirm(1001, Some(paid_by()), NOW).unwrap();
    order
}

#[test]
fn an_order_holds_what_the_cart_held_at_the_prices_of_catalog() {
    let order = placed(&cart(&[1, 2])).unwrap();
    let lines: Vec<_> = order.lines.iter().map(|l| (l.price_minor, l.amount_minor)).collect();
    assert_eq!(lines, [(100, 200), (200, 400)]);
    assert_eq!(order.sums.total_minor, 200 + 400 + 490);
    assert_eq!(order.shipping.unwrap().name, "Standardversand");
    assert_eq!((order.stage.name(), order.timeline.len()), ("placed", 1));
}

#[test]
fn a_cart_that_lacks_something_makes_no_order() {
    let refused = |change: fn(&mut Cart)| {
        let mut cart = cart(&[1]);
        change(&mut cart);
        placed(&cart).unwrap_err()
    };
    assert_eq!(refused(|cart| cart.lines.clear()), Refusal::CartEmpty);
    assert_eq!(refused(|cart| cart.email = None), Refusal::EmailMissing);
    assert_eq!(refused(|cart| cart.shipping_address = None), Refusal::AddressMissing);
    let gone = placed(&cart(&[1, 3])).unwrap_err();
    assert_eq!(gone, Refusal::NotPurchasable(vec![("lines[1].variant_id".to_owned(), variant(3))]));
}

#[test]
fn stages_only_go_forward() {
    let mut order = confirmed();
    assert!(order.confirm(1002, None, NOW).is_err());
    assert!(order.reject(Rejection::of(RejectReason::TimedOut), NOW).is_err());
    order.cancel("wrong size".into(), "staff:1".into(), NOW).unwrap();
    assert!(matches!(order.stage, Stage::Cancelled { number: 1001, .. }));
    assert!(order.cancel("again".into(), "staff:1".into(), NOW).is_err());
    let mut rejected = placed(&cart(&[1])).unwrap();
    rejected.reject(Rejection::of(RejectReason::OutOfStock), NOW).unwrap();
    assert_eq!(rejected.number(), None);
    assert!(rejected.cancel("x".into(), "staff:1".into(), NOW).is_err());
}

#[test]
fn a_buyer_cancels_only_while_the_money_is_not_taken() {
    let mut order = confirmed();
    order.captured(paid_by(), 1, 1, NOW);
    assert_eq!(order.cancel_by_buyer("customer:1".into(), NOW), Err(Refusal::AlreadyCaptured));
    let mut order = confirmed();
    assert_eq!(order.cancel_by_buyer("customer:1".into(), NOW), Ok(()));
}

#[test]
fn money_that_comes_back_after_a_cancel_is_still_followed() {
    let mut order = confirmed();
    let total = order.sums.total_minor;
    order.captured(paid_by(), total, total, NOW);
    assert_eq!(order.payment_status(), Some(PaymentStatus::Captured));
    order.cancel("broken".into(), "staff:1".into(), NOW).unwrap();
    order.refunded(total, total, NOW);
    assert_eq!(order.payment_status(), Some(PaymentStatus::Refunded));
    let last = order.timeline.last().map(|happening| happening.what.clone());
    assert_eq!(last, Some(What::PaymentRefunded { amount_minor: total }));
}

#[test]
fn the_payment_of_a_rejected_order_is_none_of_its_business() {
    let mut order = placed(&cart(&[1])).unwrap();
    order.reject(Rejection::of(RejectReason::TimedOut), NOW).unwrap();
    order.voided(NOW);
    assert_eq!((order.payment_status(), order.timeline.len()), (None, 2));
}

#[test]
fn money_that_was_taken_before_the_confirmation_is_not_forgotten() {
    let mut order = placed(&cart(&[1, 2])).unwrap();
    let total = order.sums.total_minor;
    order.captured(paid_by(), 100, 100, NOW);
    assert_eq!(order.payment_status(), Some(PaymentStatus::PartiallyCaptured));
    order.confirm(1001, Some(paid_by()), NOW).unwrap();
    assert_eq!(order.payment_status(), Some(PaymentStatus::PartiallyCaptured));
    assert_eq!(order.cancel_by_buyer("customer:1".into(), NOW), Err(Refusal::AlreadyCaptured));
    order.captured(paid_by(), total - 100, total, NOW);
    assert_eq!(order.payment_status(), Some(PaymentStatus::Captured));

    // The checkout fails after all: what was taken, and that it came back, stands in the order.
    let mut order = placed(&cart(&[1])).unwrap();
    let total = order.sums.total_minor;
    order.captured(paid_by(), total, total, NOW);
    order.reject(Rejection::of(RejectReason::TimedOut), NOW).unwrap();
    assert_eq!(order.payment_status(), Some(PaymentStatus::Captured));
    order.refunded(total, total, NOW);
    assert_eq!(order.payment_status(), Some(PaymentStatus::Refunded));
    let whats: Vec<_> = order.timeline.iter().map(|happening| happening.what.clone()).collect();
    assert_eq!(whats[1], What::PaymentCaptured { amount_minor: total });
    assert_eq!(whats[3], What::PaymentRefunded { amount_minor: total });
    // The event of a capture may also come after the rejection.
    let mut order = placed(&cart(&[1])).unwrap();
    order.reject(Rejection::of(RejectReason::TimedOut), NOW).unwrap();
    order.captured(paid_by(), total, total, NOW);
    assert_eq!(order.payment_status(), Some(PaymentStatus::Captured));
}

#[test]
fn an_order_that_was_stored_before_its_stage_knew_of_money_is_read() {
    let order = placed(&cart(&[1])).unwrap();
    let stored = serde_json::to_value(&order).unwrap();
    assert_eq!(stored["stage"], serde_json::json!({"status": "placed"}));
    assert_eq!(serde_json::from_value::<Order>(stored).unwrap(), order);
}
