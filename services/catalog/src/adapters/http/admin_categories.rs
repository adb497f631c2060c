//! `/v1/admin/categories`

use axum::extract::State;
use axum::response::Response;
use platform::http::{
    Body, Ctx, IfMatch, Once, Page, PageParams, Params, PathParams, Problem, created, no_content,
    ok,
};
use platform::idempotency::{Idempotent, SavedResponse};
use platform::store::{Position, Value, Versioned};

use super::admin_views::AdminCategory;
use super::inputs::CategoryInput;
use super::{App, position, required};
use crate::domain::{Category, CategoryId};

/// Categories, oldest first.
#[utoipa::path(get, path = "/v1/admin/categories", tag = "categories",
    operation_id = "list_admin_categories", params(PageParams),
    responses((status = 200, description = "A page of categories.", body = Page<AdminCategory>)),
    extensions(("x-permission" = json!("catalog:read"))))]
pub async fn list_admin_categories(
    State(app): State<App>,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let after = position(params.cursor.as_deref())?;
    let limit = params.limit();
    let found = app.catalog.list_all_categories(after, limit).await?;
    let last = found.last().filter(|_| found.len() >= limit as usize);
    let next_cursor = last.map(|c| Position { value: Value::Null, id: c.id }.encode());
    let items = found.iter().map(AdminCategory::of).collect();
    Ok(ok(None, &Page { items, next_cursor }))
}

/// Creates a category.
#[utoipa::path(post, path = "/v1/admin/categories", tag = "categories",
    operation_id = "create_category", request_body = CategoryInput,
    responses((status = 201, description = "The category.", body = AdminCategory,
        headers(("location" = String), ("etag" = String)))),
    extensions(("x-permission" = json!("catalog:write"))))]
pub async fn create_category(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(input): Body<CategoryInput>,
) -> Result<Response, Problem> {
    let id = CategoryId::from_uuid(app.catalog.env().uuid());
    let once = key.map(|key| {
        Idempotent::render(key, |category: &Versioned<Category>| {
            saved(201, category).header("location", location(category))
        })
    });
    let draft = input.into_draft(&app.catalog.settings.locale)?;
    let category = app.catalog.save_category(&context, once, id, None, draft).await?;
    Ok(created(&location(&category), Some(category.version), &AdminCategory::of(&category)))
}

/// One category.
#[utoipa::path(get, path = "/v1/admin/categories/{id}", tag = "categories",
    operation_id = "get_admin_category",
    params(("id" = CategoryId, Path, description = "The category.")),
    responses((status = 200, description = "The category.", body = AdminCategory,
        headers(("etag" = String)))),
    extensions(("x-permission" = json!("catalog:read"))))]
pub async fn get_admin_category(
    State(app): State<App>,
    PathParams(id): PathParams<CategoryId>,
) -> Result<Response, Problem> {
    let category = app.catalog.get_category(id).await?;
    Ok(ok(Some(category.version), &AdminCategory::of(&category)))
}

/// Replaces all of a category, its place in the tree included.
#[utoipa::path(put, path = "/v1/admin/categories/{id}", tag = "categories",
    operation_id = "replace_category",
    params(("id" = CategoryId, Path, description = "The category."),
        ("if-match" = String, Header, description = "The ETag that you have read.")),
    request_body = CategoryInput,
    responses((status = 200, description = "The category.", body = AdminCategory,
        headers(("etag" = String)))),
    extensions(("x-permission" = json!("catalog:write"))))]
pub async fn replace_category(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    IfMatch(version): IfMatch,
    PathParams(id): PathParams<CategoryId>,
    Body(input): Body<CategoryInput>,
) -> Result<Response, Problem> {
    let expected = required(version)?;
    let once = key.map(|key| Idempotent::render(key, |category| saved(200, category)));
    let draft = input.into_draft(&app.catalog.settings.locale)?;
    let category = app.catalog.save_category(&context, once, id, Some(expected), draft).await?;
    Ok(ok(Some(category.version), &AdminCategory::of(&category)))
}

/// Deletes a category without children; its products stay.
#[utoipa::path(delete, path = "/v1/admin/categories/{id}", tag = "categories",
    operation_id = "delete_category",
    params(("id" = CategoryId, Path, description = "The category."),
        ("if-match" = String, Header, description = "The ETag that you have read.")),
    responses((status = 204, description = "It is gone.")),
    extensions(("x-permission" = json!("catalog:write"))))]
pub async fn delete_category(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    IfMatch(version): IfMatch,
    PathParams(id): PathParams<CategoryId>,
) -> Result<Response, Problem> {
    let expected = required(version)?;
    let once = key.map(|key| Idempotent::render(key, |(): &()| SavedResponse::empty(204)));
    app.catalog.delete_category(&context, once, id, expected).await?;
    Ok(no_content())
}

fn saved(status: u16, category: &Versioned<Category>) -> SavedResponse {
    SavedResponse::json(status, &AdminCategory::of(category))
        .header("etag", format!("\"{}\"", category.version))
}

fn location(category: &Versioned<Category>) -> String {
    format!("/v1/admin/categories/{}", CategoryId::from_uuid(category.id))
}
