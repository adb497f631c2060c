//! What a decision sees and leaves behind.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::Timestamp;
use kernel::id::Uuid;

use super::Meta;
use crate::env::Env;
use crate::event::{Envelope, Event};
use crate::idempotency::{IdempotencyKey, Identity, SavedResponse};
use crate::store::cache::Remembered;
use crate::store::{
    Aggregate, AggregateType, IdempotencyRow, InboxMove, Loaded, Parked, RowWrite, SavedWrite,
    State, WriteSet,
};

/// The aggregates that a command may touch.
#[derive(Default)]
pub struct Keys {
    pub(super) list: Vec<(AggregateType, Uuid)>,
}

impl Keys {
    pub fn add<A: Aggregate>(&mut self, id: Uuid) {
        self.list.push((AggregateType::of::<A>(), id));
    }
}

type Key = (&'static str, Uuid);

struct Slot {
    aggregate: AggregateType,
    loaded_version: u64,
    version: u64,
    seq: u64,
    loaded: Option<State>,
    /// As it was read from the database, when it was.
    read: Option<Remembered>,
    state: Option<State>,
    corrupt: Option<String>,
    changed: bool,
}

/// A batch in progress: what was loaded, as the commands so far have left it.
pub(super) struct Batch {
    slots: HashMap<Key, Slot>,
    pub(super) inbox: HashMap<Key, u64>,
    pub(super) idempotency: HashMap<Identity, IdempotencyRow>,
    writes: WriteSet,
    /// How many commands so far have changed something.
    accepted: u32,
}

impl Batch {
    pub(super) fn new(
        keys: Vec<(AggregateType, Uuid)>,
        mut loaded: Loaded,
        mut known: HashMap<Key, Remembered>,
    ) -> Self {
        let mut slots = HashMap::with_capacity(keys.len());
        for (aggregate, id) in keys {
            let mut slot = Slot {
                aggregate,
                loaded_version: 0,
                version: 0,
                seq: 0,
                loaded: None,
                read: None,
                state: None,
                corrupt: None,
                changed: false,
            };
            let key = (aggregate.table, id);
            let row = known.remove(&key).map(Ok).or_else(|| {
                let row = loaded.aggregates.remove(&key)?;
                slot.loaded_version = row.version;
                let read = Remembered::parse(&aggregate, &row);
                slot.read = read.as_ref().ok().cloned();
                Some(read)
            });
            match row {
                Some(Ok(row)) => {
                    slot.loaded_version = row.version;
                    slot.version = row.version;
                    slot.seq = row.seq;
                    slot.loaded = row.written.then(|| row.state.clone());
                    slot.state = Some(row.state);
                }
                Some(Err(error)) => slot.corrupt = Some(error),
                None => {}
            }
            slots.insert((aggregate.table, id), slot);
        }
        Self {
            slots,
            inbox: loaded.inbox,
            idempotency: HashMap::new(),
            writes: WriteSet::default(),
            accepted: 0,
        }
    }

    /// The first of `keys` whose row cannot be read.
    pub(super) fn corrupt(&self, keys: &[(AggregateType, Uuid)]) -> Option<String> {
        keys.iter()
            .find_map(|(aggregate, id)| self.slots.get(&(aggregate.table, *id))?.corrupt.clone())
    }

    /// Has no command of the batch changed anything yet?
    pub(super) fn is_untouched(&self) -> bool {
        self.accepted == 0
    }

    /// What was read and not changed, for the next batch.
    pub(super) fn read_only(&self) -> impl Iterator<Item = (Key, Option<Remembered>)> + '_ {
        self.slots.iter().filter(|(_, slot)| !slot.changed).filter_map(|(key, slot)| {
            let read = slot.read.clone()?;
            Some((*key, Some(read)))
        })
    }

    pub(super) fn into_writes(mut self) -> Result<WriteSet, String> {
        for ((_, id), slot) in self.slots {
            if !slot.changed || (slot.state.is_none() && slot.loaded_version == 0) {
                continue;
            }
            let (columns, state) = match slot.state {
                None => (Vec::new(), None),
                Some(state) => {
                    let (columns, text) = (slot.aggregate.encode)(&state)?;
                    (columns, Some((state, text)))
                }
            };
            let changed = slot.loaded.map(|loaded| {
                let before = (slot.aggregate.values)(&loaded);
                (0..columns.len()).filter(|at| before.get(*at) != columns.get(*at)).collect()
            });
            self.writes.rows.push(RowWrite {
                aggregate: slot.aggregate,
                id,
                expected: slot.loaded_version,
                version: slot.version,
                seq: slot.seq,
                columns,
                changed,
                state,
            });
        }
        // The same batch always writes in the same order.
        self.writes.rows.sort_by_key(|row| (row.aggregate.table, row.id));
        Ok(self.writes)
    }
}

struct Emitted {
    key: Key,
    event_type: &'static str,
    data: Vec<u8>,
}

/// The state of a batch as one command sees it. What the command puts, deletes, emits and finishes
/// becomes part of the batch if it is accepted, and vanishes if it is rejected.
pub struct States<'a> {
    batch: &'a mut Batch,
    put: HashMap<Key, (AggregateType, Option<State>)>,
    emitted: Vec<Emitted>,
    finished: Vec<(IdempotencyKey, SavedResponse)>,
    pub(super) forget_answers_before: Option<Timestamp>,
    pub(super) park: Vec<Parked>,
    pub(super) unpark: Vec<(String, Uuid)>,
}

impl<'a> States<'a> {
    pub(super) fn new(batch: &'a mut Batch) -> Self {
        Self {
            batch,
            put: HashMap::new(),
            emitted: Vec::new(),
            finished: Vec::new(),
            forget_answers_before: None,
            park: Vec::new(),
            unpark: Vec::new(),
        }
    }

    /// The aggregate as earlier commands of the batch left it; `None` when there is none.
    ///
    /// # Panics
    /// When the command did not declare the key: a defect that the first test of it shows.
    pub fn get<A: Aggregate>(&self, id: Uuid) -> Option<&A> {
        let key = (A::TABLE, id);
        let slot = self.slot(key);
        let state = match self.put.get(&key) {
            Some((_, state)) => state.as_ref(),
            None => slot.state.as_ref(),
        };
        state.and_then(|state| state.downcast_ref::<A>())
    }

    /// 0 when there is no such aggregate. Counts each command that changed it, this one too.
    pub fn version<A: Aggregate>(&self, id: Uuid) -> u64 {
        let key = (A::TABLE, id);
        let slot = self.slot(key);
        match self.put.get(&key) {
            Some((_, Some(_))) => slot.version + 1,
            None if slot.state.is_some() => slot.version,
            Some((_, None)) | None => 0,
        }
    }

    /// Creates or replaces the aggregate.
    pub fn put<A: Aggregate>(&mut self, id: Uuid, state: A) {
        let key = (A::TABLE, id);
        self.slot(key);
        let state: State = std::sync::Arc::new(state);
        self.put.insert(key, (AggregateType::of::<A>(), Some(state)));
    }

    pub fn delete<A: Aggregate>(&mut self, id: Uuid) {
        let key = (A::TABLE, id);
        self.slot(key);
        self.put.insert(key, (AggregateType::of::<A>(), None));
    }

    /// Tells the world, once this is committed. Events of one aggregate are numbered 1..n.
    pub fn emit<A: Aggregate, E: Event>(&mut self, id: Uuid, event: &E) {
        let key = (A::TABLE, id);
        self.slot(key);
        self.emitted.push(Emitted { key, event_type: E::TYPE, data: event.encode_to_vec() });
    }

    /// Stores the final answer of a request that was begun with
    /// [`crate::idempotency::Idempotent::begin`].
    pub fn finish(&mut self, key: &IdempotencyKey, response: SavedResponse) {
        self.finished.push((key.clone(), response));
    }

    /// Repeated requests with this key are told from now on that their answer is gone. One that is
    /// not kept any more is written as erased, and goes with the next sweep.
    pub fn erase_answer(&mut self, key: &IdempotencyKey) {
        self.finish(key, SavedResponse::erased());
    }

    fn slot(&self, key: Key) -> &Slot {
        self.batch.slots.get(&key).unwrap_or_else(|| {
            panic!("the command touches {} {} but did not declare it in keys()", key.0, key.1)
        })
    }

    /// Makes all of it part of the batch.
    pub(super) fn accept(self, service: &str, meta: &Meta, env: &Env, now: Timestamp) {
        let batch = self.batch;
        batch.accepted += 1;
        for (key, (aggregate, state)) in self.put {
            let slot = batch.slots.get_mut(&key).expect("put() has looked it up");
            slot.aggregate = aggregate;
            slot.version += 1;
            slot.changed = true;
            slot.state = state;
        }
        for emitted in self.emitted {
            let slot = batch.slots.get_mut(&emitted.key).expect("emit() has looked it up");
            slot.seq += 1;
            if !slot.changed {
                // The number of events is part of the row, so an event alone changes it too.
                slot.changed = true;
                slot.version += 1;
            }
            batch.writes.outbox.push(Arc::new(Envelope {
                id: env.uuid(),
                event_type: emitted.event_type.to_owned(),
                source: service.to_owned(),
                aggregate_type: emitted.key.0.to_owned(),
                aggregate_id: emitted.key.1,
                aggregate_version: slot.seq,
                time: now,
                correlation: meta.correlation.clone(),
                causation: meta.causation,
                traceparent: meta.traceparent.clone(),
                data: emitted.data,
                passed_over: 0,
            }));
        }
        for (key, response) in self.finished {
            batch.answer(key, Some(response), now);
        }
        batch.writes.park.extend(self.park);
        batch.writes.unpark.extend(self.unpark);
        batch.writes.idempotency_before =
            batch.writes.idempotency_before.max(self.forget_answers_before);
    }
}

impl Batch {
    pub(super) fn answer(
        &mut self,
        key: IdempotencyKey,
        response: Option<SavedResponse>,
        at: Timestamp,
    ) {
        let row =
            IdempotencyRow { fingerprint: key.fingerprint.clone(), response: response.clone() };
        self.idempotency.insert(key.identity(), row);
        self.writes.idempotency.push(SavedWrite { key, response, at });
    }

    pub(super) fn move_inbox(&mut self, moved: InboxMove) {
        self.inbox.insert((moved.consumer, moved.aggregate_id), moved.version);
        self.writes.inbox.push(moved);
    }
}
