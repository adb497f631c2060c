//! What this service needs of the world: a payment provider, and a way to tell others.

use async_trait::async_trait;
use kernel::{Money, Timestamp};
use platform::executor::States;
use platform::idempotency::SavedResponse;

use crate::domain::{Answer, Fact, OperationId, OrderId, Payment, PaymentId, PaymentToken};

/// A payment service provider.
///
/// Every operation carries our key. The provider must act at most once per key and answer a
/// repeated key as it answered the first time (as Stripe's `Idempotency-Key` does). An adapter
/// answers [`Answer::Unknown`] for everything that does not prove whether the provider acted: a
/// time-out, a broken connection, a 5xx. It never retries on its own and need not watch the clock:
/// the caller does both.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// A short, stable name, part of stored payments and of the notifications' path.
    fn name(&self) -> &'static str;

    /// The ways to pay that a shop front can offer.
    fn methods(&self) -> Vec<Method>;

    /// Holds the amount. Never [`Answer::NeverSeen`].
    async fn authorize(&self, request: Authorization<'_>) -> Answer;

    /// Takes a part of the held amount. May be called several times with several keys.
    async fn capture(&self, key: &str, reference: &str, amount: Money) -> Answer;

    /// Gives back a part of what was captured.
    async fn refund(&self, key: &str, reference: &str, amount: Money) -> Answer;

    /// Gives back what is held and not captured. An authorization that has lapsed counts as given
    /// back.
    async fn void(&self, key: &str, reference: &str) -> Answer;

    /// What became of the request with this key, of whichever operation.
    async fn look_up(&self, key: &str) -> Answer;

    /// Checks that a notification is the provider's and recent, and says what it is about.
    fn read_notification(&self, delivery: &Delivery, now: Timestamp)
    -> Result<Told, DeliveryError>;
}

#[derive(Clone, Copy, Debug)]
pub struct Authorization<'a> {
    pub key: &'a str,
    pub order_id: OrderId,
    pub amount: Money,
    pub token: &'a PaymentToken,
}

/// A way to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// For test methods: the token itself. For real ones: what the provider's form is opened with.
    pub token: String,
    pub description: String,
    /// No real money moves.
    pub test: bool,
}

/// A notification as it came in: header names in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Delivery {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// What a genuine notification says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The same in each delivery of the same event.
    pub event_id: String,
    pub kind: String,
    /// `None` when it is about nothing that we know.
    pub payment_id: Option<PaymentId>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Not signed, wrongly signed, or too old. The text names no secret.
    #[error("{0}")]
    NotGenuine(&'static str),
    /// Genuine, and not understandable.
    #[error("the notification's body is not what the provider documents: {0}")]
    Malformed(String),
}

/// How a change becomes visible outside this service: what the adapters of the bus and of HTTP do,
/// without their types.
#[derive(Clone, Copy)]
pub struct Outside {
    /// Emits the event that belongs to a fact, in the transaction of the change.
    pub publish: fn(&mut States<'_>, &Payment, &Fact),
    /// Calls somebody: the provider refused, once more, to give back what a cancelled order holds.
    pub alarm: fn(&Payment),
    /// The answer to the request that asked for an operation.
    pub answer: fn(&Payment, OperationId) -> SavedResponse,
}
