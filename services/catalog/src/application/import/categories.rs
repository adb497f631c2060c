//! Paths of category titles to categories, made where they do not exist.

use std::collections::HashMap;

use kernel::{Handle, LocalizedText};
use platform::Context;

use crate::application::{Catalog, CategoryDraft, Error};
use crate::domain::category::Tree;
use crate::domain::{Category, CategoryId};

/// The tree as this import knows it.
pub(super) struct Categories {
    tree: Tree,
    /// By parent and title, in lower case: a file names the same few paths in every product.
    by_title: HashMap<(Option<CategoryId>, String), CategoryId>,
    dry_run: bool,
    pub created: u64,
}

impl Categories {
    pub async fn load(catalog: &Catalog, dry_run: bool) -> Result<Self, Error> {
        let tree = catalog.category_tree().await?;
        let mut by_title = HashMap::new();
        let mut open = vec![None];
        while let Some(parent) = open.pop() {
            for id in tree.children(parent) {
                open.push(Some(*id));
                // Of two with the same title, the one that stands first.
                for title in tree.get(*id).iter().flat_map(|category| category.title.0.values()) {
                    by_title.entry((parent, title.to_lowercase())).or_insert(*id);
                }
            }
        }
        Ok(Self { tree, by_title, dry_run, created: 0 })
    }

    /// The categories at the ends of `paths`.
    pub async fn resolve(
        &mut self,
        catalog: &Catalog,
        context: &Context,
        paths: &[Vec<String>],
    ) -> Result<Vec<CategoryId>, Error> {
        let mut found = Vec::with_capacity(paths.len());
        for path in paths {
            let mut parent = None;
            for (depth, title) in path.iter().enumerate() {
                let known = self.by_title.get(&(parent, title.to_lowercase()));
                parent = match known {
                    Some(id) => Some(*id),
                    None => Some(self.create(catalog, context, parent, &path[..=depth]).await?),
                };
            }
            if let Some(id) = parent.filter(|id| !found.contains(id)) {
                found.push(id);
            }
        }
        Ok(found)
    }

    async fn create(
        &mut self,
        catalog: &Catalog,
        context: &Context,
        parent: Option<CategoryId>,
        path: &[String],
    ) -> Result<CategoryId, Error> {
        let title = path.last().cloned().unwrap_or_default();
        let handle = self.free_handle(path)?;
        let id = catalog.executor.env().id::<CategoryId>();
        let draft = CategoryDraft {
            handle,
            title: LocalizedText::of(catalog.settings.locale.clone(), title),
            description: LocalizedText::default(),
            parent,
            position: self.tree.children(parent).len() as i32,
        };
        let category = if self.dry_run {
            let now = catalog.executor.env().now();
            Category {
                handle: draft.handle,
                title: draft.title,
                description: draft.description,
                parent,
                position: draft.position,
                created_at: now,
                updated_at: now,
            }
        } else {
            catalog.save_category(context, None, id, None, draft).await?.state
        };
        for title in category.title.0.values() {
            self.by_title.entry((parent, title.to_lowercase())).or_insert(id);
        }
        self.tree.add(id, category);
        self.created += 1;
        Ok(id)
    }

    /// The handle of the title, else of the whole path, else a numbered one.
    fn free_handle(&self, path: &[String]) -> Result<Handle, Error> {
        let title = path.last().map_or("", String::as_str);
        let whole = path.join(" ");
        let numbered = (2..1_000).map(|n| format!("{title} {n}"));
        [title.to_owned(), whole]
            .into_iter()
            .chain(numbered)
            .filter_map(|text| Handle::from_title(&text))
            .find(|handle| self.tree.by_handle(handle).is_none())
            .ok_or(Error::HandleTaken)
    }
}
