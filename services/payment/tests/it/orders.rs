//! What becomes of an order becomes of its payment.

use contracts::ordering::v1;
use contracts::payment::v1::authorize_reply::Outcome;
use payment::domain::OrderId;
use platform::event::{Envelope, Event};
use prost::Message as _;

use crate::shop::{Fault, Shop, automatic, hasty, on_each_engine};

pub fn envelope<E: Event>(shop: &Shop, order: OrderId, version: u64, event: &E) -> Envelope {
    Envelope {
        id: shop.test.env.uuid(),
        event_type: E::TYPE.to_owned(),
        source: "ordering".to_owned(),
        aggregate_type: "order".to_owned(),
        aggregate_id: order.uuid(),
        aggregate_version: version,
        time: shop.test.env.now(),
        correlation: "test".into(),
        causation: None,
        traceparent: None,
        data: event.encode_to_vec(),
        passed_over: 0,
    }
}

pub async fn hand(shop: &Shop, envelope: &Envelope) {
    let consumer = &shop.service.consumers[0];
    assert_eq!(consumer.sources, ["ordering"]);
    consumer.take(&shop.executor, &shop.context(), envelope).await.unwrap();
}

fn confirmed(shop: &Shop, order: OrderId, version: u64) -> Envelope {
    let order_id = order.uuid().as_bytes().to_vec();
    envelope(shop, order, version, &v1::OrderConfirmed { order_id, ..Default::default() })
}

fn cancelled(shop: &Shop, order: OrderId, version: u64) -> Envelope {
    let order_id = order.uuid().as_bytes().to_vec();
    let reason = "customer changed their mind".to_owned();
    envelope(shop, order, version, &v1::OrderCancelled { order_id, reason, ..Default::default() })
}

fn rejected(shop: &Shop, order: OrderId, version: u64) -> Envelope {
    let order_id = order.uuid().as_bytes().to_vec();
    let reason = "timed_out".to_owned();
    envelope(shop, order, version, &v1::OrderRejected { order_id, reason })
}

#[tokio::test]
async fn a_confirmed_order_is_captured_when_the_shop_captures_automatically() {
    on_each_engine(automatic(), async |shop| {
        let (order, _) = shop.authorized(1000).await;
        let event = confirmed(shop, order, 1);
        hand(shop, &event).await;
        hand(shop, &event).await;
        shop.settle(order).await;
        assert_eq!(shop.status(order).await, "captured");
        assert_eq!(shop.charge(order), Some((1000, 1000, 0, false)));
        assert_eq!(shop.events().await, ["PaymentAuthorized", "PaymentCaptured"]);
    })
    .await;
}

#[tokio::test]
async fn a_confirmed_order_waits_for_staff_otherwise() {
    on_each_engine(hasty(), async |shop| {
        let (order, _) = shop.authorized(1000).await;
        hand(shop, &confirmed(shop, order, 1)).await;
        shop.settle(order).await;
        assert_eq!(shop.status(order).await, "authorized");
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_order_gets_its_authorization_voided() {
    on_each_engine(hasty(), async |shop| {
        let (order, _) = shop.authorized(1000).await;
        hand(shop, &confirmed(shop, order, 1)).await;
        let event = cancelled(shop, order, 2);
        hand(shop, &event).await;
        hand(shop, &event).await;
        let payment = shop.settle(order).await;
        assert!(payment.is_unwound());
        assert_eq!(shop.charge(order), Some((1000, 0, 0, true)));
        assert_eq!(shop.events().await, ["PaymentAuthorized", "PaymentVoided"]);
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_order_gets_its_capture_refunded_once() {
    on_each_engine(automatic(), async |shop| {
        let (order, _) = shop.authorized(1000).await;
        hand(shop, &confirmed(shop, order, 1)).await;
        shop.settle(order).await;
        shop.provider.break_next("refund", Fault::LoseAnswer);
        hand(shop, &cancelled(shop, order, 2)).await;
        let payment = shop.settle(order).await;
        assert!(payment.is_unwound());
        assert_eq!(shop.status(order).await, "refunded");
        assert_eq!(shop.charge(order), Some((1000, 1000, 1000, false)));
        let events = shop.events().await;
        assert_eq!(events, ["PaymentAuthorized", "PaymentCaptured", "PaymentRefunded"]);
    })
    .await;
}

#[tokio::test]
async fn a_cancel_while_the_capture_is_in_doubt_waits_for_it_and_refunds() {
    on_each_engine(automatic(), async |shop| {
        let (order, _) = shop.authorized(1000).await;
        shop.provider.break_next("capture", Fault::LoseAnswer);
        hand(shop, &confirmed(shop, order, 1)).await;
        hand(shop, &cancelled(shop, order, 2)).await;
        let payment = shop.settle(order).await;
        assert!(payment.is_unwound(), "{payment:?}");
        let (_, captured, refunded, _) = shop.charge(order).unwrap();
        assert_eq!(captured, refunded);
    })
    .await;
}

#[tokio::test]
async fn a_rejected_order_without_a_payment_leaves_a_mark() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        hand(shop, &rejected(shop, order, 1)).await;
        assert_eq!(shop.status(order).await, "voided");
        assert_eq!(shop.authorize(order, 1000, "tok_approved").await, Outcome::Voided);
        assert_eq!(shop.charge(order), None);
    })
    .await;
}

#[tokio::test]
async fn a_declined_payment_of_a_rejected_order_stays_declined() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        assert_eq!(shop.authorize(order, 1000, "tok_declined").await, Outcome::Declined);
        hand(shop, &rejected(shop, order, 1)).await;
        shop.settle(order).await;
        assert_eq!(shop.status(order).await, "declined");
        assert!(shop.void(order).await);
    })
    .await;
}

#[tokio::test]
async fn an_event_whose_order_is_no_id_is_an_error_and_others_are_passed_over() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        let mut event = cancelled(shop, order, 1);
        event.data = v1::OrderCancelled { order_id: vec![1], ..Default::default() }.encode_to_vec();
        let handler = &shop.service.consumers[0].handler;
        assert!(handler.handle(&shop.context(), &event).await.is_err());
        let placed = envelope(shop, order, 1, &v1::OrderPlaced::default());
        hand(shop, &placed).await;
    })
    .await;
}
