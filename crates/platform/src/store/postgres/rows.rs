//! Rows to records.

use kernel::Timestamp;
use kernel::id::Uuid;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::event::Envelope;
use crate::idempotency::SavedResponse;
use crate::store::engine::{IdempotencyRow, Parked, RawRow};

pub(super) fn unsigned(row: &PgRow, at: usize) -> sqlx::Result<u64> {
    row.try_get::<i64, _>(at).map(|value| value as u64)
}

/// `id, version, seq, state` from column `at` on.
pub(super) fn raw_row(row: &PgRow, at: usize) -> sqlx::Result<RawRow> {
    Ok(RawRow {
        id: row.try_get(at)?,
        version: unsigned(row, at + 1)?,
        seq: unsigned(row, at + 2)?,
        state: row.try_get(at + 3)?,
    })
}

/// `fingerprint, status, headers, body` from column `at` on.
pub(super) fn idempotency_row(row: &PgRow, at: usize) -> sqlx::Result<IdempotencyRow> {
    let status: Option<i64> = row.try_get(at + 1)?;
    let response = match status {
        None => None,
        Some(status) => {
            let headers: Option<String> = row.try_get(at + 2)?;
            let headers = serde_json::from_str(headers.as_deref().unwrap_or("[]"));
            let body: Option<Vec<u8>> = row.try_get(at + 3)?;
            Some(SavedResponse {
                status: u16::try_from(status).unwrap_or(500),
                headers: headers.unwrap_or_default(),
                body: body.unwrap_or_default(),
            })
        }
    };
    Ok(IdempotencyRow { fingerprint: row.try_get(at)?, response })
}

pub(super) const ENVELOPE: &str = "event_type, aggregate_type, aggregate_id, aggregate_version, \
                                   time, correlation, causation, traceparent, data";

/// [`ENVELOPE`] from column `at` on.
pub(super) fn envelope(row: &PgRow, at: usize, id: Uuid, source: String) -> sqlx::Result<Envelope> {
    Ok(Envelope {
        id,
        source,
        event_type: row.try_get(at)?,
        aggregate_type: row.try_get(at + 1)?,
        aggregate_id: row.try_get(at + 2)?,
        aggregate_version: unsigned(row, at + 3)?,
        time: Timestamp::from_micros(row.try_get(at + 4)?),
        correlation: row.try_get::<String, _>(at + 5)?.into(),
        causation: row.try_get(at + 6)?,
        traceparent: row.try_get(at + 7)?,
        data: row.try_get(at + 8)?,
        passed_over: 0,
    })
}

/// `consumer, event_id, source, error, attempts, parked_at`, [`ENVELOPE`], then `passed_over`.
pub(super) fn parked(row: &PgRow) -> sqlx::Result<Parked> {
    let envelope = envelope(row, 6, row.try_get(1)?, row.try_get(2)?)?;
    Ok(Parked {
        consumer: row.try_get(0)?,
        envelope: Envelope { passed_over: unsigned(row, 15)?, ..envelope },
        error: row.try_get(3)?,
        attempts: u32::try_from(row.try_get::<i64, _>(4)?).unwrap_or(u32::MAX),
        parked_at: Timestamp::from_micros(row.try_get(5)?),
    })
}
