//! The memory engine: for simulation and unit tests. It keeps what SQL would keep (unique columns,
//! versions, order) and forgets all when it is dropped.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use kernel::Timestamp;
use kernel::id::Uuid;

use super::aggregate::{AggregateType, Column, Schema};
use super::engine::{
    Applied, Change, Decide, Engine, EngineError, FORGET, IdempotencyRow, Loaded, MemoryProjection,
    Parked, RawRow, ReadSet, RowWrite, Sharing, State, Waiting, WriteSet,
};
use super::query::{Direction, Query};
use super::value::Value;
use crate::event::Envelope;
use crate::idempotency::{IdempotencyKey, Identity, SavedResponse};

pub struct MemoryEngine {
    tables: Mutex<Tables>,
    projections: Vec<Arc<dyn MemoryProjection>>,
}

struct Row {
    raw: RawRow,
    columns: Vec<Value>,
}

struct Table {
    aggregate: AggregateType,
    rows: BTreeMap<Uuid, Row>,
    /// By column, for the unique ones.
    unique: HashMap<&'static str, HashMap<Value, Uuid>>,
}

#[derive(Default)]
struct Tables {
    aggregates: HashMap<&'static str, Table>,
    outbox: BTreeMap<i64, Arc<Envelope>>,
    last_place: i64,
    inbox: HashMap<(&'static str, Uuid), u64>,
    /// Sorted, so that what is forgotten first is the same in each run.
    idempotency: BTreeMap<Identity, (IdempotencyRow, Timestamp)>,
    parked: BTreeMap<(String, Uuid, u64), Parked>,
}

impl MemoryEngine {
    pub fn new(schema: &Schema) -> Self {
        let table = |aggregate: &AggregateType| Table {
            aggregate: *aggregate,
            rows: BTreeMap::new(),
            unique: HashMap::new(),
        };
        let aggregates = schema.aggregates.iter().map(|a| (a.table, table(a))).collect();
        Self {
            tables: Mutex::new(Tables { aggregates, ..Tables::default() }),
            projections: schema.memory_projections.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each row of an aggregate's table, by id, with the values of its declared columns.
    pub fn each_row(&self, table: &'static str, mut row: impl FnMut(&RawRow, &[Column], &[Value])) {
        let tables = self.lock();
        let Some(table) = tables.aggregates.get(table) else { return };
        for found in table.rows.values() {
            row(&found.raw, table.aggregate.columns, &found.columns);
        }
    }

    /// What each consumer has applied last of each aggregate.
    pub fn inbox(&self) -> Vec<(&'static str, Uuid, u64)> {
        let tables = self.lock();
        let mut inbox: Vec<_> = tables.inbox.iter().map(|((c, id), v)| (*c, *id, *v)).collect();
        inbox.sort_unstable();
        inbox
    }

    /// The answers kept for idempotency keys, and since when. `None` is one that is not given yet.
    pub fn answers(&self) -> Vec<(IdempotencyKey, Option<SavedResponse>, Timestamp)> {
        let tables = self.lock();
        let answers = tables.idempotency.iter();
        answers
            .map(|((owner, route, key), (row, at))| {
                let (owner, route, key) = (owner.clone(), route.clone(), key.clone());
                let fingerprint = row.fingerprint.clone();
                (IdempotencyKey { owner, route, key, fingerprint }, row.response.clone(), *at)
            })
            .collect()
    }

    /// Another engine with the same rows; projections are those of `schema`, filled anew.
    #[must_use]
    pub fn copy(&self, schema: &Schema) -> Self {
        let tables = self.lock();
        let states =
            if schema.memory_projections.is_empty() { Vec::new() } else { tables.states() };
        let changes: Vec<Change<'_>> = states
            .iter()
            .map(|(table, row, state)| {
                let (id, version) = (row.id, row.version);
                Change { table, id, version, state: Some(state.as_ref()) }
            })
            .collect();
        for projection in &schema.memory_projections {
            projection.apply(&changes);
        }
        let copied = Tables {
            aggregates: tables.aggregates.iter().map(|(name, t)| (*name, t.copy())).collect(),
            outbox: tables.outbox.clone(),
            last_place: tables.last_place,
            inbox: tables.inbox.clone(),
            idempotency: tables.idempotency.clone(),
            parked: tables.parked.clone(),
        };
        Self { tables: Mutex::new(copied), projections: schema.memory_projections.clone() }
    }
}

impl Tables {
    /// Every state that can be read, by table and id.
    fn states(&self) -> Vec<(&'static str, &RawRow, State)> {
        let mut names: Vec<_> = self.aggregates.keys().copied().collect();
        names.sort_unstable();
        let tables = names.into_iter().filter_map(|name| self.aggregates.get(name));
        let states = tables.flat_map(|table| {
            table.rows.values().filter_map(|row| {
                let state = (table.aggregate.parse)(&row.raw.state).ok()?;
                Some((table.aggregate.table, &row.raw, state))
            })
        });
        states.collect()
    }

    fn table(&self, name: &'static str) -> Result<&Table, EngineError> {
        self.aggregates
            .get(name)
            .ok_or_else(|| EngineError::Unavailable(format!("the schema declares no {name}")))
    }

    fn load(&self, reads: &ReadSet) -> Result<Loaded, EngineError> {
        let mut loaded = Loaded::default();
        for (table, id) in &reads.aggregates {
            if let Some(row) = self.table(table)?.rows.get(id) {
                loaded.aggregates.insert((*table, *id), row.raw.clone());
            }
        }
        for key in &reads.inbox {
            if let Some(version) = self.inbox.get(key) {
                loaded.inbox.insert(*key, *version);
            }
        }
        let saved = |key: &IdempotencyKey| {
            self.idempotency.get(&key.identity()).map(|(row, _)| row.clone())
        };
        loaded.idempotency = reads.idempotency.iter().map(saved).collect();
        Ok(loaded)
    }

    /// Looks at everything that could refuse the batch, before anything changes.
    fn check(&self, rows: &[RowWrite]) -> Result<(), EngineError> {
        let mut claimed: HashMap<(&str, &str, &Value), Uuid> = HashMap::new();
        for write in rows {
            let table = self.table(write.aggregate.table)?;
            let current = table.rows.get(&write.id).map_or(0, |row| row.raw.version);
            if current != write.expected {
                return Err(EngineError::Changed);
            }
            if write.state.is_none() {
                continue;
            }
            for (column, value) in table.aggregate.columns.iter().zip(&write.columns) {
                if !column.unique || *value == Value::Null {
                    continue;
                }
                let holder = table.unique.get(column.name).and_then(|index| index.get(value));
                let moves_away = |id: &Uuid| {
                    rows.iter().any(|w| {
                        w.aggregate.table == write.aggregate.table
                            && w.id == *id
                            && w.id != write.id
                    })
                };
                let taken = holder.is_some_and(|id| *id != write.id && !moves_away(id));
                let twice = claimed
                    .insert((write.aggregate.table, column.name, value), write.id)
                    .is_some_and(|id| id != write.id);
                if taken || twice {
                    return Err(EngineError::Unique {
                        table: write.aggregate.table.to_owned(),
                        column: column.name.to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    fn apply(&mut self, writes: WriteSet) -> Applied {
        let mut applied = Applied::default();
        for write in writes.rows {
            let table = self.aggregates.get_mut(write.aggregate.table).expect("checked before");
            if let Some(old) = table.rows.remove(&write.id) {
                table.index(&old.columns, |index, value| {
                    if index.get(value) == Some(&write.id) {
                        index.remove(value);
                    }
                });
            }
            let Some((_, state)) = write.state else { continue };
            table.index(&write.columns, |index, value| {
                index.insert(value.clone(), write.id);
            });
            let raw = RawRow { id: write.id, version: write.version, seq: write.seq, state };
            table.rows.insert(write.id, Row { raw, columns: write.columns });
        }
        for envelope in writes.outbox {
            self.last_place += 1;
            self.outbox.insert(self.last_place, envelope);
            applied.places.push(self.last_place);
        }
        for place in writes.outbox_done {
            self.outbox.remove(&place);
        }
        for moved in writes.inbox {
            self.inbox.insert((moved.consumer, moved.aggregate_id), moved.version);
        }
        for saved in writes.idempotency {
            let row = IdempotencyRow {
                fingerprint: saved.key.fingerprint.clone(),
                response: saved.response,
            };
            self.idempotency.insert(saved.key.identity(), (row, saved.at));
        }
        if let Some(before) = writes.idempotency_before {
            let old = self.idempotency.iter().filter(|(_, (_, at))| *at < before);
            let old: Vec<_> = old.map(|(key, _)| key.clone()).take(FORGET as usize).collect();
            applied.forgotten = old.len() as u32;
            for key in old {
                self.idempotency.remove(&key);
            }
        }
        for parked in writes.park {
            let envelope = &parked.envelope;
            let key = (parked.consumer.clone(), envelope.aggregate_id, envelope.aggregate_version);
            self.parked.insert(key, parked);
        }
        self.parked.retain(|(consumer, ..), parked| {
            !writes.unpark.iter().any(|(c, id)| c == consumer && *id == parked.envelope.id)
        });
        applied
    }
}

impl Table {
    fn copy(&self) -> Self {
        let rows = self.rows.iter().map(|(id, row)| {
            let (raw, columns) = (row.raw.clone(), row.columns.clone());
            (*id, Row { raw, columns })
        });
        Self { aggregate: self.aggregate, rows: rows.collect(), unique: self.unique.clone() }
    }

    fn index(&mut self, columns: &[Value], with: impl Fn(&mut HashMap<Value, Uuid>, &Value)) {
        for (column, value) in self.aggregate.columns.iter().zip(columns) {
            if column.unique && *value != Value::Null {
                with(self.unique.entry(column.name).or_default(), value);
            }
        }
    }

    fn column(&self, name: &str) -> Result<usize, EngineError> {
        self.aggregate.columns.iter().position(|c| c.name == name).ok_or_else(|| {
            EngineError::Unavailable(format!("{} declares no {name}", self.aggregate.table))
        })
    }
}

#[async_trait]
impl Engine for MemoryEngine {
    async fn transact(&self, reads: ReadSet, decide: Decide) -> Result<Applied, EngineError> {
        let mut tables = self.lock();
        let loaded = tables.load(&reads)?;
        let writes = decide(loaded);
        tables.check(&writes.rows)?;
        let changes: Vec<Change<'_>> = writes.rows.iter().map(Change::of).collect();
        for projection in &self.projections {
            projection.apply(&changes);
        }
        drop(changes);
        Ok(tables.apply(writes))
    }

    fn sharing(&self) -> Option<&dyn Sharing> {
        None
    }

    async fn get(&self, table: &'static str, ids: &[Uuid]) -> Result<Vec<RawRow>, EngineError> {
        let tables = self.lock();
        let table = tables.table(table)?;
        Ok(ids.iter().filter_map(|id| table.rows.get(id)).map(|row| row.raw.clone()).collect())
    }

    async fn list(&self, table: &'static str, query: &Query) -> Result<Vec<RawRow>, EngineError> {
        let tables = self.lock();
        let table = tables.table(table)?;
        let mut conditions = Vec::new();
        for condition in &query.conditions {
            conditions.push((table.column(condition.column)?, condition));
        }
        let order = query.order.map(|name| table.column(name)).transpose()?;
        let place =
            |row: &Row| (order.map_or(Value::Null, |at| row.columns[at].clone()), row.raw.id);
        let compare = |left: &(Value, Uuid), right: &(Value, Uuid)| match query.direction {
            Direction::Ascending => left.cmp(right),
            Direction::Descending => right.cmp(left),
        };
        let mut found: Vec<_> = table
            .rows
            .values()
            .filter(|row| conditions.iter().all(|(at, c)| c.op.holds(&row.columns[*at], &c.value)))
            .map(|row| (place(row), row))
            .filter(|(place, _)| {
                query.after.as_ref().is_none_or(|after| {
                    let value = if order.is_some() { after.value.clone() } else { Value::Null };
                    compare(place, &(value, after.id)) == Ordering::Greater
                })
            })
            .collect();
        found.sort_by(|left, right| compare(&left.0, &right.0));
        Ok(found.into_iter().take(query.limit as usize).map(|(_, row)| row.raw.clone()).collect())
    }

    async fn idempotency(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRow>, EngineError> {
        Ok(self.lock().idempotency.get(&key.identity()).map(|(row, _)| row.clone()))
    }

    async fn outbox(&self, after: i64, limit: u32) -> Result<Vec<Waiting>, EngineError> {
        let tables = self.lock();
        let behind = tables.outbox.range((Bound::Excluded(after), Bound::Unbounded));
        let waiting = behind.take(limit as usize);
        let waiting = waiting.map(|(place, e)| Waiting { place: *place, envelope: e.clone() });
        Ok(waiting.collect())
    }

    async fn outbox_first(&self, aggregate: Uuid) -> Result<Option<u64>, EngineError> {
        let tables = self.lock();
        let of_it = tables.outbox.values().filter(|event| event.aggregate_id == aggregate);
        Ok(of_it.map(|event| event.aggregate_version).min())
    }

    async fn inbox_version(&self, consumer: &str, aggregate: Uuid) -> Result<u64, EngineError> {
        let tables = self.lock();
        let found =
            tables.inbox.iter().find(|((name, id), _)| *name == consumer && *id == aggregate);
        Ok(found.map_or(0, |(_, version)| *version))
    }

    async fn is_parked(&self, consumer: &str, aggregate: Uuid) -> Result<bool, EngineError> {
        let tables = self.lock();
        Ok(tables.parked.keys().any(|(name, id, _)| name == consumer && *id == aggregate))
    }

    async fn parked(&self, consumer: Option<&str>) -> Result<Vec<Parked>, EngineError> {
        let tables = self.lock();
        let wanted = |parked: &&Parked| consumer.is_none_or(|name| name == parked.consumer);
        Ok(tables.parked.values().filter(wanted).cloned().collect())
    }
}
