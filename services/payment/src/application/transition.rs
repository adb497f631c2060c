//! The one command of this service: one payment goes from a state to the next.

use std::marker::PhantomData;

use kernel::Timestamp;
use platform::bug;
use platform::executor::{Command, Keys, States};
use platform::idempotency::{IdempotencyKey, SavedResponse};

use super::Error;
use crate::domain::ledger::Cause;
use crate::domain::{Fact, LedgerEntry, Payment, PaymentId, Rejection, RequestKey};
use crate::ports::Outside;

/// What a change of a payment comes to.
pub struct Changed<R> {
    /// `None`: it stays as it is.
    pub payment: Option<Payment>,
    pub facts: Vec<Fact>,
    pub reply: R,
    /// A request that is answered by this, and how.
    answered: Option<(IdempotencyKey, SavedResponse)>,
}

impl<R> Changed<R> {
    pub const fn nothing(reply: R) -> Self {
        Self { payment: None, facts: Vec::new(), reply, answered: None }
    }

    pub const fn to(payment: Payment, facts: Vec<Fact>, reply: R) -> Self {
        Self { payment: Some(payment), facts, reply, answered: None }
    }

    /// Answers the request with this key, if it had one, in the same transaction.
    #[must_use]
    pub fn answered(mut self, key: Option<IdempotencyKey>, response: SavedResponse) -> Self {
        self.answered = key.map(|key| (key, response));
        self
    }
}

/// Applies `change` to the payment. Whatever it is, the events and ledger entries that follow from
/// its facts, and the answers that requests wait for, are part of the same transaction.
pub struct Transition<F, R> {
    payment_id: PaymentId,
    cause: Option<Cause>,
    outside: Outside,
    change: F,
    reply: PhantomData<fn() -> R>,
}

impl<F, R> Transition<F, R>
where
    F: Fn(Option<&Payment>, Timestamp) -> Result<Changed<R>, Rejection> + Send + Sync + 'static,
    R: Send + 'static,
{
    pub const fn new(payment_id: PaymentId, outside: Outside, change: F) -> Self {
        Self { payment_id, cause: None, outside, change, reply: PhantomData }
    }

    /// The change may move money because of this operation, and of no other.
    #[must_use]
    pub const fn moving(mut self, cause: Option<Cause>) -> Self {
        self.cause = cause;
        self
    }
}

impl<F, R> Command for Transition<F, R>
where
    F: Fn(Option<&Payment>, Timestamp) -> Result<Changed<R>, Rejection> + Send + Sync + 'static,
    R: Send + 'static,
{
    type Reply = R;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Payment>(self.payment_id.uuid());
        if let Some(cause) = self.cause {
            keys.add::<LedgerEntry>(cause.entry_id());
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<R, Error> {
        let id = self.payment_id.uuid();
        let changed = (self.change)(states.get::<Payment>(id), now)?;
        if let Some((key, response)) = changed.answered {
            states.finish(&key, response);
        }
        let Some(mut payment) = changed.payment else {
            return Ok(changed.reply);
        };
        for fact in &changed.facts {
            (self.outside.publish)(states, &payment, fact);
            let is_lost = matches!(fact, Fact::Refunded { .. }) && bug::is("refund-without-ledger");
            if let Some(entry) = LedgerEntry::of(self.payment_id, fact, now).filter(|_| !is_lost) {
                states.put(entry.id(), entry);
            }
        }
        for (operation, request) in payment.take_answerable() {
            let response = (self.outside.answer)(&payment, operation);
            states.finish(&key_of(request), response);
        }
        states.put(id, payment);
        Ok(changed.reply)
    }
}

/// The request as the domain keeps it.
pub fn request_of(key: &IdempotencyKey) -> RequestKey {
    RequestKey {
        owner: key.owner.clone(),
        route: key.route.clone(),
        key: key.key.clone(),
        fingerprint: key.fingerprint.clone(),
    }
}

fn key_of(request: RequestKey) -> IdempotencyKey {
    IdempotencyKey {
        owner: request.owner,
        route: request.route,
        key: request.key,
        fingerprint: request.fingerprint,
    }
}
