//! The category tree as shoppers walk it, level by level.

use kernel::id::Uuid;
use platform::store::{Position, Value};
use rusqlite::{Connection, Result};

use super::lists::COUNT_CATEGORIES;
use crate::domain::{Category, CategoryId};
use crate::ports::{CategoryEntry, Children};

/// A place among siblings; handles are unique, so it names one.
pub(super) fn position(place: i64, handle: &str, id: CategoryId) -> Position {
    Position { value: Value::Text(format!("{place} {handle}")), id: id.uuid() }
}

/// `None` for a cursor of another list.
pub(super) fn place(position: &Position) -> Option<(i64, &str)> {
    let Value::Text(text) = &position.value else { return None };
    let (place, handle) = text.split_once(' ')?;
    Some((place.parse().ok()?, handle))
}

/// Hands out what is left of `most`.
pub(super) fn children<E>(
    limit: usize,
    left: &mut usize,
    mut next: impl FnMut() -> Result<Option<CategoryEntry>, E>,
) -> Result<Children, E> {
    let mut children = Children::default();
    let room = limit.min(*left);
    while let Some(entry) = next()? {
        if children.list.len() == room {
            children.more = true;
            break;
        }
        children.list.push(entry);
    }
    *left -= children.list.len();
    Ok(children)
}

pub(super) fn below(
    connection: &Connection,
    parents: &[Option<CategoryId>],
    after: Option<&Position>,
    limit: usize,
    most: usize,
) -> Result<Vec<Children>> {
    let (at, behind) = match after.map(place) {
        None => (i64::MIN, ""),
        Some(Some(place)) => place,
        Some(None) => return Ok(vec![Children::default(); parents.len()]),
    };
    let mut statement = connection.prepare_cached(
        "SELECT id, position, handle, title FROM category_node \
         WHERE parent = ?1 AND (position, handle) > (?2, ?3) ORDER BY position, handle",
    )?;
    let mut left = most;
    let mut all = Vec::with_capacity(parents.len());
    for parent in parents {
        let parent = parent.map(|parent| parent.uuid().into_bytes());
        let parent = parent.as_ref().map_or(&[][..], <[u8; 16]>::as_slice);
        let mut rows = statement.query((parent, at, behind))?;
        all.push(children(limit, &mut left, || rows.next()?.map(entry).transpose())?);
    }
    Ok(all)
}

fn entry(row: &rusqlite::Row<'_>) -> Result<CategoryEntry> {
    let id = CategoryId::from_uuid(Uuid::from_bytes(row.get(0)?));
    let handle = row.get_ref(2)?.as_str()?;
    let unreadable = |column: usize, error: Box<dyn std::error::Error + Send + Sync>| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, error)
    };
    Ok(CategoryEntry {
        id,
        position: position(row.get(1)?, handle, id),
        handle: handle
            .parse()
            .map_err(|error: kernel::text::TextError| unreadable(2, error.to_string().into()))?,
        title: serde_json::from_str(row.get_ref(3)?.as_str()?)
            .map_err(|error| unreadable(3, error.into()))?,
    })
}

pub(super) fn count(connection: &Connection) -> Result<usize> {
    let count: i64 =
        connection.prepare_cached(COUNT_CATEGORIES)?.query_row([], |row| row.get(0))?;
    Ok(count as usize)
}

/// The same among categories in memory.
pub(super) fn below_in_memory<'a>(
    categories: impl Iterator<Item = (&'a CategoryId, &'a Category)> + Clone,
    parents: &[Option<CategoryId>],
    after: Option<&Position>,
    limit: usize,
    most: usize,
) -> Vec<Children> {
    let mut left = most;
    let lists = parents.iter().map(|parent| {
        let of_parent = categories.clone().filter(|(_, category)| category.parent == *parent);
        let mut list: Vec<_> = of_parent.collect();
        list.sort_by_key(|(_, category)| (category.position, category.handle.as_str()));
        let behind = |category: &Category| match after.map(place) {
            None => true,
            Some(None) => false,
            Some(Some(place)) => (i64::from(category.position), category.handle.as_str()) > place,
        };
        let mut entries =
            list.into_iter().filter(|(_, category)| behind(category)).map(|(id, c)| {
                CategoryEntry {
                    id: *id,
                    handle: c.handle.clone(),
                    title: c.title.clone(),
                    position: position(c.position.into(), c.handle.as_str(), *id),
                }
            });
        let next = || Ok::<_, std::convert::Infallible>(entries.next());
        children(limit, &mut left, next).unwrap_or_default()
    });
    lists.collect()
}
