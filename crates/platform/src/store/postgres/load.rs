//! What a batch reads, in one round trip, and what it has to rely on when it writes.

use std::collections::{BTreeMap, HashMap, HashSet};

use kernel::id::Uuid;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use super::layout::Layout;
use super::rows;
use super::script::Script;
use super::transaction::{Fault, each};
use crate::idempotency::{IdempotencyKey, Identity};
use crate::store::engine::{Loaded, ReadSet};

/// What a row is of, in its first column: the position of a table among those that are read, or
const INBOX: i64 = -1;
const ANSWERS: i64 = -2;

/// The columns that only answers fill.
const NO_ANSWER: &str = ", NULL::text AS route, NULL::text AS key, NULL::text AS fingerprint, \
                         NULL::bigint AS status, NULL::text AS headers, NULL::bytea AS body";

/// `locked`: in the order of table and id, and nobody else changes the rows until the transaction
/// ends. Otherwise all is as it was at one moment.
pub(super) async fn load(
    layout: &Layout,
    connection: &mut PgConnection,
    reads: &ReadSet,
    locked: bool,
) -> Result<Loaded, Fault> {
    let mut loaded = Loaded { aggregates: HashMap::new(), ..Loaded::default() };
    loaded.idempotency.resize(reads.idempotency.len(), None);
    let tables: Vec<&[(&'static str, Uuid)]> =
        reads.aggregates.chunk_by(|a, b| a.0 == b.0).collect();
    let script = script(layout, &tables, reads, locked).map_err(Fault::Engine)?;
    if script.is_empty() {
        return Ok(loaded);
    }
    let found = script.run(connection).await.map_err(Fault::Sql)?;
    let (mut versions, mut answers) = (HashMap::new(), HashMap::new());
    for row in found {
        match sort(&row).map_err(Fault::Sql)? {
            Found::Row(table, row) => {
                if let Some(((table, _), _)) = tables.get(table).and_then(|keys| keys.split_first())
                {
                    loaded.aggregates.insert((table, row.id), row);
                }
            }
            Found::Inbox(key, version) => drop(versions.insert(key, version)),
            Found::Answer(key, row) => drop(answers.insert(key, row)),
        }
    }
    for (consumer, id) in &reads.inbox {
        if let Some(version) = versions.get(&((*consumer).to_owned(), *id)) {
            loaded.inbox.insert((*consumer, *id), *version);
        }
    }
    let answer = |key: &IdempotencyKey| answers.get(&key.identity()).cloned();
    loaded.idempotency = reads.idempotency.iter().map(answer).collect();
    Ok(loaded)
}

enum Found {
    Row(usize, crate::store::engine::RawRow),
    Inbox((String, Uuid), u64),
    Answer(Identity, crate::store::engine::IdempotencyRow),
}

/// `kind, id, version, seq, text`, and behind them the columns of answers where there may be some.
fn sort(row: &PgRow) -> sqlx::Result<Found> {
    Ok(match row.try_get::<i64, _>(0)? {
        INBOX => Found::Inbox((row.try_get(4)?, row.try_get(1)?), rows::unsigned(row, 2)?),
        ANSWERS => {
            let key = (row.try_get(4)?, row.try_get(5)?, row.try_get(6)?);
            Found::Answer(key, rows::idempotency_row(row, 7)?)
        }
        table => Found::Row(usize::try_from(table).unwrap_or(usize::MAX), rows::raw_row(row, 1)?),
    })
}

fn script(
    layout: &Layout,
    tables: &[&[(&'static str, Uuid)]],
    reads: &ReadSet,
    locked: bool,
) -> Result<Script, crate::store::EngineError> {
    let (mut script, mut selects) = (Script::default(), Vec::new());
    let rest = if reads.idempotency.is_empty() { "" } else { NO_ANSWER };
    for (at, keys) in tables.iter().enumerate() {
        let table = layout.table(keys[0].0)?;
        script.add(each(keys, |(_, id)| *id))?;
        let part = script.part(if locked { &table.lock } else { &table.load });
        selects.push(format!(
            "SELECT {at}::bigint AS kind, id, version, seq, state AS text{rest} FROM {part}"
        ));
    }
    if !reads.inbox.is_empty() {
        script.add(each(&reads.inbox, |(consumer, _)| *consumer))?;
        script.add(each(&reads.inbox, |(_, id)| *id))?;
        let lock = if locked { " ORDER BY 1, 2 FOR UPDATE OF i" } else { "" };
        let part = script.part(&format!(
            "SELECT i.consumer, i.aggregate_id, i.version \
             FROM unnest(?::text[], ?::uuid[]) AS w (consumer, id) \
             JOIN inbox AS i ON i.consumer = w.consumer AND i.aggregate_id = w.id{lock}"
        ));
        selects.push(format!(
            "SELECT {INBOX}::bigint AS kind, aggregate_id AS id, version, NULL::bigint AS seq, \
             consumer AS text{rest} FROM {part}"
        ));
    }
    if !reads.idempotency.is_empty() {
        script.add(each(&reads.idempotency, |key| key.owner.as_str()))?;
        script.add(each(&reads.idempotency, |key| key.route.as_str()))?;
        script.add(each(&reads.idempotency, |key| key.key.as_str()))?;
        let part = script.part(
            "SELECT i.* FROM unnest(?::text[], ?::text[], ?::text[]) AS w (owner, route, key) \
             JOIN idempotency AS i ON i.owner = w.owner AND i.route = w.route AND i.key = w.key",
        );
        selects.push(format!(
            "SELECT {ANSWERS}::bigint AS kind, NULL::uuid AS id, NULL::bigint AS version, \
             NULL::bigint AS seq, owner AS text, route, key, fingerprint, status, headers, body \
             FROM {part}"
        ));
    }
    script.answer(&selects.join(" UNION ALL "));
    Ok(script)
}

/// What a batch was decided on, as far as it has to be still so when it is written. What was not
/// there is written in the belief that it still is not.
#[derive(Default)]
pub(super) struct Seen {
    /// Versions of the rows that were there.
    pub rows: BTreeMap<(&'static str, Uuid), u64>,
    pub inbox: HashMap<(&'static str, Uuid), u64>,
    /// Keys without an answer.
    pub free: HashSet<Identity>,
}

impl Seen {
    pub fn of(reads: &ReadSet, loaded: &Loaded) -> Self {
        let keys = reads.idempotency.iter().zip(&loaded.idempotency);
        let free = keys.filter(|(_, row)| row.is_none());
        Self {
            rows: loaded.aggregates.iter().map(|(key, row)| (*key, row.version)).collect(),
            inbox: loaded.inbox.clone(),
            free: free.map(|(key, _)| key.identity()).collect(),
        }
    }
}
