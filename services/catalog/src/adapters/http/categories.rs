//! `GET /v1/categories`, `GET /v1/categories/{handle}`

use axum::extract::State;
use axum::response::Response;
use kernel::Handle;
use platform::http::{Locales, PathParams, Problem, ok};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::views::{CategoryRef, Reader};
use crate::domain::CategoryId;
use crate::domain::category::Tree;

/// All categories.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CategoryTree {
    pub items: Vec<CategoryNode>,
}

/// A category with everything below it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CategoryNode {
    pub id: CategoryId,
    pub handle: Handle,
    pub title: String,
    #[schema(no_recursion)]
    pub children: Vec<CategoryNode>,
}

/// A category with its surroundings.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CategoryView {
    pub id: CategoryId,
    pub handle: Handle,
    pub title: String,
    /// May hold HTML as the merchant wrote it: clean it before showing it.
    pub description: String,
    /// From the root to the parent.
    pub ancestors: Vec<CategoryRef>,
    pub children: Vec<CategoryRef>,
}

/// The category tree.
#[utoipa::path(get, path = "/v1/categories", tag = "categories",
    operation_id = "list_categories",
    responses((status = 200, description = "The roots, with everything below.",
        body = CategoryTree)),
    extensions(("x-permission" = json!("public"))))]
pub async fn list_categories(
    State(app): State<App>,
    Locales(wanted): Locales,
) -> Result<Response, Problem> {
    let tree = app.catalog.category_tree().await?;
    let reader = Reader { wanted: &wanted, own: &app.catalog.settings.locale };
    Ok(ok(None, &CategoryTree { items: nodes(&tree, None, &reader) }))
}

fn nodes(tree: &Tree, parent: Option<CategoryId>, reader: &Reader<'_>) -> Vec<CategoryNode> {
    let node = |id: &CategoryId| {
        let category = tree.get(*id)?;
        Some(CategoryNode {
            id: *id,
            handle: category.handle.clone(),
            title: reader.text(&category.title),
            children: nodes(tree, Some(*id), reader),
        })
    };
    tree.children(parent).iter().filter_map(node).collect()
}

/// One category.
#[utoipa::path(get, path = "/v1/categories/{handle}", tag = "categories",
    operation_id = "get_category",
    params(("handle" = String, Path, description = "The category's handle.", min_length = 1,
        max_length = 255)),
    responses((status = 200, description = "The category.", body = CategoryView)),
    extensions(("x-permission" = json!("public"))))]
pub async fn get_category(
    State(app): State<App>,
    Locales(wanted): Locales,
    PathParams(handle): PathParams<String>,
) -> Result<Response, Problem> {
    let found = app.catalog.category_by_handle(&handle).await?;
    let tree = app.catalog.category_tree().await?;
    let reader = Reader { wanted: &wanted, own: &app.catalog.settings.locale };
    let id = CategoryId::from_uuid(found.id);
    let named = |ids: &[CategoryId]| -> Vec<CategoryRef> {
        let named = ids.iter().filter_map(|id| Some((*id, tree.get(*id)?)));
        named.map(|(id, category)| CategoryRef::of(id, category, &reader)).collect()
    };
    let path = tree.path(id);
    let ancestors = path.split_last().map_or(&[][..], |(_, above)| above);
    Ok(ok(
        None,
        &CategoryView {
            id,
            handle: found.handle.clone(),
            title: reader.text(&found.title),
            description: reader.text(&found.description),
            ancestors: named(ancestors),
            children: named(tree.children(Some(id))),
        },
    ))
}
