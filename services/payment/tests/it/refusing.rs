//! A provider that refuses to give money back, and a clock that is set back.

use std::time::Duration;

use contracts::ordering::v1::OrderCancelled;
use contracts::payment::v1::authorize_reply::Outcome;
use http::Method;
use serde_json::json;

use crate::orders::{envelope, hand};
use crate::shop::{Fault, Shop, hasty, on_each_engine};
use payment::domain::{OrderId, Payment, PaymentId};
use platform::idempotency::{IdempotencyKey, Lookup, SavedResponse};

/// Until the provider has refused something.
async fn cancel(shop: &Shop, order: OrderId) {
    let order_id = order.uuid().as_bytes().to_vec();
    let event = OrderCancelled { order_id, reason: "staff".to_owned(), ..Default::default() };
    hand(shop, &envelope(shop, order, 1, &event)).await;
    // It is worked on in the background, too.
    for _ in 0..100_000 {
        shop.reconcile().await;
        if !shop.attention().await.is_empty() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn keyed(shop: &Shop, key: &str) -> platform::testing::Client {
    shop.staff(&["payments:*"]).with("idempotency-key", key)
}

#[tokio::test]
async fn a_refused_void_lets_the_order_end_and_is_tried_until_it_is_done() {
    on_each_engine(hasty(), async |shop| {
        let (order, id) = shop.authorized(500).await;
        let (other, _) = shop.authorized(700).await;
        shop.provider.break_times("void", Fault::Refuse, 3);
        let reply = shop.try_void(order).await;
        assert_eq!((reply.done, reply.refused), (false, true));
        let again = shop.try_void(order).await;
        assert_eq!((again.done, again.refused), (false, true));
        // Nothing more can be taken, and staff see it.
        assert_eq!(shop.authorize(order, 500, "tok_approved").await, Outcome::Voided);
        let path = format!("/v1/admin/payments/{id}");
        let capture = keyed(shop, "c1").post(&format!("{path}/captures"), json!({})).await;
        assert_eq!(capture.expect(409).slug(), "payment-cancelled");
        assert_eq!(shop.attention().await, [order.to_string()]);
        let view = shop.staff(&["payments:read"]).get(&path).await.expect(200).body;
        assert_eq!(view["void_failure_code"], "not_today");
        assert_eq!(view["void_pending"], true);
        assert!(view["attention_since"].is_string() && view["next_check_at"].is_string(), "{view}");

        let payment = shop.settle(order).await;
        assert_eq!(payment.status().to_string(), "voided");
        assert_eq!(shop.charge(order), Some((500, 0, 0, true)));
        assert!(shop.attention().await.is_empty());
        assert!(shop.try_void(order).await.done);
        assert_eq!(shop.status(other).await, "authorized");
        let events = ["PaymentAuthorized", "PaymentAuthorized", "PaymentVoided"];
        assert_eq!(shop.events().await, events);
    })
    .await;
}

#[tokio::test]
async fn a_refused_refund_of_a_cancelled_order_is_tried_until_it_is_done() {
    on_each_engine(hasty(), async |shop| {
        let (order, id) = shop.authorized(1000).await;
        let path = format!("/v1/admin/payments/{id}");
        keyed(shop, "c1").post(&format!("{path}/captures"), json!({})).await.expect(201);
        // Staff's own, in doubt while the order is cancelled, and refused then.
        shop.provider.break_next("refund", Fault::LoseRequest);
        let wish = json!({"amount": {"amount": 300, "currency": "EUR"}, "reason": "returned"});
        keyed(shop, "r1").post(&format!("{path}/refunds"), wish).await.expect(202);
        shop.provider.break_times("refund", Fault::Refuse, 5);
        cancel(shop, order).await;
        assert_eq!(shop.attention().await, [order.to_string()]);
        let payment = shop.settle(order).await;
        assert!(payment.is_unwound(), "{payment:?}");
        assert_eq!(shop.charge(order), Some((1000, 1000, 1000, false)));
        assert_eq!(shop.status(order).await, "refunded");
        assert!(shop.attention().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_late_charge_whose_void_is_refused_goes_back_in_the_end() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        shop.provider.break_next("authorize", Fault::LoseRequest);
        assert_eq!(shop.authorize(order, 500, "tok_approved").await, Outcome::Unknown);
        assert!(shop.void(order).await);
        let payment = shop.payment(order).await;
        let late = payment::ports::Authorization {
            key: &payment.id.to_string(),
            order_id: order,
            amount: kernel::Money::new(500, kernel::Currency::EUR),
            token: &"tok_approved".parse().unwrap(),
        };
        payment::ports::Provider::authorize(&shop.provider.inner, late).await;
        shop.provider.break_times("void", Fault::Refuse, 2);
        shop.test.advance(Duration::from_secs(61));
        shop.reconcile().await;
        assert_eq!(shop.attention().await, [order.to_string()]);
        shop.settle(order).await;
        assert_eq!(shop.charge(order), Some((500, 0, 0, true)));
        assert_eq!(shop.status(order).await, "voided");
        assert_eq!(shop.events().await, ["PaymentVoided"]);
    })
    .await;
}

#[tokio::test]
async fn a_void_that_staff_asked_for_and_the_provider_refused_can_be_asked_for_anew() {
    on_each_engine(hasty(), async |shop| {
        let (order, id) = shop.authorized(500).await;
        let path = format!("/v1/admin/payments/{id}/void");
        shop.provider.break_next("void", Fault::Refuse);
        let void = async |key: &str| {
            let reply = keyed(shop, key).send(Method::POST, &path, None).await;
            (reply.status.as_u16(), reply.body)
        };
        let (status, refused) = void("v1").await;
        assert_eq!((status, &refused["void_failure_code"]), (200, &json!("not_today")));
        assert_eq!(refused["status"], "authorized");
        assert!(shop.attention().await.is_empty(), "staff were told");
        let (status, done) = void("v2").await;
        assert_eq!((status, &done["status"]), (200, &json!("voided")));
        assert_eq!(void("v1").await, (200, refused));
        assert_eq!(void("v2").await, (200, done));
        assert_eq!(shop.charge(order), Some((500, 0, 0, true)));
    })
    .await;
}

#[tokio::test]
async fn a_void_of_staff_on_a_cancelled_order_is_answered_though_it_is_refused() {
    on_each_engine(hasty(), async |shop| {
        let (order, id) = shop.authorized(500).await;
        let path = format!("/v1/admin/payments/{id}/void");
        shop.provider.break_next("void", Fault::LoseRequest);
        assert!(!shop.void(order).await);
        let pending = keyed(shop, "v1").send(Method::POST, &path, None).await.expect(202).body;
        let again = keyed(shop, "v1").send(Method::POST, &path, None).await.expect(202).body;
        assert_eq!(pending, again, "the same answer, though nothing was left to ask for");
        shop.settle(order).await;
        assert_eq!(shop.charge(order), Some((500, 0, 0, true)));
    })
    .await;
}

#[tokio::test]
async fn a_void_with_nothing_to_do_never_leaves_its_key_at_work_wherever_it_is_cut_off() {
    on_each_engine(hasty(), async |shop| {
        let (order, id) = shop.authorized(500).await;
        assert!(shop.void(order).await);
        let answer = |_: &Payment| SavedResponse::empty(204);
        for polls in 1..20 {
            let key = IdempotencyKey {
                owner: "staff:test".to_owned(),
                route: "POST /v1/admin/payments/{id}/void".to_owned(),
                key: polls.to_string(),
                fingerprint: "same".to_owned(),
            };
            let context = shop.context();
            let mut work = Box::pin(shop.payments.void(&context, Some(key.clone()), id, answer));
            for _ in 0..polls {
                if futures_util::poll!(work.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(work);
            // What was handed in is carried out; this waits behind it.
            assert!(shop.void(order).await);
            let saved = shop.executor.store().saved_response(&key).await.unwrap();
            assert!(matches!(saved, Lookup::Saved(_)), "after {polls} polls: {saved:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn work_that_is_outstanding_survives_a_clock_that_is_set_back() {
    let (shop, clock) = Shop::with_adjustable_clock(hasty());
    let order = shop.new_order();
    assert_eq!(shop.authorize(order, 500, "tok_timeout_after_charge").await, Outcome::Unknown);
    let (refused, id) = shop.authorized(700).await;
    shop.provider.break_times("void", Fault::Refuse, 2);
    assert!(shop.try_void(refused).await.refused);
    assert_eq!(PaymentId::of_order(refused), id);

    clock.set_back(Duration::from_hours(2));
    shop.reconcile().await;
    assert_eq!(shop.status(order).await, "authorized");
    let waiting = shop.payment(refused).await;
    let next = waiting.next_check_at().unwrap();
    assert!(next > shop.test.env.now(), "refused again, it waits once more");
    assert!(next.since(shop.test.env.now()) < Duration::from_mins(2));
    // What waits for its time is left alone.
    shop.reconcile().await;
    assert_eq!(shop.payment(refused).await, waiting);
    shop.settle(refused).await;
    assert_eq!(shop.charge(refused), Some((700, 0, 0, true)));
}
