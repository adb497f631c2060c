//! Outbox, inbox, answers and parked events of a batch.

use std::collections::{BTreeMap, HashMap, HashSet};

use kernel::id::Uuid;
use sqlx::{PgConnection, Row as _};

use super::rows;
use super::transaction::{Batch, each};
use crate::event::{Envelope, PARTITIONS};
use crate::idempotency::{IdempotencyKey, Identity};
use crate::store::engine::{
    Applied, EngineError, FORGET, InboxMove, Loaded, Parked, ReadSet, SavedWrite, WriteSet,
};

pub(super) async fn load(
    connection: &mut PgConnection,
    reads: &ReadSet,
    loaded: &mut Loaded,
) -> sqlx::Result<()> {
    if !reads.inbox.is_empty() {
        let found = sqlx::query(
            "SELECT consumer, aggregate_id, version FROM inbox WHERE (consumer, aggregate_id) IN \
             (SELECT consumer, id FROM unnest($1::text[], $2::uuid[]) AS w (consumer, id)) \
             ORDER BY consumer, aggregate_id FOR UPDATE",
        )
        .bind(each(&reads.inbox, |(consumer, _)| *consumer))
        .bind(each(&reads.inbox, |(_, id)| *id))
        .fetch_all(&mut *connection)
        .await?;
        let mut versions = HashMap::with_capacity(found.len());
        for row in found {
            let key: (String, Uuid) = (row.try_get(0)?, row.try_get(1)?);
            versions.insert(key, row.try_get::<i64, _>(2)? as u64);
        }
        for (consumer, id) in &reads.inbox {
            if let Some(version) = versions.get(&((*consumer).to_owned(), *id)) {
                loaded.inbox.insert((*consumer, *id), *version);
            }
        }
    }
    if !reads.idempotency.is_empty() {
        let found = sqlx::query(
            "SELECT owner, route, key, fingerprint, status, headers, body FROM idempotency \
             WHERE (owner, route, key) IN (SELECT owner, route, key \
             FROM unnest($1::text[], $2::text[], $3::text[]) AS w (owner, route, key))",
        )
        .bind(each(&reads.idempotency, |key| key.owner.as_str()))
        .bind(each(&reads.idempotency, |key| key.route.as_str()))
        .bind(each(&reads.idempotency, |key| key.key.as_str()))
        .fetch_all(connection)
        .await?;
        let mut known: HashMap<Identity, _> = HashMap::with_capacity(found.len());
        for row in found {
            let key = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            known.insert(key, rows::idempotency_row(&row, 3)?);
        }
        let position = |key: &IdempotencyKey| known.get(&key.identity()).cloned();
        loaded.idempotency = reads.idempotency.iter().map(position).collect();
    }
    Ok(())
}

/// What the decision took to be absent. Locks do not hold what is not there: if it is there when
/// the batch is written, the batch is decided again.
#[derive(Default)]
pub(super) struct Owned {
    inbox: HashSet<(&'static str, Uuid)>,
    answers: HashSet<Identity>,
}

impl Owned {
    pub(super) fn of(reads: &ReadSet, loaded: &Loaded) -> Self {
        let missing = reads.inbox.iter().filter(|key| !loaded.inbox.contains_key(*key));
        let keys = reads.idempotency.iter().zip(&loaded.idempotency);
        let free = keys.filter(|(_, row)| row.is_none());
        Self {
            inbox: missing.copied().collect(),
            answers: free.map(|(key, _)| key.identity()).collect(),
        }
    }
}

pub(super) async fn write(
    batch: &mut Batch<'_>,
    writes: &WriteSet,
    owned: &Owned,
) -> Result<Applied, EngineError> {
    let mut applied = Applied::default();
    move_inbox(batch, &writes.inbox, owned).await?;
    save_answers(batch, &writes.idempotency, owned).await?;
    if let Some(before) = writes.idempotency_before {
        // What another replica forgets just now is left to it.
        let forget = sqlx::query(
            "DELETE FROM idempotency WHERE ctid = ANY (ARRAY (SELECT ctid FROM idempotency \
             WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
        );
        let forget = forget.bind(before.as_micros()).bind(i64::from(FORGET));
        applied.forgotten = batch.execute(forget).await? as u32;
    }
    park(batch, &writes.park).await?;
    if !writes.unpark.is_empty() {
        let unpark = sqlx::query(
            "DELETE FROM parked AS p USING unnest($1::text[], $2::uuid[]) AS w (consumer, event) \
             WHERE p.consumer = w.consumer AND p.event_id = w.event",
        );
        let unpark = unpark
            .bind(each(&writes.unpark, |(consumer, _)| consumer.as_str()))
            .bind(each(&writes.unpark, |(_, event)| *event));
        batch.execute(unpark).await?;
    }
    if !writes.outbox_done.is_empty() {
        let done = sqlx::query("DELETE FROM outbox WHERE place = ANY($1)");
        batch.execute(done.bind(writes.outbox_done.as_slice())).await?;
    }
    if !writes.outbox.is_empty() {
        applied.places = publish(batch, writes).await?;
        applied.places.sort_unstable();
    }
    Ok(applied)
}

/// Last of all, so that places are given out shortly before the commit.
async fn publish(batch: &mut Batch<'_>, writes: &WriteSet) -> Result<Vec<i64>, EngineError> {
    let events = &writes.outbox;
    let insert = sqlx::query(
        "INSERT INTO outbox (id, shard, event_type, aggregate_type, aggregate_id, \
         aggregate_version, time, correlation, causation, traceparent, data) \
         SELECT id, shard, event_type, aggregate_type, aggregate_id, aggregate_version, time, \
         correlation, causation, traceparent, data \
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], \
         $7::bigint[], $8::text[], $9::uuid[], $10::text[], $11::bytea[]) WITH ORDINALITY \
         AS w (id, shard, event_type, aggregate_type, aggregate_id, aggregate_version, time, \
         correlation, causation, traceparent, data, nth) ORDER BY nth RETURNING place",
    );
    let insert = insert
        .bind(each(events, |e| e.id))
        .bind(each(events, |e| i64::from(e.partition(PARTITIONS))))
        .bind(each(events, |e| e.event_type.clone()))
        .bind(each(events, |e| e.aggregate_type.clone()))
        .bind(each(events, |e| e.aggregate_id))
        .bind(each(events, |e| e.aggregate_version as i64))
        .bind(each(events, |e| e.time.as_micros()))
        .bind(each(events, |e| e.correlation.to_string()))
        .bind(each(events, |e| e.causation))
        .bind(each(events, |e| e.traceparent.clone()))
        .bind(each(events, |e| e.data.clone()));
    batch.places(insert).await
}

async fn move_inbox(
    batch: &mut Batch<'_>,
    moves: &[InboxMove],
    owned: &Owned,
) -> Result<(), EngineError> {
    // Of several moves of one row the last stands.
    let last: BTreeMap<_, _> = moves.iter().map(|m| ((m.consumer, m.aggregate_id), m)).collect();
    let (new, old): (Vec<_>, Vec<_>) =
        last.into_values().partition(|m| owned.inbox.contains(&(m.consumer, m.aggregate_id)));
    let begin = "INSERT INTO inbox (consumer, aggregate_id, version, event_id) \
                 SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[]) \
                 ON CONFLICT (consumer, aggregate_id) DO NOTHING";
    let advance = "UPDATE inbox AS i SET version = w.version, event_id = w.event_id \
                   FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[]) \
                   AS w (consumer, aggregate_id, version, event_id) \
                   WHERE i.consumer = w.consumer AND i.aggregate_id = w.aggregate_id \
                   AND i.version < w.version";
    for (sql, moves) in [(begin, new), (advance, old)] {
        if moves.is_empty() {
            continue;
        }
        let statement = sqlx::query(sql)
            .bind(each(&moves, |m| m.consumer))
            .bind(each(&moves, |m| m.aggregate_id))
            .bind(each(&moves, |m| m.version as i64))
            .bind(each(&moves, |m| m.event_id));
        batch.exactly(moves.len(), statement).await?;
    }
    Ok(())
}

async fn save_answers(
    batch: &mut Batch<'_>,
    saved: &[SavedWrite],
    owned: &Owned,
) -> Result<(), EngineError> {
    // A key that is begun and finished in one batch is one row: the last answer, the first time.
    let mut rows: BTreeMap<Identity, (&SavedWrite, &SavedWrite)> = BTreeMap::new();
    for write in saved {
        rows.entry(write.key.identity()).and_modify(|row| row.1 = write).or_insert((write, write));
    }
    let (new, old): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(key, _)| owned.answers.contains(key));
    let insert = "INSERT INTO idempotency \
                  (owner, route, key, fingerprint, status, headers, body, created_at) \
                  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], \
                  $5::bigint[], $6::text[], $7::bytea[], $8::bigint[]) \
                  ON CONFLICT (owner, route, key) DO ";
    let finish = "UPDATE SET status = excluded.status, headers = excluded.headers, \
                  body = excluded.body";
    for (conflict, rows) in [("NOTHING", new), (finish, old)] {
        if rows.is_empty() {
            continue;
        }
        let headers = |(_, (_, last)): &(Identity, (&SavedWrite, &SavedWrite))| {
            let response = last.response.as_ref()?;
            Some(serde_json::to_string(&response.headers).unwrap_or_default())
        };
        let statement = sqlx::query(sqlx::AssertSqlSafe(format!("{insert}{conflict}")))
            .bind(each(&rows, |(key, _)| key.0.clone()))
            .bind(each(&rows, |(key, _)| key.1.clone()))
            .bind(each(&rows, |(key, _)| key.2.clone()))
            .bind(each(&rows, |(_, (first, _))| first.key.fingerprint.clone()))
            .bind(each(&rows, |(_, (_, last))| last.response.as_ref().map(|r| i64::from(r.status))))
            .bind(each(&rows, headers))
            .bind(each(&rows, |(_, (_, last))| last.response.as_ref().map(|r| r.body.clone())))
            .bind(each(&rows, |(_, (first, _))| first.at.as_micros()));
        batch.exactly(rows.len(), statement).await?;
    }
    Ok(())
}

async fn park(batch: &mut Batch<'_>, parked: &[Parked]) -> Result<(), EngineError> {
    let key =
        |p: &Parked| (p.consumer.clone(), p.envelope.aggregate_id, p.envelope.aggregate_version);
    let last: BTreeMap<_, &Parked> = parked.iter().map(|p| (key(p), p)).collect();
    let parked: Vec<&Parked> = last.into_values().collect();
    if parked.is_empty() {
        return Ok(());
    }
    let of = |of: fn(&Envelope) -> String| each(&parked, |p| of(&p.envelope));
    let insert = sqlx::query(
        "INSERT INTO parked (consumer, event_id, source, event_type, aggregate_type, \
         aggregate_id, aggregate_version, time, correlation, causation, traceparent, data, \
         passed_over, error, attempts, parked_at) \
         SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], \
         $6::uuid[], $7::bigint[], $8::bigint[], $9::text[], $10::uuid[], $11::text[], \
         $12::bytea[], $13::bigint[], $14::text[], $15::bigint[], $16::bigint[]) \
         ON CONFLICT (consumer, aggregate_id, aggregate_version) \
         DO UPDATE SET error = excluded.error, attempts = excluded.attempts",
    );
    let insert = insert
        .bind(each(&parked, |p| p.consumer.clone()))
        .bind(each(&parked, |p| p.envelope.id))
        .bind(of(|e| e.source.clone()))
        .bind(of(|e| e.event_type.clone()))
        .bind(of(|e| e.aggregate_type.clone()))
        .bind(each(&parked, |p| p.envelope.aggregate_id))
        .bind(each(&parked, |p| p.envelope.aggregate_version as i64))
        .bind(each(&parked, |p| p.envelope.time.as_micros()))
        .bind(of(|e| e.correlation.to_string()))
        .bind(each(&parked, |p| p.envelope.causation))
        .bind(each(&parked, |p| p.envelope.traceparent.clone()))
        .bind(each(&parked, |p| p.envelope.data.clone()))
        .bind(each(&parked, |p| p.envelope.passed_over as i64))
        // Somebody else's message: it may hold what no text column can.
        .bind(each(&parked, |p| p.error.replace('\0', " ")))
        .bind(each(&parked, |p| i64::from(p.attempts)))
        .bind(each(&parked, |p| p.parked_at.as_micros()));
    batch.execute(insert).await.map(drop)
}
