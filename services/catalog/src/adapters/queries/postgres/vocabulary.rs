//! The vocabulary of typing errors, written on PostgreSQL.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use platform::store::postgres::sqlx::{self, PgConnection, Row as _};

use super::super::row::Words;
use super::super::sqlite_words::MAX_VOCABULARY;
use super::sellable::take;
use crate::domain::text::{hash, hints_for_vocabulary};

/// Batches that add words do so one after the other: words are numbered as they are learned, so
/// that of too many candidates the same ones are looked at as on the other engines.
const LOCK: i64 = 0x766f_6361_6275_6c61;

/// Words that stand in the vocabulary, so that most batches need not ask for theirs. Only what was
/// read back counts: a batch may be rolled back after it was projected.
#[derive(Default)]
pub(super) struct Known {
    words: HashSet<i64>,
    /// Words are never taken out.
    full: bool,
}

fn guard(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The words that may be new, each once, in the order in which they are learned.
fn unknown(known: &Mutex<Known>, texts: &[Words]) -> Vec<String> {
    let mut known = guard(known);
    if known.full {
        return Vec::new();
    }
    if known.words.len() > 2 * MAX_VOCABULARY as usize {
        known.words.clear();
    }
    let mut seen = HashSet::new();
    let words = texts.iter().flat_map(|text| &text.vocabulary);
    let words = words.filter(|word| {
        let key = hash([word.as_str()]);
        !known.words.contains(&key) && seen.insert(key)
    });
    words.cloned().collect()
}

/// Adds the words of `texts`, as long as there is room.
pub(super) async fn learn(
    tx: &mut PgConnection,
    known: &Mutex<Known>,
    texts: &[Words],
) -> sqlx::Result<()> {
    let mut words = unknown(known, texts);
    if !remove_known(tx, known, &mut words).await? {
        return Ok(());
    }
    take(tx, vec![LOCK]).await?;
    // Somebody else may have added some before the lock was ours.
    if !remove_known(tx, known, &mut words).await? {
        return Ok(());
    }
    let last = sqlx::query("SELECT coalesce(max(id), 0) FROM search_word").fetch_one(&mut *tx);
    let last: i64 = last.await?.try_get(0)?;
    let room = (MAX_VOCABULARY - last).max(0) as usize;
    if room == 0 {
        guard(known).full = true;
    }
    words.truncate(room);
    add(tx, words, last).await
}

/// Takes out what stands in the vocabulary; false when nothing is left.
async fn remove_known(
    tx: &mut PgConnection,
    known: &Mutex<Known>,
    words: &mut Vec<String>,
) -> sqlx::Result<bool> {
    if words.is_empty() {
        return Ok(false);
    }
    let found = sqlx::query("SELECT word FROM search_word WHERE word = ANY ($1)");
    let found = found.bind(words.as_slice()).fetch_all(tx).await?;
    let found: HashSet<String> =
        found.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>()?;
    words.retain(|word| !found.contains(word));
    guard(known).words.extend(found.iter().map(|word| hash([word.as_str()])));
    Ok(!words.is_empty())
}

async fn add(tx: &mut PgConnection, words: Vec<String>, last: i64) -> sqlx::Result<()> {
    if words.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = (last + 1..).take(words.len()).collect();
    let (mut hints, mut of) = (Vec::new(), Vec::new());
    for (id, word) in ids.iter().zip(&words) {
        let own = hints_for_vocabulary(word);
        of.extend(std::iter::repeat_n(*id, own.len()));
        hints.extend(own);
    }
    let insert =
        "INSERT INTO search_word (id, word) SELECT * FROM unnest($1::bigint[], $2::text[])";
    sqlx::query(insert).bind(ids).bind(words).execute(&mut *tx).await?;
    let insert =
        "INSERT INTO search_hint (hint, word) SELECT * FROM unnest($1::bigint[], $2::bigint[])";
    sqlx::query(insert).bind(hints).bind(of).execute(tx).await?;
    Ok(())
}
