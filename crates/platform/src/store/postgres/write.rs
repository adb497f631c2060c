//! What a batch writes, as one statement.

use std::collections::{BTreeMap, HashSet};

use kernel::id::Uuid;

use super::layout::{Layout, TableLayout};
use super::load::Seen;
use super::records;
use super::script::Script;
use super::transaction::each;
use crate::store::engine::{EngineError, RowWrite, WriteSet};
use crate::store::value::Value;

/// The columns of the answer that tell something.
#[derive(Default)]
pub(super) struct Wanted {
    pub places: Option<usize>,
    pub forgotten: Option<usize>,
}

/// `checked`: what was read has to be still so, and not only what is written.
pub(super) fn script(
    layout: &Layout,
    writes: &WriteSet,
    seen: &Seen,
    checked: bool,
) -> Result<(Script, Wanted), EngineError> {
    let mut script = Script::default();
    let mut tables: BTreeMap<&'static str, Touched<'_>> = BTreeMap::new();
    for row in &writes.rows {
        tables.entry(row.aggregate.table).or_default().written.push(row);
    }
    let written: HashSet<_> =
        each(&writes.rows, |row| (row.aggregate.table, row.id)).into_iter().collect();
    // Who changes all that it has read locks by changing, and needs no more.
    if checked && !seen.rows.keys().all(|key| written.contains(key)) {
        for ((table, id), version) in &seen.rows {
            tables.entry(table).or_default().read.push((*id, *version));
        }
    }
    for (table, Touched { read, written }) in tables {
        let table = layout.table(table)?;
        if !read.is_empty() {
            script.add(each(&read, |(id, _)| *id))?;
            script.add(each(&read, |(_, version)| *version as i64))?;
            let changes = written.iter().any(|row| row.expected > 0);
            script.exactly(read.len(), if changes { &table.seize } else { &table.hold })?;
        }
        write_table(&mut script, table, &written)?;
    }
    let wanted = records::write(&mut script, writes, seen)?;
    Ok((script, wanted))
}

/// What a batch has to do with a table. Tables come in the order of their names and rows in that of
/// their ids, as every batch of every replica takes them: nobody waits in a circle.
#[derive(Default)]
struct Touched<'a> {
    read: Vec<(Uuid, u64)>,
    written: Vec<&'a RowWrite>,
}

fn write_table(
    script: &mut Script,
    table: &TableLayout,
    rows: &[&RowWrite],
) -> Result<(), EngineError> {
    let (kept, gone): (Vec<&RowWrite>, Vec<_>) = rows.iter().partition(|row| row.state.is_some());
    let (new, old): (Vec<&RowWrite>, Vec<_>) = kept.into_iter().partition(|row| row.expected == 0);
    // Deletes first: they free unique values for what comes behind them.
    if !gone.is_empty() {
        script.add(each(&gone, |row| row.id))?;
        script.add(each(&gone, |row| row.expected as i64))?;
        script.exactly(gone.len(), &table.delete)?;
    }
    // Also without such rows, so that there are fewer statements to prepare: see [`Script`].
    if !old.is_empty() || !new.is_empty() {
        script.add(each(&old, |row| row.id))?;
        script.add(each(&old, |row| row.expected as i64))?;
        columns(script, table, &old)?;
        script.exactly(old.len(), &table.update)?;
    }
    if !new.is_empty() {
        script.add(each(&new, |row| row.id))?;
        columns(script, table, &new)?;
        script.exactly(new.len(), &table.insert)?;
    }
    Ok(())
}

/// Both versions, the declared columns, and the states behind them.
fn columns(
    script: &mut Script,
    table: &TableLayout,
    rows: &[&RowWrite],
) -> Result<(), EngineError> {
    script.add(each(rows, |row| row.version as i64))?;
    script.add(each(rows, |row| row.seq as i64))?;
    for (at, column) in table.columns.iter().enumerate() {
        let values: Vec<&Value> = each(rows, |row| row.columns.get(at).unwrap_or(&Value::Null));
        if !values.iter().all(|value| column.kind.holds(value)) {
            let text = format!("{}.{} cannot hold a value", table.name, column.name);
            return Err(EngineError::Constraint(text));
        }
        column.kind.add_all(script, &values)?;
    }
    let states = rows.iter().map(|row| row.state.as_ref().map(|(_, text)| text.as_str()));
    script.add(states.collect::<Vec<_>>())
}
