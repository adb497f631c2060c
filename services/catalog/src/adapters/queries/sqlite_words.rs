//! The full text of published products and the vocabulary of typing errors, written on SQLite.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::row::Words;
use crate::domain::text::{hash, hints_for_vocabulary};

/// A vocabulary that is full learns no more words: those are found when they are typed right.
pub(super) const MAX_VOCABULARY: i64 = 50_000;

/// Words that stand in the vocabulary, so that most products need not ask for theirs. A batch may
/// be rolled back after it was projected: its words count only once the next batch has seen one
/// that it added.
#[derive(Default)]
pub(super) struct Known {
    committed: HashSet<i64>,
    pending: HashSet<i64>,
    /// A word that the last batch added.
    witness: Option<String>,
}

impl Known {
    /// To be called when a batch begins.
    pub fn begin(&mut self, tx: &Connection) -> Result<()> {
        let stands = match self.witness.take() {
            None => true,
            Some(word) => tx
                .prepare_cached("SELECT 1 FROM search_word WHERE word = ?1")?
                .query_row([word], |_| Ok(()))
                .optional()?
                .is_some(),
        };
        if stands {
            self.committed.extend(self.pending.drain());
        }
        self.pending.clear();
        if self.committed.len() > 2 * MAX_VOCABULARY as usize {
            self.committed.clear();
        }
        Ok(())
    }

    fn learn(&mut self, tx: &Connection, word: &str) -> Result<()> {
        let key = hash([word]);
        if self.committed.contains(&key) || !self.pending.insert(key) {
            return Ok(());
        }
        let added = tx
            .prepare_cached(
                "INSERT INTO search_word (word) SELECT ?1 \
                 WHERE coalesce((SELECT max(id) FROM search_word), 0) < ?2 ON CONFLICT DO NOTHING",
            )?
            .execute(params![word, MAX_VOCABULARY])?;
        if added == 0 {
            return Ok(());
        }
        let id = tx.last_insert_rowid();
        let mut insert =
            tx.prepare_cached("INSERT INTO search_hint (hint, word) VALUES (?1, ?2)")?;
        for hint in hints_for_vocabulary(word) {
            insert.execute([hint, id])?;
        }
        self.witness = Some(word.to_owned());
        Ok(())
    }
}

/// Indexes the words of a row; `again` when it has been indexed before.
pub(super) fn index(
    tx: &Connection,
    known: &mut Known,
    row: i64,
    words: &Words,
    again: bool,
) -> Result<()> {
    if again {
        forget(tx, row)?;
    }
    tx.prepare_cached("INSERT INTO product_search (rowid, title, other) VALUES (?1, ?2, ?3)")?
        .execute(params![row, words.title, words.other])?;
    for word in &words.vocabulary {
        known.learn(tx, word)?;
    }
    Ok(())
}

pub(super) fn forget(tx: &Connection, row: i64) -> Result<()> {
    tx.prepare_cached("DELETE FROM product_search WHERE rowid = ?1")?.execute([row])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(crate::MIGRATIONS[0].sqlite).unwrap();
        connection
    }

    fn words(title: &str) -> Words {
        let vocabulary = title.split(' ').map(str::to_owned).collect();
        Words { title: title.to_owned(), other: String::new(), vocabulary }
    }

    fn count(connection: &Connection, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    /// One batch as the store runs it.
    fn batch(connection: &Connection, known: &mut Known, row: i64, title: &str, end: &str) {
        connection.execute_batch("BEGIN").unwrap();
        known.begin(connection).unwrap();
        index(connection, known, row, &words(title), false).unwrap();
        connection.execute_batch(end).unwrap();
    }

    #[test]
    fn words_of_a_batch_that_was_rolled_back_are_learned_again() {
        let (connection, mut known) = (database(), Known::default());
        batch(&connection, &mut known, 1, "lantern", "ROLLBACK");
        batch(&connection, &mut known, 1, "lantern kettle", "COMMIT");
        assert_eq!(count(&connection, "search_word"), 2);
        batch(&connection, &mut known, 2, "kettle blanket", "COMMIT");
        batch(&connection, &mut known, 3, "kettle", "COMMIT");
        assert_eq!(count(&connection, "search_word"), 3);
        assert_eq!(known.committed.len(), 3);
    }

    #[test]
    fn a_full_vocabulary_learns_nothing_more() {
        let (connection, mut known) = (database(), Known::default());
        connection
            .execute("INSERT INTO search_word (id, word) VALUES (?1, 'last')", [MAX_VOCABULARY])
            .unwrap();
        batch(&connection, &mut known, 1, "lantern", "COMMIT");
        assert_eq!((count(&connection, "search_word"), count(&connection, "search_hint")), (1, 0));
    }
}
