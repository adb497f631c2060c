//! What the test provider tells on its own, when somebody listens.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::TestProvider;
use super::books::{Line, Operation, Verdict, reference};
use crate::adapters::standard_webhooks::Secret;
use crate::domain::ids::payment_of_key;
use crate::ports::{Delivery, DeliveryError, Told};

/// Where notifications go: an HTTP client, or a test's inbox.
#[async_trait]
pub trait Callback: Send + Sync + 'static {
    async fn deliver(&self, delivery: Delivery);
}

#[derive(Serialize, Deserialize)]
struct Body {
    r#type: String,
    data: Data,
}

#[derive(Serialize, Deserialize)]
struct Data {
    /// The key under which the charge was made.
    charge_key: String,
    /// The key of what happened to it.
    key: String,
}

/// Events that this service knows what to do about.
const KNOWN: [&str; 5] =
    ["charge.authorized", "charge.declined", "charge.captured", "charge.refunded", "charge.voided"];

pub(super) fn read(
    secret: &Secret,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Told, DeliveryError> {
    let event_id = secret.verify(delivery, now)?.to_owned();
    let body: Body = serde_json::from_slice(&delivery.body)
        .map_err(|error| DeliveryError::Malformed(error.to_string()))?;
    let known = KNOWN.contains(&body.r#type.as_str());
    let kind: String = body.r#type.chars().take(64).collect();
    let payment_id = payment_of_key(&body.data.charge_key).filter(|_| known);
    Ok(Told { event_id, kind, payment_id })
}

impl TestProvider {
    /// From now on everything that happens is told to `callback`, once.
    pub fn notify(&self, callback: Arc<dyn Callback>) {
        // A second listener would be a mistake of the wiring; the first one stays.
        let _ = self.callback.set(callback);
    }

    /// A signed notification that `kind` happened under `key` to the charge made under
    /// `charge_key`. The same event has the same id each time.
    pub fn notification(&self, kind: &str, charge_key: &str, key: &str) -> Delivery {
        let body = Body {
            r#type: kind.to_owned(),
            data: Data { charge_key: charge_key.to_owned(), key: key.to_owned() },
        };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        self.secret.sign(&reference("evt", &format!("{kind} {key}")), self.env.now(), body)
    }

    pub(super) fn tell(&self, line: &Line, charge_key: &str) {
        let Some(callback) = self.callback.get().cloned() else {
            return;
        };
        let kind = match (&line.verdict, line.operation) {
            (Verdict::Refused(_), Operation::Authorize) => "charge.declined",
            (Verdict::Lost | Verdict::Refused(_), _) => return,
            (_, Operation::Authorize) => "charge.authorized",
            (_, Operation::Capture) => "charge.captured",
            (_, Operation::Refund) => "charge.refunded",
            (_, Operation::Void) => "charge.voided",
        };
        let after = match line.verdict {
            Verdict::From(time) => time.since(line.at),
            _ => Duration::ZERO,
        };
        let delivery = self.notification(kind, charge_key, &line.key);
        let env = self.env.clone();
        self.env.spawn("test provider notification", async move {
            if !after.is_zero() {
                env.sleep(after).await;
            }
            callback.deliver(delivery).await;
        });
    }
}
