//! The checkout saga as data and one pure function.
//!
//! Forward: reserve stock, authorize money, confirm. Confirming is the pivot: before it everything
//! can be undone, after it nothing has to be. Backward: **first the decision to undo is committed**
//! ([`Command::Unwind`]), then money is voided, then stock released, then the order rejected. A
//! driver that still runs forward meets that commit when it tries to confirm, and loses; so two
//! drivers of one saga, or a driver from before a crash, can never confirm what another undoes.
//!
//! Only an order that got nothing (out of stock) is rejected without unwinding. A provider that
//! refuses to give money back does not keep the order open: payment goes on asking.

use std::time::Duration;

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{CartId, PaymentId, VariantId};
use super::payment::PaymentToken;

/// Why an order was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    OutOfStock,
    PaymentDeclined,
    PaymentUnresolved,
    TimedOut,
}

impl RejectReason {
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfStock => "out_of_stock",
            Self::PaymentDeclined => "payment_declined",
            Self::PaymentUnresolved => "payment_unresolved",
            Self::TimedOut => "timed_out",
        }
    }
}

/// A variant that inventory could not give as many of as the order wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    pub variant_id: VariantId,
    pub requested: u32,
    pub available: u32,
}

/// What is told to the buyer of a rejected order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    pub reason: RejectReason,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortages: Vec<Shortage>,
    /// The provider's stable reason, when the payment was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
}

impl Rejection {
    pub const fn of(reason: RejectReason) -> Self {
        Self { reason, shortages: Vec::new(), decline_code: None }
    }
}

/// Where the saga is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Reserve,
    Authorize,
    Confirm {
        payment: Option<PaymentId>,
    },
    /// The decision to undo is being committed.
    Unwind {
        rejection: Rejection,
    },
    Void {
        rejection: Rejection,
    },
    Release {
        rejection: Rejection,
    },
    Reject {
        rejection: Rejection,
    },
    Confirmed,
    Rejected,
}

/// The key of the request that started a checkout; the saga's end stores the answer under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestKey {
    pub owner: String,
    pub route: String,
    pub key: String,
    pub fingerprint: String,
}

/// The saga of one order; its id is the order's.
///
/// What is stored is where a new driver begins: at `Reserve` until something has to be undone, for
/// asking again costs nothing (every participant answers the same order the same way), then at
/// `Void`, then at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    pub cart_id: CartId,
    pub amount: Money,
    /// Gone when the saga has ended.
    pub payment_token: Option<PaymentToken>,
    pub request: Option<RequestKey>,
    /// Requests that completed the cart when it was being ordered already; they get the same answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<RequestKey>,
    pub step: Step,
    /// How often the current step was tried, from 0.
    pub attempt: u32,
    /// Counts commands; a reply that names another turn is not awaited.
    pub turn: u32,
    /// From then on a reservation that does not answer is given up.
    pub reserve_by: Timestamp,
    /// Until then inventory holds the goods.
    pub reserved_until: Timestamp,
    /// How long before that the saga stops going forward, so that what follows the confirmation
    /// still finds the goods reserved.
    pub margin: Duration,
    /// When a driver that is not this process should look after it. Whoever drives it moves this on.
    pub deadline_at: Timestamp,
}

/// What the driver has to do, and reply to with the same turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Reserve {
        expires_at: Timestamp,
    },
    Authorize {
        amount: Money,
        token: PaymentToken,
    },
    Confirm {
        payment: Option<PaymentId>,
    },
    /// Commit the decision to undo.
    Unwind {
        rejection: Rejection,
    },
    Void {
        reason: RejectReason,
    },
    Release,
    Reject {
        rejection: Rejection,
    },
}

/// A command, when to begin it, and the turn that its reply must name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub turn: u32,
    pub after: Duration,
    pub command: Command,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Reserved,
    OutOfStock(Vec<Shortage>),
    /// The order's goods were released before.
    AlreadyReleased,
    Authorized(PaymentId),
    Declined(String),
    /// Nobody knows yet whether money was authorized.
    PaymentUnknown,
    AlreadyVoided,
    /// The provider refuses to give the money back: payment keeps asking, and nobody need wait.
    VoidRefused,
    /// The step is done: confirmed, unwound, voided, released or rejected.
    Done,
    /// Confirming came too late for the reservation.
    TooLate,
    /// No answer, or an answer that says nothing. What was asked may have happened.
    NoAnswer,
}

/// Far more than a buyer sends, and few enough to be stored with the saga.
const MAX_JOINED: usize = 32;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Checkout {
    /// Has nothing been undone yet, and nothing been decided?
    pub const fn is_forward(&self) -> bool {
        matches!(self.step, Step::Reserve | Step::Authorize | Step::Confirm { .. })
    }

    pub const fn is_done(&self) -> bool {
        matches!(self.step, Step::Confirmed | Step::Rejected)
    }

    /// Would a confirmation now come too late for the reservation?
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        now >= self.reserved_until.minus(self.margin)
    }

    /// Ends the saga: what it no longer needs, it forgets. Hands out the requests to answer.
    pub fn end(&mut self, step: Step) -> Vec<RequestKey> {
        self.step = step;
        self.payment_token = None;
        self.attempt = 0;
        let joined = std::mem::take(&mut self.joined);
        self.request.take().into_iter().chain(joined).collect()
    }

    /// One more request that is answered with the end of this checkout. False when it has too many.
    pub fn join(&mut self, request: RequestKey) -> bool {
        let room = self.joined.len() < MAX_JOINED;
        if room {
            self.joined.push(request);
        }
        room
    }

    /// Nothing waits for longer than `reserve` and `reservation` from now. A clock that was set back
    /// since the checkout began would make it so.
    #[must_use]
    pub fn within(mut self, now: Timestamp, reserve: Duration, reservation: Duration) -> Self {
        self.reserve_by = self.reserve_by.min(now.plus(reserve));
        self.reserved_until = self.reserved_until.min(now.plus(reservation));
        self
    }

    /// The command a driver begins with, after a start or a crash.
    pub fn begin(mut self, now: Timestamp) -> (Self, Option<Turn>) {
        if self.is_forward() && self.has_lapsed(now) {
            return self.enter(unwind(RejectReason::TimedOut));
        }
        let step = match &self.step {
            // A forward saga asks all over again: every step is idempotent by its order.
            Step::Authorize | Step::Confirm { .. } => Step::Reserve,
            step => step.clone(),
        };
        self.attempt = 0;
        self.enter(step)
    }

    fn enter(mut self, step: Step) -> (Self, Option<Turn>) {
        if self.step != step {
            self.attempt = 0;
        }
        self.step = step;
        self.ask(Duration::ZERO)
    }

    /// The same step again, later each time.
    fn again(mut self) -> (Self, Option<Turn>) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.attempt.min(10)).min(LONGEST_PAUSE);
        self.attempt = self.attempt.saturating_add(1);
        self.ask(pause)
    }

    fn ask(mut self, after: Duration) -> (Self, Option<Turn>) {
        let Some(command) = self.command() else {
            return (self, None);
        };
        self.turn = self.turn.wrapping_add(1);
        let turn = Turn { turn: self.turn, after, command };
        (self, Some(turn))
    }

    fn command(&self) -> Option<Command> {
        match &self.step {
            Step::Reserve => Some(Command::Reserve { expires_at: self.reserved_until }),
            Step::Authorize => {
                let token = self.payment_token.clone()?;
                Some(Command::Authorize { amount: self.amount, token })
            }
            Step::Confirm { payment } => Some(Command::Confirm { payment: *payment }),
            Step::Unwind { rejection } => Some(Command::Unwind { rejection: rejection.clone() }),
            Step::Void { rejection } => Some(Command::Void { reason: rejection.reason }),
            Step::Release { .. } => Some(Command::Release),
            Step::Reject { rejection } => Some(Command::Reject { rejection: rejection.clone() }),
            Step::Confirmed | Step::Rejected => None,
        }
    }
}

/// The first step of undoing. A declined payment is final: there is nothing to void.
pub fn undo(rejection: Rejection) -> Step {
    match rejection.reason {
        RejectReason::PaymentDeclined => Step::Release { rejection },
        _ => Step::Void { rejection },
    }
}

const fn unwind(reason: RejectReason) -> Step {
    Step::Unwind { rejection: Rejection::of(reason) }
}

/// The next state and what to do in it. A reply that is not awaited changes nothing.
pub fn step(saga: Checkout, turn: u32, reply: Reply, now: Timestamp) -> (Checkout, Option<Turn>) {
    if turn != saga.turn || saga.is_done() {
        return (saga, None);
    }
    match (saga.step.clone(), reply) {
        (Step::Reserve, reply) => after_reserve(saga, reply, now),
        (Step::Authorize, reply) => after_authorize(saga, reply, now),
        (Step::Confirm { .. }, Reply::Done) => finish(saga, Step::Confirmed),
        (Step::Confirm { .. }, Reply::TooLate) => saga.enter(unwind(RejectReason::TimedOut)),
        (Step::Confirm { .. }, _) if saga.has_lapsed(now) => {
            saga.enter(unwind(RejectReason::TimedOut))
        }
        (Step::Unwind { rejection }, Reply::Done) => saga.enter(undo(rejection)),
        (Step::Void { rejection }, Reply::Done | Reply::VoidRefused) => {
            saga.enter(Step::Release { rejection })
        }
        (Step::Release { rejection }, Reply::Done) => saga.enter(Step::Reject { rejection }),
        (Step::Reject { .. }, Reply::Done) => finish(saga, Step::Rejected),
        // Not done: the only way is forward, or back, through this very step.
        _ => saga.again(),
    }
}

fn after_reserve(saga: Checkout, reply: Reply, now: Timestamp) -> (Checkout, Option<Turn>) {
    match reply {
        _ if saga.has_lapsed(now) => saga.enter(unwind(RejectReason::TimedOut)),
        Reply::Reserved if saga.payment_token.is_some() => saga.enter(Step::Authorize),
        // Nothing to pay, nothing to authorize.
        Reply::Reserved => saga.enter(Step::Confirm { payment: None }),
        Reply::OutOfStock(shortages) => {
            let rejection = Rejection { shortages, ..Rejection::of(RejectReason::OutOfStock) };
            saga.enter(Step::Reject { rejection })
        }
        Reply::AlreadyReleased => saga.enter(unwind(RejectReason::TimedOut)),
        _ if now >= saga.reserve_by => saga.enter(unwind(RejectReason::TimedOut)),
        _ => saga.again(),
    }
}

fn after_authorize(saga: Checkout, reply: Reply, now: Timestamp) -> (Checkout, Option<Turn>) {
    match reply {
        Reply::Declined(code) => {
            let rejection = Rejection {
                decline_code: Some(code).filter(|code| !code.is_empty()),
                ..Rejection::of(RejectReason::PaymentDeclined)
            };
            saga.enter(Step::Unwind { rejection })
        }
        Reply::AlreadyVoided => saga.enter(unwind(RejectReason::PaymentUnresolved)),
        Reply::Authorized(_) if saga.has_lapsed(now) => saga.enter(unwind(RejectReason::TimedOut)),
        Reply::Authorized(payment) => saga.enter(Step::Confirm { payment: Some(payment) }),
        _ if saga.has_lapsed(now) => saga.enter(unwind(RejectReason::PaymentUnresolved)),
        _ => saga.again(),
    }
}

fn finish(mut saga: Checkout, step: Step) -> (Checkout, Option<Turn>) {
    saga.end(step);
    (saga, None)
}
