//! The category tree on PostgreSQL: read level by level, written as batches tell.

use kernel::Handle;
use kernel::id::Uuid;
use platform::store::postgres::sqlx::postgres::PgRow;
use platform::store::postgres::sqlx::{self, PgConnection, Row as _};
use platform::store::{Change, Position, PostgresReader, StoreError};

use super::super::categories::{children, place, position};
use super::super::lists::{COUNT_CATEGORIES, category_label};
use super::super::row::CATEGORY;
use super::{Marks, fetch, only, undecoded, unreadable};
use crate::domain::{Category, CategoryId};
use crate::ports::{CategoryEntry, Children};

/// Who has no parent stands below this.
const TOP: Uuid = Uuid::nil();

pub(super) async fn below(
    reader: &PostgresReader,
    parents: &[Option<CategoryId>],
    after: Option<&Position>,
    limit: usize,
    most: usize,
) -> Result<Vec<Children>, StoreError> {
    let (at, behind) = match after.map(place) {
        None => (i64::MIN, ""),
        Some(Some((at, behind))) if !behind.contains('\0') => (at, behind),
        Some(_) => return Ok(vec![Children::default(); parents.len()]),
    };
    let nodes = "SELECT w.nth, c.id, c.position, c.handle, c.title \
                 FROM unnest($1::uuid[]) WITH ORDINALITY AS w (parent, nth) \
                 CROSS JOIN LATERAL (SELECT id, position, handle, title FROM category_node \
                 WHERE parent = w.parent AND (position, handle) > ($2, $3) \
                 ORDER BY position, handle LIMIT $4) AS c \
                 ORDER BY w.nth, c.position, c.handle";
    let ids: Vec<Uuid> =
        parents.iter().map(|parent| parent.map_or(TOP, CategoryId::uuid)).collect();
    let room = limit.min(most) as i64 + 1;
    let marks = Marks::default().with(ids).with(at).with(behind.to_owned()).with(room);
    let rows = fetch(reader, nodes, marks).await?;
    let mut rows = rows.iter().peekable();
    let mut left = most;
    let mut all = Vec::with_capacity(parents.len());
    for nth in 1..=parents.len() as i64 {
        let mut next = || {
            let own = |row: &&PgRow| row.try_get::<i64, _>(0).is_ok_and(|place| place == nth);
            rows.next_if(own).map(entry).transpose()
        };
        all.push(children(limit, &mut left, &mut next)?);
        // What there was no room for.
        while next()?.is_some() {}
    }
    Ok(all)
}

fn entry(row: &PgRow) -> Result<CategoryEntry, StoreError> {
    let id = CategoryId::from_uuid(row.try_get(1).map_err(undecoded)?);
    let handle: &str = row.try_get(3).map_err(undecoded)?;
    let title = row.try_get(4).map_err(undecoded)?;
    Ok(CategoryEntry {
        id,
        position: position(row.try_get(2).map_err(undecoded)?, handle, id),
        handle: handle.parse::<Handle>().map_err(|error| unreadable("a handle", error))?,
        title: serde_json::from_str(title)
            .map_err(|error| unreadable("the title of a category", error))?,
    })
}

pub(super) async fn count(reader: &PostgresReader) -> Result<usize, StoreError> {
    let rows = fetch(reader, COUNT_CATEGORIES, Marks::default()).await?;
    Ok(only(&rows, |row| row.try_get::<i64, _>(0))? as usize)
}

/// The nodes of categories that a batch changed or deleted.
#[derive(Default)]
pub(super) struct Nodes {
    ids: Vec<Uuid>,
    parents: Vec<Uuid>,
    positions: Vec<i64>,
    handles: Vec<String>,
    titles: Vec<String>,
    gone: Vec<Uuid>,
}

impl Nodes {
    pub fn add(&mut self, change: &Change<'_>) -> sqlx::Result<()> {
        let Some(category) = change.state_of::<Category>() else {
            self.gone.push(change.id);
            return Ok(());
        };
        let title = serde_json::to_string(&category.title);
        self.ids.push(change.id);
        self.parents.push(category.parent.map_or(TOP, CategoryId::uuid));
        self.positions.push(category.position.into());
        self.handles.push(category.handle.as_str().to_owned());
        self.titles.push(title.map_err(|error| sqlx::Error::Encode(error.into()))?);
        Ok(())
    }

    pub async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.ids.is_empty() {
            sqlx::query(
                "INSERT INTO category_node (id, parent, position, handle, title) \
                 SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[]) \
                 ON CONFLICT (id) DO UPDATE SET parent = excluded.parent, \
                 position = excluded.position, handle = excluded.handle, title = excluded.title",
            )
            .bind(self.ids)
            .bind(self.parents)
            .bind(self.positions)
            .bind(self.handles)
            .bind(self.titles)
            .execute(&mut *tx)
            .await?;
        }
        if !self.gone.is_empty() {
            let labels = self.gone.iter().map(|id| category_label(CategoryId::from_uuid(*id)));
            sqlx::query("DELETE FROM product_label WHERE kind = $1 AND label = ANY ($2)")
                .bind(CATEGORY.to_string())
                .bind(labels.collect::<Vec<_>>())
                .execute(&mut *tx)
                .await?;
            sqlx::query("DELETE FROM category_node WHERE id = ANY ($1)")
                .bind(self.gone)
                .execute(tx)
                .await?;
        }
        Ok(())
    }
}
