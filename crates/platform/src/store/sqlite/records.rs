//! Rows to records and back.

use kernel::Timestamp;
use kernel::id::Uuid;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};

use crate::event::Envelope;
use crate::idempotency::SavedResponse;
use crate::store::engine::{IdempotencyRow, Parked, RawRow};
use crate::store::value::Value;

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Uuid(value) => ValueRef::Blob(value.as_bytes()),
        }))
    }
}

pub(super) fn uuid(row: &Row<'_>, at: usize) -> rusqlite::Result<Uuid> {
    row.get::<_, [u8; 16]>(at).map(Uuid::from_bytes)
}

pub(super) fn optional_uuid(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Uuid>> {
    Ok(row.get::<_, Option<[u8; 16]>>(at)?.map(Uuid::from_bytes))
}

fn unsigned(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(|value| value as u64)
}

/// `id, version, seq, state`.
pub(super) fn raw_row(row: &Row<'_>) -> rusqlite::Result<RawRow> {
    Ok(RawRow {
        id: uuid(row, 0)?,
        version: unsigned(row, 1)?,
        seq: unsigned(row, 2)?,
        state: row.get(3)?,
    })
}

/// `fingerprint, status, headers, body`.
pub(super) fn idempotency_row(row: &Row<'_>) -> rusqlite::Result<IdempotencyRow> {
    let status: Option<u16> = row.get(1)?;
    let response = match status {
        None => None,
        Some(status) => {
            let headers: Option<String> = row.get(2)?;
            let headers = serde_json::from_str(headers.as_deref().unwrap_or("[]"));
            let body: Option<Vec<u8>> = row.get(3)?;
            Some(SavedResponse {
                status,
                headers: headers.unwrap_or_default(),
                body: body.unwrap_or_default(),
            })
        }
    };
    Ok(IdempotencyRow { fingerprint: row.get(0)?, response })
}

pub(super) const ENVELOPE: &str = "event_type, aggregate_type, aggregate_id, aggregate_version, \
                                   time, correlation, causation, traceparent, data";

/// [`ENVELOPE`] from column `at` on.
pub(super) fn envelope(
    row: &Row<'_>,
    at: usize,
    id: Uuid,
    source: String,
) -> rusqlite::Result<Envelope> {
    Ok(Envelope {
        id,
        source,
        event_type: row.get(at)?,
        aggregate_type: row.get(at + 1)?,
        aggregate_id: uuid(row, at + 2)?,
        aggregate_version: unsigned(row, at + 3)?,
        time: Timestamp::from_micros(row.get(at + 4)?),
        correlation: row.get::<_, String>(at + 5)?.into(),
        causation: optional_uuid(row, at + 6)?,
        traceparent: row.get(at + 7)?,
        data: row.get(at + 8)?,
        passed_over: 0,
    })
}

/// `consumer, event_id, source, error, attempts, parked_at`, [`ENVELOPE`], then `passed_over`.
pub(super) fn parked(row: &Row<'_>) -> rusqlite::Result<Parked> {
    let id = uuid(row, 1)?;
    let envelope = envelope(row, 6, id, row.get(2)?)?;
    let passed_over = unsigned(row, 15)?;
    Ok(Parked {
        consumer: row.get(0)?,
        envelope: Envelope { passed_over, ..envelope },
        error: row.get(3)?,
        attempts: row.get(4)?,
        parked_at: Timestamp::from_micros(row.get(5)?),
    })
}
