//! The category tree: read, create, change, delete.

use kernel::{Handle, LocalizedText, Timestamp};
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;
use platform::store::{Position, Query, Value, Versioned};

use super::{Catalog, Error};
use crate::domain::category::{MAX_CATEGORIES, MAX_DEPTH, Tree};
use crate::domain::{Category, CategoryId, Fault};

/// All that staff may say of a category.
#[derive(Clone, Debug)]
pub struct CategoryDraft {
    pub handle: Handle,
    pub title: LocalizedText,
    pub description: LocalizedText,
    pub parent: Option<CategoryId>,
    pub position: i32,
}

impl Catalog {
    /// All categories without their descriptions; a shop has at most ten thousand.
    pub async fn category_tree(&self) -> Result<Tree, Error> {
        const PAGE: u32 = 1_000;
        let mut tree = Tree::default();
        let mut after: Option<Position> = None;
        loop {
            let mut query = Query::new(PAGE);
            if let Some(after) = after.take() {
                query = query.after(after);
            }
            let page = self.executor.store().list::<Category>(query).await?;
            let full = page.len() == PAGE as usize;
            after = page.last().map(|c| Position { value: Value::Null, id: c.id });
            for mut category in page {
                category.state.description = LocalizedText::default();
                tree.add(CategoryId::from_uuid(category.id), category.state);
            }
            if !full {
                return Ok(tree);
            }
        }
    }

    /// Categories by id, which is the order in which they were created.
    pub async fn list_all_categories(
        &self,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<Versioned<Category>>, Error> {
        let mut query = Query::new(limit);
        query.after = after;
        Ok(self.executor.store().list::<Category>(query).await?)
    }

    /// Only these categories; those that do not exist are left out.
    pub async fn categories_of(&self, ids: &[CategoryId]) -> Result<Tree, Error> {
        let uuids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
        let found = self.executor.store().get_many::<Category>(&uuids).await?;
        Ok(Tree::new(found.into_iter().map(|c| (CategoryId::from_uuid(c.id), c.state))))
    }

    pub async fn get_category(&self, id: CategoryId) -> Result<Versioned<Category>, Error> {
        let found = self.executor.store().get::<Category>(id.uuid()).await?;
        found.ok_or(Error::NoCategory)
    }

    pub async fn category_by_handle(&self, handle: &str) -> Result<Versioned<Category>, Error> {
        let found = self.executor.store().by::<Category>("handle", handle).await?;
        found.ok_or(Error::NoCategory)
    }

    /// Creates a category, or replaces one whose version is `expected`.
    pub async fn save_category(
        &self,
        context: &Context,
        once: Option<Idempotent<Versioned<Category>>>,
        id: CategoryId,
        expected: Option<u64>,
        draft: CategoryDraft,
    ) -> Result<Versioned<Category>, Error> {
        let now = self.executor.env().now();
        let category = Category {
            handle: draft.handle,
            title: draft.title,
            description: draft.description,
            parent: draft.parent,
            position: draft.position,
            created_at: now,
            updated_at: now,
        };
        category.check().map_err(Error::Invalid)?;
        let above = self.ancestors(category.parent).await?;
        let above: Vec<CategoryId> = above.iter().map(|c| CategoryId::from_uuid(c.id)).collect();
        if expected.is_none() {
            // A new one has nothing below it, so what stands above says all.
            if self.listing.count_categories().await? >= MAX_CATEGORIES {
                return Err(Error::TooManyCategories);
            }
            may_stand_below(&above, category.parent)
                .map_err(|fault| Error::Invalid(vec![fault]))?;
        } else {
            let tree = self.category_tree().await?;
            if tree.get(id).is_none() {
                return Err(Error::NoCategory);
            }
            tree.may_move(id, category.parent).map_err(|fault| Error::Invalid(vec![fault]))?;
        }
        let command = SaveCategory { id, expected, category, above };
        self.executor.execute_once(context, once, command).await
    }

    /// Deletes a category without children. Its products stay.
    pub async fn delete_category(
        &self,
        context: &Context,
        once: Option<Idempotent<()>>,
        id: CategoryId,
        expected: u64,
    ) -> Result<(), Error> {
        let below = Query::new(1).eq("parent", id.uuid());
        if !self.executor.store().list::<Category>(below).await?.is_empty() {
            return Err(Error::HasChildren);
        }
        let command = DeleteCategory { id, expected };
        self.executor.execute_once(context, once, command).await
    }
}

/// May a category without children stand below `parent`, whose path is `above`?
fn may_stand_below(above: &[CategoryId], parent: Option<CategoryId>) -> Result<(), Fault> {
    match parent {
        Some(parent) if above.last() != Some(&parent) => {
            Err(Fault::new("parent", format!("there is no category {parent}")))
        }
        _ if above.len() >= MAX_DEPTH => {
            let message = format!("categories are nested at most {MAX_DEPTH} deep");
            Err(Fault::new("parent", message))
        }
        _ => Ok(()),
    }
}

/// `above` are the new parent and its ancestors as they were read: that they still stand so is
/// checked again in the transaction, so two moves at once cannot make a circle.
struct SaveCategory {
    id: CategoryId,
    expected: Option<u64>,
    category: Category,
    above: Vec<CategoryId>,
}

impl Command for SaveCategory {
    type Reply = Versioned<Category>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Category>(self.id.uuid());
        for id in &self.above {
            keys.add::<Category>(id.uuid());
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let id = self.id.uuid();
        let mut parent = None;
        for above in &self.above {
            let category = states.get::<Category>(above.uuid()).ok_or(Error::Changed)?;
            if category.parent != parent || *above == self.id {
                return Err(Error::Changed);
            }
            parent = Some(*above);
        }
        let version = states.version::<Category>(id);
        let mut category = self.category.clone();
        match (self.expected, states.get::<Category>(id)) {
            (None, None) => {}
            (Some(_), None) => return Err(Error::NoCategory),
            (None, Some(_)) => return Err(Error::Changed),
            (Some(expected), Some(_)) if expected != version => return Err(Error::Changed),
            (Some(_), Some(old)) => {
                category.created_at = old.created_at;
                category.updated_at = old.updated_at;
                if category == *old {
                    return Ok(Versioned { id, version, state: category });
                }
                category.updated_at = now;
            }
        }
        states.put(id, category.clone());
        Ok(Versioned { id, version: states.version::<Category>(id), state: category })
    }
}

struct DeleteCategory {
    id: CategoryId,
    expected: u64,
}

impl Command for DeleteCategory {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Category>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), Error> {
        let id = self.id.uuid();
        match states.version::<Category>(id) {
            0 => Err(Error::NoCategory),
            version if version != self.expected => Err(Error::Changed),
            _ => {
                states.delete::<Category>(id);
                Ok(())
            }
        }
    }
}
