//! Outbox, inbox, answers and parked events of a batch.

use std::collections::BTreeMap;

use super::load::Seen;
use super::script::Script;
use super::transaction::each;
use super::write::Wanted;
use crate::event::{Envelope, PARTITIONS};
use crate::idempotency::Identity;
use crate::store::engine::{EngineError, FORGET, InboxMove, Parked, SavedWrite, WriteSet};

/// The last parts of a statement, and its end.
pub(super) fn write(
    script: &mut Script,
    writes: &WriteSet,
    seen: &Seen,
) -> Result<Wanted, EngineError> {
    move_inbox(script, &writes.inbox, seen)?;
    save_answers(script, &writes.idempotency, seen)?;
    park(script, &writes.park)?;
    if !writes.unpark.is_empty() {
        script.add(each(&writes.unpark, |(consumer, _)| consumer.as_str()))?;
        script.add(each(&writes.unpark, |(_, event)| *event))?;
        script.part(
            "DELETE FROM parked AS p USING unnest(?::text[], ?::uuid[]) AS w (consumer, event) \
             WHERE p.consumer = w.consumer AND p.event_id = w.event",
        );
    }
    if !writes.outbox_done.is_empty() || !writes.outbox.is_empty() {
        script.add(writes.outbox_done.as_slice())?;
        script.part("DELETE FROM outbox WHERE place = ANY(?)");
    }
    let (mut wanted, mut columns) = (Wanted::default(), Vec::new());
    if let Some(before) = writes.idempotency_before {
        script.add(before.as_micros())?;
        script.add(i64::from(FORGET))?;
        // What another replica forgets just now is left to it.
        let part = script.part(
            "DELETE FROM idempotency WHERE ctid = ANY (ARRAY (SELECT ctid FROM idempotency \
             WHERE created_at < ? ORDER BY created_at LIMIT ? FOR UPDATE SKIP LOCKED)) RETURNING 1",
        );
        columns.push(format!("(SELECT count(*) FROM {part})"));
        wanted.forgotten = Some(columns.len());
    }
    if !writes.outbox.is_empty() {
        let part = publish(script, writes)?;
        columns.push(format!("ARRAY(SELECT place FROM {part})"));
        wanted.places = Some(columns.len());
    }
    script.end(&columns);
    Ok(wanted)
}

/// Last of all, so that places are given out shortly before the commit.
fn publish(script: &mut Script, writes: &WriteSet) -> Result<String, EngineError> {
    let events = &writes.outbox;
    script.add(each(events, |e| e.id))?;
    script.add(each(events, |e| i64::from(e.partition(PARTITIONS))))?;
    script.add(each(events, |e| e.event_type.as_str()))?;
    script.add(each(events, |e| e.aggregate_type.as_str()))?;
    script.add(each(events, |e| e.aggregate_id))?;
    script.add(each(events, |e| e.aggregate_version as i64))?;
    script.add(each(events, |e| e.time.as_micros()))?;
    script.add(each(events, |e| &*e.correlation))?;
    script.add(each(events, |e| e.causation))?;
    script.add(each(events, |e| e.traceparent.as_deref()))?;
    script.add(each(events, |e| e.data.as_slice()))?;
    Ok(script.part(
        "INSERT INTO outbox (id, shard, event_type, aggregate_type, aggregate_id, \
         aggregate_version, time, correlation, causation, traceparent, data) \
         SELECT id, shard, event_type, aggregate_type, aggregate_id, aggregate_version, time, \
         correlation, causation, traceparent, data \
         FROM unnest(?::uuid[], ?::bigint[], ?::text[], ?::text[], ?::uuid[], ?::bigint[], \
         ?::bigint[], ?::text[], ?::uuid[], ?::text[], ?::bytea[]) WITH ORDINALITY \
         AS w (id, shard, event_type, aggregate_type, aggregate_id, aggregate_version, time, \
         correlation, causation, traceparent, data, nth) ORDER BY nth RETURNING place",
    ))
}

fn move_inbox(script: &mut Script, moves: &[InboxMove], seen: &Seen) -> Result<(), EngineError> {
    // Of several moves of one row the last stands.
    let last: BTreeMap<_, _> = moves.iter().map(|m| ((m.consumer, m.aggregate_id), m)).collect();
    let before = |m: &InboxMove| seen.inbox.get(&(m.consumer, m.aggregate_id)).copied();
    let (new, old): (Vec<_>, Vec<_>) = last.into_values().partition(|m| before(m).is_none());
    if moves.is_empty() {
        return Ok(());
    }
    let add = |script: &mut Script, moves: &[&InboxMove]| {
        script.add(each(moves, |m| m.consumer))?;
        script.add(each(moves, |m| m.aggregate_id))?;
        script.add(each(moves, |m| m.version as i64))?;
        script.add(each(moves, |m| m.event_id))
    };
    add(script, &old)?;
    script.add(each(&old, |m| before(m).unwrap_or_default() as i64))?;
    script.exactly(
        old.len(),
        "UPDATE inbox AS i SET version = w.version, event_id = w.event_id \
         FROM unnest(?::text[], ?::uuid[], ?::bigint[], ?::uuid[], ?::bigint[]) \
         AS w (consumer, aggregate_id, version, event_id, before) \
         WHERE i.consumer = w.consumer AND i.aggregate_id = w.aggregate_id \
         AND i.version = w.before RETURNING 1",
    )?;
    add(script, &new)?;
    script.exactly(
        new.len(),
        "INSERT INTO inbox (consumer, aggregate_id, version, event_id) \
         SELECT * FROM unnest(?::text[], ?::uuid[], ?::bigint[], ?::uuid[]) \
         ON CONFLICT (consumer, aggregate_id) DO NOTHING RETURNING 1",
    )
}

fn save_answers(script: &mut Script, saved: &[SavedWrite], seen: &Seen) -> Result<(), EngineError> {
    if saved.is_empty() {
        return Ok(());
    }
    // A key that is begun and finished in one batch is one row: the last answer, the first time.
    let mut rows: BTreeMap<Identity, (&SavedWrite, &SavedWrite)> = BTreeMap::new();
    for write in saved {
        rows.entry(write.key.identity()).and_modify(|row| row.1 = write).or_insert((write, write));
    }
    let (new, old): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(key, _)| seen.free.contains(key));
    let insert = "INSERT INTO idempotency \
                  (owner, route, key, fingerprint, status, headers, body, created_at) \
                  SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], \
                  ?::bigint[], ?::text[], ?::bytea[], ?::bigint[]) \
                  ON CONFLICT (owner, route, key) DO ";
    let finish = "UPDATE SET status = excluded.status, headers = excluded.headers, \
                  body = excluded.body";
    for (conflict, rows) in [("NOTHING", new), (finish, old)] {
        let headers = |(_, (_, last)): &(Identity, (&SavedWrite, &SavedWrite))| {
            let response = last.response.as_ref()?;
            Some(serde_json::to_string(&response.headers).unwrap_or_default())
        };
        script.add(each(&rows, |(key, _)| key.0.as_str()))?;
        script.add(each(&rows, |(key, _)| key.1.as_str()))?;
        script.add(each(&rows, |(key, _)| key.2.as_str()))?;
        script.add(each(&rows, |(_, (first, _))| first.key.fingerprint.as_str()))?;
        script.add(each(&rows, |(_, (_, l))| l.response.as_ref().map(|r| i64::from(r.status))))?;
        script.add(each(&rows, headers))?;
        script.add(each(&rows, |(_, (_, l))| l.response.as_ref().map(|r| r.body.as_slice())))?;
        script.add(each(&rows, |(_, (first, _))| first.at.as_micros()))?;
        script.exactly(rows.len(), &format!("{insert}{conflict} RETURNING 1"))?;
    }
    Ok(())
}

fn park(script: &mut Script, parked: &[Parked]) -> Result<(), EngineError> {
    let key =
        |p: &Parked| (p.consumer.clone(), p.envelope.aggregate_id, p.envelope.aggregate_version);
    let last: BTreeMap<_, &Parked> = parked.iter().map(|p| (key(p), p)).collect();
    let parked: Vec<&Parked> = last.into_values().collect();
    if parked.is_empty() {
        return Ok(());
    }
    let of = |of: fn(&Envelope) -> &str| each(&parked, |p| of(&p.envelope));
    script.add(each(&parked, |p| p.consumer.as_str()))?;
    script.add(each(&parked, |p| p.envelope.id))?;
    script.add(of(|e| &e.source))?;
    script.add(of(|e| &e.event_type))?;
    script.add(of(|e| &e.aggregate_type))?;
    script.add(each(&parked, |p| p.envelope.aggregate_id))?;
    script.add(each(&parked, |p| p.envelope.aggregate_version as i64))?;
    script.add(each(&parked, |p| p.envelope.time.as_micros()))?;
    script.add(of(|e| &e.correlation))?;
    script.add(each(&parked, |p| p.envelope.causation))?;
    script.add(each(&parked, |p| p.envelope.traceparent.as_deref()))?;
    script.add(each(&parked, |p| p.envelope.data.as_slice()))?;
    script.add(each(&parked, |p| p.envelope.passed_over as i64))?;
    // Somebody else's message: it may hold what no text column can.
    script.add(each(&parked, |p| p.error.replace('\0', " ")))?;
    script.add(each(&parked, |p| i64::from(p.attempts)))?;
    script.add(each(&parked, |p| p.parked_at.as_micros()))?;
    script.part(
        "INSERT INTO parked (consumer, event_id, source, event_type, aggregate_type, \
         aggregate_id, aggregate_version, time, correlation, causation, traceparent, data, \
         passed_over, error, attempts, parked_at) \
         SELECT * FROM unnest(?::text[], ?::uuid[], ?::text[], ?::text[], ?::text[], \
         ?::uuid[], ?::bigint[], ?::bigint[], ?::text[], ?::uuid[], ?::text[], \
         ?::bytea[], ?::bigint[], ?::text[], ?::bigint[], ?::bigint[]) \
         ON CONFLICT (consumer, aggregate_id, aggregate_version) \
         DO UPDATE SET error = excluded.error, attempts = excluded.attempts",
    );
    Ok(())
}
