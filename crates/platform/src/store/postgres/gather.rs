//! Reads of rows by their ids that meet. Whoever asks while two statements on the table are under way
//! is answered by the next, together with everybody else who asked meanwhile: the more readers there
//! are, the fewer statements each costs, and one alone waits for nobody.
//!
//! The statement that answers begins after it was asked for, so a reader sees all that was committed
//! before. Rows of one reader are of one moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::id::Uuid;
use tokio::sync::oneshot;

use super::Shared;
use super::read::PostgresReader;
use crate::store::engine::{EngineError, RawRow};

/// Statements on one table at once. The second keeps a reader from waiting for a slow one.
const AT_ONCE: usize = 2;
/// One statement asks for no more rows than this. Whoever wants more asks alone.
const ROWS: usize = 500;

type Answer = Result<Vec<RawRow>, EngineError>;

#[derive(Default)]
pub(super) struct Gathered {
    tables: Mutex<HashMap<&'static str, Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    under_way: usize,
}

struct Waiting {
    ids: Vec<Uuid>,
    answer: oneshot::Sender<Answer>,
}

/// The right to one statement on a table. Given back, it goes to those who wait.
struct Turn {
    shared: Arc<Shared>,
    table: &'static str,
}

impl Gathered {
    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Queue>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rows in the order of `ids`; those that do not exist are left out.
pub(super) async fn get(shared: &Arc<Shared>, table: &'static str, ids: &[Uuid]) -> Answer {
    let reader = PostgresReader::new(shared.clone());
    if ids.len() > ROWS {
        return reader.fetch_rows(table, ids).await;
    }
    let told = {
        let mut tables = shared.gathered.lock();
        let queue = tables.entry(table).or_default();
        if queue.under_way < AT_ONCE {
            queue.under_way += 1;
            None
        } else {
            let (answer, told) = oneshot::channel();
            queue.waiting.push(Waiting { ids: ids.to_vec(), answer });
            Some(told)
        }
    };
    match told {
        None => {
            let _turn = Turn { shared: shared.clone(), table };
            reader.fetch_rows(table, ids).await
        }
        Some(told) => told.await.unwrap_or_else(|_| {
            Err(EngineError::Unavailable("postgres: a read was given up".to_owned()))
        }),
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut tables = self.shared.gathered.lock();
        let Some(queue) = tables.get_mut(self.table) else { return };
        // Nobody is asked for whom nobody waits any more.
        queue.waiting.retain(|waiting| !waiting.answer.is_closed());
        if queue.waiting.is_empty() {
            queue.under_way -= 1;
            return;
        }
        let together = take(&mut queue.waiting);
        drop(tables);
        let turn = Self { shared: self.shared.clone(), table: self.table };
        self.shared.env.spawn("rows-together", answer(turn, together));
    }
}

/// The first of them, as many as one statement asks for.
fn take(waiting: &mut Vec<Waiting>) -> Vec<Waiting> {
    let mut rows = 0;
    let fit = waiting.iter().take_while(|waiting| {
        rows += waiting.ids.len();
        rows <= ROWS
    });
    let fit = fit.count();
    waiting.drain(..fit).collect()
}

async fn answer(turn: Turn, together: Vec<Waiting>) {
    let mut ids: Vec<Uuid> = together.iter().flat_map(|one| one.ids.iter().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = PostgresReader::new(turn.shared.clone()).fetch_rows(turn.table, &ids).await;
    drop(turn);
    let found: Result<HashMap<Uuid, RawRow>, EngineError> =
        found.map(|rows| rows.into_iter().map(|row| (row.id, row)).collect());
    for one in together {
        let rows = |found: &HashMap<Uuid, RawRow>| {
            one.ids.iter().filter_map(|id| found.get(id).cloned()).collect()
        };
        // Who has gone needs no answer.
        let _ = one.answer.send(found.as_ref().map(rows).map_err(Clone::clone));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(ids: usize) -> Waiting {
        Waiting { ids: vec![Uuid::nil(); ids], answer: oneshot::channel().0 }
    }

    #[test]
    fn one_statement_takes_those_that_came_first_and_no_more_rows_than_allowed() {
        let mut waiting = vec![asks(1), asks(ROWS - 1), asks(1), asks(ROWS)];
        let sizes = |taken: Vec<Waiting>| taken.iter().map(|one| one.ids.len()).collect::<Vec<_>>();
        assert_eq!(sizes(take(&mut waiting)), [1, ROWS - 1]);
        assert_eq!(sizes(take(&mut waiting)), [1]);
        assert_eq!(sizes(take(&mut waiting)), [ROWS]);
        assert!(take(&mut waiting).is_empty());
    }
}
