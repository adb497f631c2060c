//! One statement made of many: what a batch reads, or what it changes, in one round trip.
//!
//! Each part is a common table expression; a part that changes or holds rows says how many it must
//! meet. The statement fails as a whole when one meets fewer, so that outside of a transaction it
//! is a transaction of its own: all of it is applied, or nothing.
//!
//! A statement is prepared once a connection, by its text. Which parts it has depends on the batch,
//! so parts that often come together always do, also where one of them has nothing to do.

use std::fmt::Write as _;

use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, PgConnection, Type};

use crate::store::engine::EngineError;

/// In the text of a part: the place of its next argument.
const MARK: char = '?';

#[derive(Default)]
pub(super) struct Script {
    sql: String,
    parts: usize,
    arguments: PgArguments,
    /// How many marks are numbered.
    marks: usize,
    /// What has to be true at the end.
    conditions: String,
}

/// The error of a statement of which a part met fewer rows than it must. No statement of ours
/// divides by anything else.
pub(super) const TOO_FEW: &str = "22012";

impl Script {
    pub fn is_empty(&self) -> bool {
        self.parts == 0
    }

    /// The value of the next mark of the part that is written next.
    pub fn add<'q, T>(&mut self, value: T) -> Result<(), EngineError>
    where
        T: Encode<'q, Postgres> + Type<Postgres>,
    {
        let added = self.arguments.add(value);
        added.map_err(|error| EngineError::Constraint(format!("postgres: {error}")))
    }

    /// A part whose arguments were added; answers with the name of its rows.
    pub fn part(&mut self, sql: &str) -> String {
        let name = format!("p{}", self.parts);
        self.sql.push_str(if self.parts == 0 { "WITH " } else { ", " });
        let _ = write!(self.sql, "{name} AS (");
        self.number(sql);
        self.sql.push(')');
        self.parts += 1;
        name
    }

    /// A part that must meet so many rows; fewer, and somebody else was there first.
    pub fn exactly(&mut self, rows: usize, sql: &str) -> Result<(), EngineError> {
        let name = self.part(sql);
        self.add(rows as i64)?;
        self.marks += 1;
        let and = if self.conditions.is_empty() { "" } else { " AND " };
        let mark = self.marks;
        let _ = write!(self.conditions, "{and}(SELECT count(*) FROM {name}) = ${mark}");
        Ok(())
    }

    fn number(&mut self, sql: &str) {
        for (at, piece) in sql.split(MARK).enumerate() {
            if at > 0 {
                self.marks += 1;
                let _ = write!(self.sql, "${}", self.marks);
            }
            self.sql.push_str(piece);
        }
    }

    /// Parts run in the order in which their rows are asked for: those with a condition first, in
    /// their order, then those that `columns` ask, then the others. The answer is one row, its
    /// first column says nothing.
    pub fn end(&mut self, columns: &[String]) {
        // Not known before it runs, so that it is not worked out (and refused) while it is planned.
        let check = if self.conditions.is_empty() {
            "1".to_owned()
        } else {
            format!("1 / ({})::int", self.conditions)
        };
        let _ = write!(self.sql, " SELECT {check}");
        for column in columns {
            let _ = write!(self.sql, ", {column}");
        }
    }

    /// Another end: what is asked of the parts.
    pub fn answer(&mut self, sql: &str) {
        self.sql.push(' ');
        self.sql.push_str(sql);
    }

    pub async fn run(self, connection: &mut PgConnection) -> sqlx::Result<Vec<PgRow>> {
        let query = sqlx::query_with(AssertSqlSafe(self.sql), self.arguments);
        query.fetch_all(connection).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_numbered_through_all_parts_and_counts_stand_behind_theirs() {
        let mut script = Script::default();
        script.add(1_i64).unwrap();
        script.add(2_i64).unwrap();
        script.exactly(3, "UPDATE a SET x = ? WHERE y = ? RETURNING 1").unwrap();
        script.add(4_i64).unwrap();
        let part = script.part("INSERT INTO b VALUES (?) RETURNING place");
        script.end(&[format!("ARRAY(SELECT place FROM {part})")]);
        assert_eq!(
            script.sql,
            "WITH p0 AS (UPDATE a SET x = $1 WHERE y = $2 RETURNING 1), \
             p1 AS (INSERT INTO b VALUES ($4) RETURNING place) \
             SELECT 1 / ((SELECT count(*) FROM p0) = $3)::int, ARRAY(SELECT place FROM p1)"
        );
        assert_eq!(script.arguments.len(), 4);
    }

    #[test]
    fn a_statement_without_a_condition_has_nothing_to_divide_by() {
        let mut script = Script::default();
        script.part("DELETE FROM a");
        script.end(&[]);
        assert_eq!(script.sql, "WITH p0 AS (DELETE FROM a) SELECT 1");
    }
}
