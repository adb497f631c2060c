//! `GET /v1/categories`, `GET /v1/categories/{handle}`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Handle;
use platform::http::{Locales, Page, Params, PathParams, Problem, ok};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::views::{CategoryRef, Reader};
use super::{App, position};
use crate::application::Branch;
use crate::domain::CategoryId;

/// Which part of the tree.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListCategories {
    /// The handle of a category: those below it; the top ones when absent.
    #[garde(skip)]
    #[param(inline)]
    parent: Option<Handle>,
    /// How many levels, 1 to 10: 1 is without children. All when absent.
    #[garde(inner(range(min = 1, max = 10)))]
    #[param(minimum = 1, maximum = 10)]
    depth: Option<u32>,
    /// How many of the uppermost level: 1 to 250, 100 when absent.
    #[garde(inner(range(min = 1, max = 250)))]
    #[param(minimum = 1, maximum = 250)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[garde(inner(length(chars, min = 1, max = 1024)))]
    #[param(min_length = 1, max_length = 1024)]
    cursor: Option<String>,
}

/// A category with what is below it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CategoryNode {
    pub id: CategoryId,
    pub handle: Handle,
    pub title: String,
    #[schema(no_recursion)]
    pub children: Vec<CategoryNode>,
    /// There are more children than are listed here: ask with this category as `parent`.
    pub more_children: bool,
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
    /// The first 250.
    pub children: Vec<CategoryRef>,
    /// There are more: `/v1/categories?parent=` lists them page by page.
    pub more_children: bool,
}

/// The category tree, page by page of its uppermost level.
///
/// One answer holds at most a thousand categories, and at most 250 below each.
#[utoipa::path(get, path = "/v1/categories", tag = "categories",
    operation_id = "list_categories", params(ListCategories),
    responses((status = 200, description = "A page of categories, with what is below them.",
        body = Page<CategoryNode>)),
    extensions(("x-permission" = json!("public"))))]
pub async fn list_categories(
    State(app): State<App>,
    Locales(wanted): Locales,
    Params(params): Params<ListCategories>,
) -> Result<Response, Problem> {
    let after = position(params.cursor.as_deref())?;
    let limit = params.limit.unwrap_or(100) as usize;
    let depth = params.depth.unwrap_or(10) as usize;
    let found = app.catalog.category_branches(params.parent.as_ref(), depth, after, limit).await?;
    let last = found.last().filter(|_| found.len() >= limit);
    let next_cursor = last.map(|branch| branch.entry.position.encode());
    let reader = Reader { wanted: &wanted, own: &app.catalog.settings.locale };
    let items = found.into_iter().map(|branch| node(branch, &reader)).collect();
    Ok(ok(None, &Page { items, next_cursor }))
}

fn node(branch: Branch, reader: &Reader<'_>) -> CategoryNode {
    CategoryNode {
        id: branch.entry.id,
        title: reader.text(&branch.entry.title),
        handle: branch.entry.handle,
        children: branch.children.into_iter().map(|child| node(child, reader)).collect(),
        more_children: branch.more,
    }
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
    let found = app.catalog.show_category(&handle).await?;
    let reader = Reader { wanted: &wanted, own: &app.catalog.settings.locale };
    let ancestors = found.ancestors.iter();
    let children = found.children.list.into_iter().map(|entry| CategoryRef {
        id: entry.id,
        title: reader.text(&entry.title),
        handle: entry.handle,
    });
    Ok(ok(
        None,
        &CategoryView {
            id: CategoryId::from_uuid(found.category.id),
            handle: found.category.handle.clone(),
            title: reader.text(&found.category.title),
            description: reader.text(&found.category.description),
            ancestors: ancestors
                .map(|c| CategoryRef::of(CategoryId::from_uuid(c.id), &c.state, &reader))
                .collect(),
            children: children.collect(),
            more_children: found.children.more,
        },
    ))
}
