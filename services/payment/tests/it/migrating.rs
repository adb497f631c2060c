//! Databases of earlier versions.

use payment::domain::{Answer, OrderId, Payment, PaymentId, Stage};
use platform::store::Schema;
use platform::testing::executor_in_sqlite;
use serde_json::{Value, json};

use crate::shop::{Shop, hasty};

/// A cancelled payment whose void the provider refused, as it was stored when such a void was given
/// up.
fn given_up(order: OrderId, reference: &str) -> (PaymentId, Value) {
    let now = kernel::Timestamp::EPOCH;
    let new = payment::domain::NewPayment {
        order_id: order,
        amount: kernel::Money::new(500, kernel::Currency::EUR),
        token: "tok_approved".parse().ok(),
        provider: "test".into(),
    };
    let (mut payment, ..) = new.begin(std::time::Duration::from_secs(5), now).unwrap();
    payment.settle_authorization(&Answer::Done { reference: reference.to_owned() }, now);
    payment.cancel("timed_out", now);
    let mut state = serde_json::to_value(&payment).unwrap();
    let void = &mut state["stage"]["authorized"]["void"];
    void["progress"] = json!({"failed": {"at": now, "code": "not_today"}});
    assert!(void.get("refused").is_none());
    assert!(matches!(payment.stage, Stage::Authorized(_)));
    (payment.id, state)
}

#[tokio::test]
async fn a_void_that_was_given_up_before_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let (executor, test) =
        executor_in_sqlite(&Schema::new("payment", &payment::MIGRATIONS[..1]), folder.path());
    drop(executor);
    let order: OrderId = test.env.id();
    // The provider has the charge.
    let reference = {
        let shop = Shop::reopened_elsewhere(hasty(), folder.path());
        let id = PaymentId::of_order(order).to_string();
        let request = payment::ports::Authorization {
            key: &id,
            order_id: order,
            amount: kernel::Money::new(500, kernel::Currency::EUR),
            token: &"tok_approved".parse().unwrap(),
        };
        let answer = payment::ports::Provider::authorize(&shop.provider.inner, request).await;
        let Answer::Done { reference } = answer else { panic!("it approves") };
        reference
    };
    let (id, state) = given_up(order, &reference);
    let database = rusqlite::Connection::open(folder.path().join("payment.db")).unwrap();
    database
        .execute(
            "INSERT INTO payment (id, version, seq, order_id, status, provider_reference, \
             next_check_at, created_at, state) VALUES (?, 3, 1, ?, 'authorized', ?, NULL, 0, ?)",
            (
                id.uuid().as_bytes().to_vec(),
                order.uuid().as_bytes().to_vec(),
                &reference,
                state.to_string(),
            ),
        )
        .unwrap();
    drop(database);

    let shop = Shop::reopened(hasty(), folder.path());
    let before: Payment = shop.payment(order).await;
    assert_eq!(before.attention_since(), None);
    shop.reconcile().await;
    shop.settle(order).await;
    assert_eq!(shop.charge(order), Some((500, 0, 0, true)));
    assert_eq!(shop.status(order).await, "voided");
}
