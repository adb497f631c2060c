//! A command on its way through a batch, its types erased.

use std::panic::{AssertUnwindSafe, catch_unwind};

use kernel::Timestamp;
use kernel::id::Uuid;
use tokio::sync::oneshot;

use super::states::{Batch, Keys, States};
use super::{Command, Meta};
use crate::bug;
use crate::env::Env;
use crate::idempotency::{IdempotencyKey, Idempotent, Lookup};
use crate::store::{AggregateType, InboxMove, Parked, StoreError};

/// The event that a command is the effect of.
#[derive(Clone, Copy)]
pub(super) struct Inbox {
    pub consumer: &'static str,
    pub aggregate_id: Uuid,
    pub version: u64,
    /// Events right before it that need not have been applied.
    pub passed_over: u64,
    pub event_id: Uuid,
}

pub(super) trait Job: Send {
    fn keys(&self) -> Vec<(AggregateType, Uuid)>;
    fn inbox(&self) -> Option<Inbox>;
    fn idempotency(&self) -> Option<&IdempotencyKey>;
    /// Decides on the batch and keeps the answer for later.
    fn decide(&mut self, batch: &mut Batch, service: &str, env: &Env, now: Timestamp);
    /// Sends the kept answer, or the error for which the batch was not applied.
    fn answer(self: Box<Self>, failure: Option<StoreError>);
}

pub(super) struct Typed<C: Command> {
    command: C,
    /// Asked for where the command was handed in: a panic there is that caller's alone.
    keys: Vec<(AggregateType, Uuid)>,
    meta: Meta,
    sender: oneshot::Sender<Result<C::Reply, C::Error>>,
    once: Option<Idempotent<C::Reply>>,
    inbox: Option<Inbox>,
    skip: fn() -> Option<C::Reply>,
    outcome: Option<Result<C::Reply, C::Error>>,
    /// Was it decided on committed state alone?
    on_committed: bool,
}

impl<C: Command> Typed<C> {
    pub(super) fn new(
        command: C,
        meta: Meta,
        sender: oneshot::Sender<Result<C::Reply, C::Error>>,
        once: Option<Idempotent<C::Reply>>,
        inbox: Option<Inbox>,
    ) -> Self {
        let mut keys = Keys::default();
        command.keys(&mut keys);
        Self {
            command,
            keys: keys.list,
            meta,
            sender,
            once,
            inbox,
            skip: unit_reply::<C>,
            outcome: None,
            on_committed: true,
        }
    }

    /// What must be settled before the command may decide; `Some` is the answer without deciding.
    fn settled_before(&self, batch: &Batch) -> Option<Result<C::Reply, C::Error>> {
        if let Some(inbox) = &self.inbox
            && !bug::is("skip-version-check")
        {
            let last = batch.inbox.get(&(inbox.consumer, inbox.aggregate_id)).copied().unwrap_or(0);
            if inbox.version <= last {
                crate::sometimes::reached("a consumer dropped an event that it had applied");
                return (self.skip)().map(Ok);
            }
            if inbox.version - inbox.passed_over > last + 1 {
                crate::sometimes::reached("an event came before the one that it follows");
                return Some(Err(StoreError::Gap { after: last }.into()));
            }
        }
        if let Some(once) = &self.once {
            let row = batch.idempotency.get(&once.key().identity()).cloned();
            match row.map_or(Lookup::New, |row| row.lookup(once.key())) {
                Lookup::New => {}
                Lookup::Mismatch => return Some(Err(StoreError::KeyReused.into())),
                Lookup::Running | Lookup::Saved(_) => {
                    crate::sometimes::reached("two requests with one key met in the executor");
                    return Some(Err(StoreError::KeyInProgress.into()));
                }
            }
        }
        batch.corrupt(&self.keys).map(|text| Err(StoreError::Corrupt(text).into()))
    }
}

/// Commands that consume events reply `()`; for them a stale event is a success without effect.
fn unit_reply<C: Command>() -> Option<C::Reply> {
    let unit: Box<dyn std::any::Any> = Box::new(());
    unit.downcast::<C::Reply>().ok().map(|reply| *reply)
}

impl<C: Command> Job for Typed<C> {
    fn keys(&self) -> Vec<(AggregateType, Uuid)> {
        self.keys.clone()
    }

    fn inbox(&self) -> Option<Inbox> {
        self.inbox
    }

    fn idempotency(&self) -> Option<&IdempotencyKey> {
        self.once.as_ref().map(Idempotent::key)
    }

    fn decide(&mut self, batch: &mut Batch, service: &str, env: &Env, now: Timestamp) {
        self.on_committed = batch.is_untouched();
        if let Some(settled) = self.settled_before(batch) {
            self.outcome = Some(settled);
            return;
        }
        let mut states = States::new(batch);
        let (command, once) = (&self.command, &self.once);
        // The answer is rendered before anything is accepted: a panic there discards all, too.
        let decided = catch_unwind(AssertUnwindSafe(|| {
            let reply = command.decide(&mut states, now)?;
            let render = once.as_ref().and_then(|once| once.render.as_ref());
            let response = render.map(|render| render(&reply));
            Ok((reply, response))
        }));
        let (reply, response) = match decided {
            Ok(Ok(decided)) => decided,
            Ok(Err(rejection)) => {
                self.outcome = Some(Err(rejection));
                return;
            }
            Err(_panic) => {
                let text = "a decision panicked; nothing of it was applied".to_owned();
                self.outcome = Some(Err(StoreError::Corrupt(text).into()));
                return;
            }
        };
        states.accept(service, &self.meta, env, now);
        if let Some(once) = &self.once {
            // A command that has finished its own key must not be set back to running.
            if response.is_some() || !batch.idempotency.contains_key(&once.key.identity()) {
                batch.answer(once.key.clone(), response, now);
            }
        }
        if let Some(inbox) = self.inbox {
            batch.move_inbox(InboxMove {
                consumer: inbox.consumer,
                aggregate_id: inbox.aggregate_id,
                version: inbox.version,
                event_id: inbox.event_id,
            });
        }
        self.outcome = Some(Ok(reply));
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>) {
        let this = *self;
        let answer = match (failure, this.outcome) {
            // A rejection for what an earlier command of a failed batch did never became true.
            (Some(failure), Some(Ok(_))) => Err(failure.into()),
            (Some(failure), _) if !this.on_committed => Err(failure.into()),
            (_, Some(Err(rejection))) => Err(rejection),
            (Some(failure), None) => Err(failure.into()),
            (None, Some(outcome)) => outcome,
            (None, None) => Err(StoreError::Unavailable("not decided".to_owned()).into()),
        };
        let _ = this.sender.send(answer);
    }
}

/// Changes nothing; consuming with it moves the inbox on.
pub(super) struct Nothing;

impl Command for Nothing {
    type Reply = ();
    type Error = StoreError;
    fn keys(&self, _keys: &mut Keys) {}
    fn decide(&self, _states: &mut States<'_>, _now: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The engine's own housekeeping; it rides in the same batches as the commands.
#[derive(Default)]
pub(super) struct Chores {
    pub park: Vec<Parked>,
    pub unpark: Vec<(String, Uuid)>,
    pub forget_answers_before: Option<Timestamp>,
}

impl Command for Chores {
    type Reply = ();
    type Error = StoreError;
    fn keys(&self, _keys: &mut Keys) {}
    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), StoreError> {
        states.park.extend_from_slice(&self.park);
        states.unpark.extend_from_slice(&self.unpark);
        states.forget_answers_before = self.forget_answers_before;
        Ok(())
    }
}
