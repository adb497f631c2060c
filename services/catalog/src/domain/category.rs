//! The category tree: each category knows its parent, nobody keeps a list of children.

use std::collections::{HashMap, HashSet};

use kernel::{Handle, LocalizedText, Timestamp, typed_id};
use serde::{Deserialize, Serialize};

use super::fault::{Fault, Faults};
use super::product::{check_text, limits};

typed_id!(
    /// The id of a category.
    CategoryId, "cat"
);

/// A place in the tree where shoppers look for products.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub handle: Handle,
    pub title: LocalizedText,
    #[serde(default, skip_serializing_if = "LocalizedText::is_empty")]
    pub description: LocalizedText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<CategoryId>,
    /// Where it stands among its siblings; equal positions are ordered by handle.
    pub position: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A shop has at most this many categories, nested at most [`MAX_DEPTH`] deep.
pub const MAX_CATEGORIES: usize = 10_000;
pub const MAX_DEPTH: usize = 10;

impl Category {
    pub fn check(&self) -> Result<(), Vec<Fault>> {
        let mut faults = Faults::default();
        if self.title.is_empty() {
            faults.add("title", "a category has a title");
        }
        if self.title.0.values().any(|t| t.contains(['>', '|']) || t.trim() != t || t.is_empty()) {
            faults
                .add("title", "holds no > and no | (files write paths with them), no outer blanks");
        }
        check_text("title", &self.title, limits::TITLE_CHARS, &mut faults);
        check_text("description", &self.description, limits::DESCRIPTION_CHARS, &mut faults);
        faults.finish()
    }
}

/// All categories of a shop, for questions about their relations.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: HashMap<CategoryId, Category>,
    children: HashMap<Option<CategoryId>, Vec<CategoryId>>,
}

impl Tree {
    pub fn new(categories: impl IntoIterator<Item = (CategoryId, Category)>) -> Self {
        let mut tree = Self::default();
        for (id, category) in categories {
            tree.add(id, category);
        }
        tree
    }

    pub fn add(&mut self, id: CategoryId, category: Category) {
        let siblings = self.children.entry(category.parent).or_default();
        let key = |nodes: &HashMap<CategoryId, Category>, id: &CategoryId| {
            nodes.get(id).map(|c| (c.position, c.handle.clone()))
        };
        let own = Some((category.position, category.handle.clone()));
        let at = siblings.partition_point(|other| key(&self.nodes, other) <= own);
        siblings.insert(at, id);
        self.nodes.insert(id, category);
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn get(&self, id: CategoryId) -> Option<&Category> {
        self.nodes.get(&id)
    }

    pub fn by_handle(&self, handle: &Handle) -> Option<CategoryId> {
        self.nodes.iter().find(|(_, c)| c.handle == *handle).map(|(id, _)| *id)
    }

    pub fn children(&self, parent: Option<CategoryId>) -> &[CategoryId] {
        self.children.get(&parent).map_or(&[], Vec::as_slice)
    }

    /// From the root down to `id` itself; empty when there is no such category.
    pub fn path(&self, id: CategoryId) -> Vec<CategoryId> {
        let mut path = Vec::new();
        let mut next = Some(id);
        while let Some(id) = next {
            let Some(category) = self.nodes.get(&id) else { break };
            if path.contains(&id) || path.len() > MAX_DEPTH {
                break;
            }
            path.push(id);
            next = category.parent;
        }
        path.reverse();
        path
    }

    /// `id` and everything below it.
    pub fn subtree(&self, id: CategoryId) -> HashSet<CategoryId> {
        let mut found = HashSet::from([id]);
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            for child in self.children(Some(id)) {
                if found.insert(*child) {
                    open.push(*child);
                }
            }
        }
        found
    }

    /// How many levels `id` has with everything below it; 1 for a leaf.
    pub fn height(&self, id: CategoryId) -> usize {
        let below = self.children(Some(id)).iter().map(|c| self.height(*c)).max();
        1 + below.unwrap_or(0)
    }

    /// May `id` (with its subtree) stand under `parent`? Not under itself, and not too deep.
    pub fn may_move(&self, id: CategoryId, parent: Option<CategoryId>) -> Result<(), Fault> {
        let Some(parent) = parent else { return Ok(()) };
        if !self.nodes.contains_key(&parent) {
            return Err(Fault::new("parent", format!("there is no category {parent}")));
        }
        if self.subtree(id).contains(&parent) {
            return Err(Fault::new("parent", "a category cannot stand below itself"));
        }
        if self.path(parent).len() + self.height(id) > MAX_DEPTH {
            return Err(Fault::new(
                "parent",
                format!("categories are nested at most {MAX_DEPTH} deep"),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> CategoryId {
        CategoryId::from_uuid(kernel::id::Uuid::from_u128(n))
    }

    fn category(title: &str, parent: Option<u128>, position: i32) -> Category {
        Category {
            handle: Handle::from_title(title).unwrap(),
            title: LocalizedText::of("en".parse().unwrap(), title),
            description: LocalizedText::default(),
            parent: parent.map(id),
            position,
            created_at: Timestamp::EPOCH,
            updated_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn siblings_stand_by_position_and_paths_lead_from_the_root() {
        let tree = Tree::new([
            (id(1), category("Clothes", None, 2)),
            (id(2), category("Art", None, 1)),
            (id(3), category("Shirts", Some(1), 0)),
        ]);
        assert_eq!(tree.children(None), [id(2), id(1)]);
        assert_eq!(tree.path(id(3)), [id(1), id(3)]);
        assert_eq!(tree.subtree(id(1)).len(), 2);
    }

    #[test]
    fn a_category_never_stands_below_itself() {
        let tree = Tree::new([(id(1), category("A", None, 0)), (id(2), category("B", Some(1), 0))]);
        assert!(tree.may_move(id(1), Some(id(2))).is_err());
        assert!(tree.may_move(id(1), Some(id(1))).is_err());
        assert!(tree.may_move(id(2), None).is_ok());
        assert!(tree.may_move(id(2), Some(id(7))).is_err());
    }
}
