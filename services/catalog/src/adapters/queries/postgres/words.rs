//! The full text of published products, written on PostgreSQL.

use platform::store::postgres::sqlx::{self, PgConnection};

use super::super::row::Words;
use super::super::search::is_number;
use crate::domain::text::words;

/// Longer words are cut: an index of the database holds no longer ones, and nobody types them.
const WORD_BYTES: usize = 1_024;
/// A full text of the database holds one mebibyte of words. A product with every text at its limit
/// has less.
const TEXT_BYTES: usize = 960 << 10;

/// A word as the index holds it.
pub(super) fn lexeme(word: &str) -> &str {
    &word[..word.floor_char_boundary(WORD_BYTES)]
}

/// The words of rows, as "product_search" and "product_term" hold them.
#[derive(Default)]
pub(super) struct Documents {
    /// Rows that have been indexed before, and those of them that go.
    known: Vec<i64>,
    gone: Vec<i64>,
    rows: Vec<i64>,
    titles: Vec<String>,
    all: Vec<String>,
    terms: Vec<String>,
    term_rows: Vec<i64>,
}

impl Documents {
    /// Indexes the words of a row; `again` when it has been indexed before.
    pub fn put(&mut self, row: i64, text: &Words, again: bool) {
        if again {
            self.known.push(row);
        }
        let mut all = String::new();
        let mut title = String::new();
        for word in words(&text.title) {
            push(&mut title, lexeme(word));
        }
        for word in words(&text.title).chain(words(&text.other)) {
            let word = lexeme(word);
            if push(&mut all, word) && is_number(word) {
                self.terms.push(word.to_owned());
                self.term_rows.push(row);
            }
        }
        self.rows.push(row);
        self.titles.push(title);
        self.all.push(all);
    }

    pub fn forget(&mut self, row: i64) {
        self.known.push(row);
        self.gone.push(row);
    }

    pub async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.known.is_empty() {
            sqlx::query(
                "DELETE FROM product_term AS t USING (SELECT s.row, \
                 unnest(tsvector_to_array(s.words)) AS term FROM product_search s \
                 WHERE s.row = ANY ($1)) AS o \
                 WHERE o.term ~ '[0-9]' AND t.term = o.term AND t.row = o.row",
            )
            .bind(self.known)
            .execute(&mut *tx)
            .await?;
        }
        if !self.gone.is_empty() {
            let delete = sqlx::query("DELETE FROM product_search WHERE row = ANY ($1)");
            delete.bind(self.gone).execute(&mut *tx).await?;
        }
        if !self.rows.is_empty() {
            sqlx::query(
                "INSERT INTO product_search (row, title, words) \
                 SELECT row, array_to_tsvector(string_to_array(title, ' ')), \
                 array_to_tsvector(string_to_array(words, ' ')) \
                 FROM unnest($1::bigint[], $2::text[], $3::text[]) AS w (row, title, words) \
                 ON CONFLICT (row) DO UPDATE SET title = excluded.title, words = excluded.words",
            )
            .bind(self.rows)
            .bind(self.titles)
            .bind(self.all)
            .execute(&mut *tx)
            .await?;
        }
        if !self.terms.is_empty() {
            sqlx::query(
                "INSERT INTO product_term (term, row) \
                 SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING",
            )
            .bind(self.terms)
            .bind(self.term_rows)
            .execute(tx)
            .await?;
        }
        Ok(())
    }
}

/// Adds a word, if there is room.
fn push(text: &mut String, word: &str) -> bool {
    let fits = text.len() + word.len() < TEXT_BYTES;
    if fits {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    fits
}
