//! Databases of earlier versions.

use std::time::Duration;

use kernel::Timestamp;
use payment::domain::{Answer, OrderId, Payment, PaymentId, Stage};
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::store::{Aggregate, Column, Schema, StoreError, Value as Cell};
use platform::testing::executor_in_sqlite;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::shop::{Shop, hasty};

/// A payment with the columns of before.
#[derive(Clone, Debug)]
struct Old {
    order: OrderId,
    reference: String,
    state: Value,
}

impl Serialize for Old {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.state.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Old {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("it is only ever written"))
    }
}

impl Aggregate for Old {
    const TABLE: &'static str = "payment";
    const COLUMNS: &'static [Column] = &[
        Column::unique("order_id"),
        Column::plain("status"),
        Column::unique("provider_reference"),
        Column::plain("next_check_at"),
        Column::plain("created_at"),
    ];

    fn columns(&self) -> Vec<Cell> {
        let nothing = None::<i64>;
        let order = self.order.uuid();
        vec![
            order.into(),
            "authorized".into(),
            self.reference.as_str().into(),
            nothing.into(),
            Timestamp::EPOCH.into(),
        ]
    }
}

struct Store {
    id: PaymentId,
    old: Old,
}

impl Command for Store {
    type Reply = ();
    type Error = StoreError;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Old>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), StoreError> {
        states.put(self.id.uuid(), self.old.clone());
        Ok(())
    }
}

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
    let order = OrderId::from_uuid(kernel::id::Uuid::from_u128(7));
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
    let old = Schema::new("payment", &payment::MIGRATIONS[..1]).aggregate::<Old>();
    let (executor, test) = executor_in_sqlite(&old, folder.path());
    let context = Context::background(&test.env, "test", Duration::from_secs(10));
    let (id, state) = given_up(order, &reference);
    executor.execute(&context, Store { id, old: Old { order, reference, state } }).await.unwrap();
    drop(executor);

    let shop = Shop::reopened(hasty(), folder.path());
    let before: Payment = shop.payment(order).await;
    assert_eq!(before.attention_since(), None);
    shop.reconcile().await;
    shop.settle(order).await;
    assert_eq!(shop.charge(order), Some((500, 0, 0, true)));
    assert_eq!(shop.status(order).await, "voided");
}
