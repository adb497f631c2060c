//! Each way in which an authorization can go.

use std::time::Duration;

use contracts::payment::v1::authorize_reply::Outcome;
use kernel::ErrorKind;

use crate::shop::{Fault, hasty, on_each_engine};

#[tokio::test]
async fn each_token_has_its_documented_outcome() {
    on_each_engine(hasty(), async |shop| {
        for (token, first, code, in_the_end) in [
            ("tok_approved", Outcome::Authorized, "", "authorized"),
            ("tok_declined", Outcome::Declined, "card_declined", "declined"),
            ("tok_insufficient_funds", Outcome::Declined, "insufficient_funds", "declined"),
            ("tok_needs_time", Outcome::Unknown, "", "authorized"),
            ("tok_timeout_after_charge", Outcome::Unknown, "", "authorized"),
            ("tok_timeout_without_charge", Outcome::Unknown, "", "authorized"),
            ("tok_error_after_charge", Outcome::Unknown, "", "authorized"),
            ("tok_nobody_knows", Outcome::Declined, "invalid_token", "declined"),
        ] {
            let order = shop.new_order();
            let reply = shop.try_authorize(order, 1999, token).await.unwrap();
            assert_eq!((reply.outcome(), reply.decline_code.as_str()), (first, code), "{token}");
            shop.settle(order).await;
            assert_eq!(shop.status(order).await, in_the_end, "{token}");
            let charged = (in_the_end == "authorized").then_some((1999, 0, 0, false));
            assert_eq!(shop.charge(order), charged, "{token}");
        }
    })
    .await;
}

#[tokio::test]
async fn asking_again_after_a_time_out_finds_the_one_charge() {
    on_each_engine(hasty(), async |shop| {
        for token in ["tok_timeout_after_charge", "tok_error_after_charge"] {
            let order = shop.new_order();
            assert_eq!(shop.authorize(order, 500, token).await, Outcome::Unknown);
            assert_eq!(shop.status(order).await, "unknown");
            assert_eq!(shop.authorize(order, 500, token).await, Outcome::Authorized);
            assert_eq!(shop.charge(order), Some((500, 0, 0, false)));
        }
        assert_eq!(shop.provider.inner.charges().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn asking_again_after_a_lost_request_charges_once() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        let token = "tok_timeout_without_charge";
        assert_eq!(shop.authorize(order, 500, token).await, Outcome::Unknown);
        assert_eq!(shop.charge(order), None);
        assert_eq!(shop.authorize(order, 500, token).await, Outcome::Authorized);
        assert_eq!(shop.authorize(order, 500, token).await, Outcome::Authorized);
        assert_eq!(shop.charge(order), Some((500, 0, 0, false)));
        assert_eq!(shop.events().await, ["PaymentAuthorized"]);
    })
    .await;
}

#[tokio::test]
async fn a_payment_that_needs_time_is_settled_when_it_is_decided() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        assert_eq!(shop.authorize(order, 500, "tok_needs_time").await, Outcome::Unknown);
        assert_eq!(shop.status(order).await, "pending");
        assert_eq!(shop.authorize(order, 500, "tok_needs_time").await, Outcome::Unknown);
        shop.test.advance(Duration::from_secs(3));
        assert_eq!(shop.authorize(order, 500, "tok_needs_time").await, Outcome::Authorized);
    })
    .await;
}

#[tokio::test]
async fn the_same_order_asking_fifty_times_at_once_is_charged_once() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        let requests = (0..50).map(|_| shop.authorize(order, 500, "tok_approved"));
        let outcomes = futures_util::future::join_all(requests).await;
        assert!(outcomes.contains(&Outcome::Authorized));
        let other = |outcome: &Outcome| !matches!(outcome, Outcome::Authorized | Outcome::Unknown);
        assert!(!outcomes.iter().any(other), "{outcomes:?}");
        assert_eq!(shop.authorize(order, 500, "tok_approved").await, Outcome::Authorized);
        assert_eq!(shop.provider.inner.charges().len(), 1);
        assert_eq!(shop.events().await, ["PaymentAuthorized"]);
    })
    .await;
}

#[tokio::test]
async fn another_amount_for_the_same_order_is_refused() {
    on_each_engine(hasty(), async |shop| {
        let (order, _) = shop.authorized(500).await;
        let error = shop.try_authorize(order, 501, "tok_approved").await.unwrap_err();
        assert_eq!((error.kind, error.slug.as_str()), (ErrorKind::Conflict, "amount-mismatch"));
        assert_eq!(shop.charge(order), Some((500, 0, 0, false)));
    })
    .await;
}

#[tokio::test]
async fn nonsense_is_refused_and_nothing_is_recorded() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        for amount in [-1, i64::MAX, i64::MIN] {
            let error = shop.try_authorize(order, amount, "tok_approved").await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Invalid, "{amount}");
        }
        for token in ["", "4242424242424242", "two words", &"x".repeat(256)] {
            let reply = shop.try_authorize(order, 500, token).await.unwrap();
            assert_eq!(reply.decline_code, "invalid_token", "{token}");
        }
        let list = shop.staff(&["*"]).get("/v1/admin/payments").await.expect(200);
        assert_eq!(list.body["items"], serde_json::json!([]));
    })
    .await;
}

#[tokio::test]
async fn an_order_that_costs_nothing_is_authorized_without_the_provider() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        assert_eq!(shop.authorize(order, 0, "").await, Outcome::Authorized);
        assert_eq!(shop.charge(order), None);
        assert!(shop.void(order).await);
        assert_eq!(shop.status(order).await, "voided");
    })
    .await;
}

#[tokio::test]
async fn a_void_that_comes_before_its_try_refuses_it() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        assert!(shop.void(order).await);
        assert!(shop.void(order).await);
        assert_eq!(shop.authorize(order, 500, "tok_approved").await, Outcome::Voided);
        assert_eq!(shop.charge(order), None);
        assert_eq!(shop.events().await, ["PaymentVoided"]);
    })
    .await;
}

#[tokio::test]
async fn a_void_gives_the_authorization_back() {
    on_each_engine(hasty(), async |shop| {
        let (order, _) = shop.authorized(500).await;
        assert!(shop.void(order).await);
        assert!(shop.void(order).await);
        assert_eq!(shop.status(order).await, "voided");
        assert_eq!(shop.charge(order), Some((500, 0, 0, true)));
        assert_eq!(shop.authorize(order, 500, "tok_approved").await, Outcome::Voided);
        assert_eq!(shop.events().await, ["PaymentAuthorized", "PaymentVoided"]);
    })
    .await;
}

#[tokio::test]
async fn a_void_in_doubt_finds_the_charge_and_gives_it_back() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        let token = "tok_timeout_after_charge";
        assert_eq!(shop.authorize(order, 500, token).await, Outcome::Unknown);
        assert!(shop.void(order).await);
        assert_eq!(shop.charge(order), Some((500, 0, 0, true)));
        assert_eq!(shop.authorize(order, 500, token).await, Outcome::Voided);
    })
    .await;
}

#[tokio::test]
async fn a_void_in_doubt_never_makes_a_charge() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        let token = "tok_timeout_without_charge";
        assert_eq!(shop.authorize(order, 500, token).await, Outcome::Unknown);
        assert!(shop.void(order).await);
        assert_eq!(shop.status(order).await, "voided");
        shop.settle(order).await;
        assert_eq!(shop.charge(order), None);
    })
    .await;
}

#[tokio::test]
async fn a_charge_that_arrives_after_it_was_given_up_goes_back() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        shop.provider.break_next("authorize", Fault::LoseRequest);
        assert_eq!(shop.authorize(order, 500, "tok_approved").await, Outcome::Unknown);
        assert!(shop.void(order).await);
        // The request was only slow.
        let payment = shop.payment(order).await;
        let late = payment::ports::Authorization {
            key: &payment.id.to_string(),
            order_id: order,
            amount: kernel::Money::new(500, kernel::Currency::EUR),
            token: &"tok_approved".parse().unwrap(),
        };
        payment::ports::Provider::authorize(&shop.provider.inner, late).await;
        assert_eq!(shop.charge(order), Some((500, 0, 0, false)));
        shop.settle(order).await;
        assert_eq!(shop.charge(order), Some((500, 0, 0, true)));
        assert_eq!(shop.status(order).await, "voided");
    })
    .await;
}

#[tokio::test]
async fn a_void_whose_answer_is_lost_is_found_done() {
    on_each_engine(hasty(), async |shop| {
        let (order, _) = shop.authorized(500).await;
        shop.provider.break_next("void", Fault::LoseAnswer);
        assert!(!shop.void(order).await);
        shop.settle(order).await;
        assert!(shop.void(order).await);
        assert_eq!(shop.charge(order), Some((500, 0, 0, true)));
    })
    .await;
}
