//! The category tree as shoppers see it, in pieces of a bounded size.

use kernel::Handle;
use platform::store::{Position, Versioned};

use super::{Catalog, Error};
use crate::domain::category::MAX_DEPTH;
use crate::domain::{Category, CategoryId};
use crate::ports::{CategoryEntry, Children};

/// One answer holds at most this many categories.
const MAX_ENTRIES: usize = 1_000;
/// Below one category at most this many are listed at once.
pub const MAX_CHILDREN: usize = 250;

/// A category with what is below it, as far as it was listed.
#[derive(Clone, Debug)]
pub struct Branch {
    pub entry: CategoryEntry,
    pub children: Vec<Branch>,
    /// There are more children than `children` holds.
    pub more: bool,
}

/// A category with its surroundings.
#[derive(Debug)]
pub struct Surroundings {
    pub category: Versioned<Category>,
    /// From the root to the parent.
    pub ancestors: Vec<Versioned<Category>>,
    pub children: Children,
}

impl Catalog {
    /// A page of the categories below `parent` (of the top ones when `None`), each with up to
    /// `depth` levels, itself counted.
    pub async fn category_branches(
        &self,
        parent: Option<&Handle>,
        depth: usize,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Branch>, Error> {
        let parent = match parent {
            None => None,
            Some(handle) => {
                let parent = self.category_by_handle(handle.as_str()).await?;
                Some(CategoryId::from_uuid(parent.id))
            }
        };
        let top = self.listing.categories_below(vec![parent], after, limit, MAX_ENTRIES).await?;
        let mut levels = vec![top];
        let mut left = MAX_ENTRIES;
        for _ in 0..depth.min(MAX_DEPTH) {
            let Some(above) = levels.last() else { break };
            let entries = || above.iter().flat_map(|children| &children.list);
            left = left.saturating_sub(entries().count());
            let parents: Vec<_> = entries().map(|entry| Some(entry.id)).collect();
            if parents.is_empty() {
                break;
            }
            // The level behind the last one is only asked whether it is there.
            let most = if levels.len() == depth { 0 } else { left };
            let below = self.listing.categories_below(parents, None, MAX_CHILDREN, most).await?;
            levels.push(below);
        }
        Ok(grow(levels))
    }

    /// A category by its handle.
    pub async fn show_category(&self, handle: &str) -> Result<Surroundings, Error> {
        let category = self.category_by_handle(handle).await?;
        let ancestors = self.ancestors(category.parent).await?;
        let parents = vec![Some(CategoryId::from_uuid(category.id))];
        let mut children =
            self.listing.categories_below(parents, None, MAX_CHILDREN, MAX_CHILDREN).await?;
        Ok(Surroundings { category, ancestors, children: children.pop().unwrap_or_default() })
    }

    /// From the root down to `id`; one that is gone ends the walk.
    pub(super) async fn ancestors(
        &self,
        mut id: Option<CategoryId>,
    ) -> Result<Vec<Versioned<Category>>, Error> {
        let mut path = Vec::new();
        while let Some(next) = id
            && path.len() <= MAX_DEPTH
        {
            let found = self.executor.store().get::<Category>(next.uuid()).await?;
            id = found.as_ref().and_then(|category| category.parent);
            path.extend(found);
        }
        path.reverse();
        Ok(path)
    }
}

/// Puts levels together, from the deepest up.
fn grow(mut levels: Vec<Vec<Children>>) -> Vec<Branch> {
    let mut below: Vec<(Vec<Branch>, bool)> = Vec::new();
    while let Some(level) = levels.pop() {
        let mut under = std::mem::take(&mut below).into_iter();
        for children in level {
            let branches = children.list.into_iter().map(|entry| {
                let (children, more) = under.next().unwrap_or_default();
                Branch { entry, children, more }
            });
            below.push((branches.collect(), children.more));
        }
    }
    below.into_iter().flat_map(|(branches, _)| branches).collect()
}
