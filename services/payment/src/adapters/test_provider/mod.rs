//! The built-in payment provider for tests and demos. No real money moves.
//!
//! It plays a system outside of ours: it keeps its own ledger (in a file of its own when it is
//! given a folder, so that a killed shop still finds its charges afterwards), acts once per key
//! whoever asks how often, and goes wrong in the ways in which providers go wrong, chosen by
//! [`tokens`].

pub mod books;
mod file;
mod notify;
pub mod tokens;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Currency, Money, Timestamp};
use platform::Env;

use super::standard_webhooks::Secret;
use crate::domain::Answer;
use crate::ports::{Authorization, Delivery, DeliveryError, Method, Provider, Told};
use books::{Books, Charge, Line, Operation, Verdict};
use file::Ledger;
pub use file::NAME as FILE_NAME;
pub use notify::Callback;
use tokens::Behaviour;

/// The name of the test provider.
pub const NAME: &str = "test";

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Before each answer.
    pub latency: Duration,
    /// Before a call that times out is given up by this side.
    pub hang: Duration,
    /// Until `tok_needs_time` is decided.
    pub needs_time: Duration,
}

struct State {
    books: Books,
    ledger: Option<Ledger>,
}

pub struct TestProvider {
    env: Env,
    pace: Pace,
    secret: Secret,
    state: Mutex<State>,
    callback: OnceLock<Arc<dyn Callback>>,
}

impl TestProvider {
    /// With a ledger in memory.
    pub fn new(env: Env, pace: Pace, secret: Secret) -> Self {
        let state = State { books: Books::default(), ledger: None };
        Self { env, pace, secret, state: Mutex::new(state), callback: OnceLock::new() }
    }

    /// With a ledger in `folder`, going on from what stands there.
    pub fn open(env: Env, pace: Pace, secret: Secret, folder: &Path) -> std::io::Result<Self> {
        let this = Self::new(env, pace, secret);
        {
            let mut state = this.state();
            state.ledger = Some(Ledger::open(folder, &mut state.books)?);
        }
        Ok(this)
    }

    /// The charge made under one of our keys.
    pub fn charge(&self, key: &str) -> Option<Charge> {
        self.state().books.charge(key).cloned()
    }

    /// Every charge there is, in no order.
    pub fn charges(&self) -> Vec<Charge> {
        self.state().books.charges().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pause(&self, duration: Duration) {
        if !duration.is_zero() {
            self.env.sleep(duration).await;
        }
    }

    /// Writes the line and acts on it. When it cannot be written nothing was done, and nobody can
    /// tell from outside.
    fn enter(state: &mut State, line: &Line) -> bool {
        if let Some(ledger) = &mut state.ledger
            && let Err(error) = ledger.append(line)
        {
            tracing::warn!(%error, "the test provider cannot write its ledger");
            return false;
        }
        state.books.apply(line);
        true
    }

    /// The answer, and what the caller gets to hear of it.
    fn decide(&self, request: &Authorization<'_>) -> (Answer, Behaviour) {
        let (now, key) = (self.env.now(), request.key);
        let mut state = self.state();
        if let Some(answer) = state.books.answer(key, now) {
            return (answer, Behaviour::Approve);
        }
        let behaviour = tokens::behaviour(request.token.as_str());
        let lost_before = state.books.was_lost(key);
        let verdict = match behaviour {
            Behaviour::Decline(code) => Verdict::Refused(code.to_owned()),
            Behaviour::NeedsTime => Verdict::From(now.plus(self.pace.needs_time)),
            Behaviour::TimeoutWithoutCharge if !lost_before => Verdict::Lost,
            _ => Verdict::Done,
        };
        let line = Line {
            at: now,
            operation: Operation::Authorize,
            key: key.to_owned(),
            charge: None,
            order: Some(request.order_id.to_string()),
            amount_minor: request.amount.amount_minor(),
            currency: request.amount.currency(),
            verdict,
        };
        if !Self::enter(&mut state, &line) {
            return (Answer::Unknown, Behaviour::Approve);
        }
        let answer = state.books.answer(key, now).unwrap_or(Answer::Unknown);
        drop(state);
        self.tell(&line, key);
        let heard = if lost_before { Behaviour::Approve } else { behaviour };
        (answer, heard)
    }

    fn act(
        &self,
        operation: Operation,
        key: &str,
        reference: &str,
        amount: Option<Money>,
    ) -> Answer {
        let now = self.env.now();
        let mut state = self.state();
        if let Some(answer) = state.books.answer(key, now) {
            return answer;
        }
        let charge = state.books.charge_named(reference).cloned();
        let currency = charge.as_ref().map_or(Currency::EUR, |charge| charge.currency);
        let line = Line {
            at: now,
            operation,
            key: key.to_owned(),
            charge: Some(reference.to_owned()),
            order: None,
            amount_minor: amount.map_or(0, Money::amount_minor),
            currency: amount.map_or(currency, Money::currency),
            verdict: state.books.judge(operation, reference, amount, now),
        };
        if !Self::enter(&mut state, &line) {
            return Answer::Unknown;
        }
        let answer = state.books.answer(key, now).unwrap_or(Answer::Unknown);
        drop(state);
        if let Some(charge) = charge {
            self.tell(&line, &charge.key);
        }
        answer
    }
}

#[async_trait]
impl Provider for TestProvider {
    fn name(&self) -> &'static str {
        NAME
    }

    fn methods(&self) -> Vec<Method> {
        tokens::methods()
    }

    async fn authorize(&self, request: Authorization<'_>) -> Answer {
        self.pause(self.pace.latency).await;
        let (answer, behaviour) = self.decide(&request);
        match behaviour {
            Behaviour::TimeoutAfterCharge | Behaviour::TimeoutWithoutCharge => {
                self.pause(self.pace.hang).await;
                Answer::Unknown
            }
            Behaviour::ErrorAfterCharge => Answer::Unknown,
            Behaviour::Approve | Behaviour::Decline(_) | Behaviour::NeedsTime => answer,
        }
    }

    async fn capture(&self, key: &str, reference: &str, amount: Money) -> Answer {
        self.pause(self.pace.latency).await;
        self.act(Operation::Capture, key, reference, Some(amount))
    }

    async fn refund(&self, key: &str, reference: &str, amount: Money) -> Answer {
        self.pause(self.pace.latency).await;
        self.act(Operation::Refund, key, reference, Some(amount))
    }

    async fn void(&self, key: &str, reference: &str) -> Answer {
        self.pause(self.pace.latency).await;
        self.act(Operation::Void, key, reference, None)
    }

    async fn look_up(&self, key: &str) -> Answer {
        self.pause(self.pace.latency).await;
        self.state().books.answer(key, self.env.now()).unwrap_or(Answer::NeverSeen)
    }

    fn read_notification(
        &self,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Told, DeliveryError> {
        notify::read(&self.secret, delivery, now)
    }
}
