//! `/v1/admin/products` and what is below it, but for files.

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Handle;
use platform::Context;
use platform::http::{
    Body, Ctx, IfMatch, Once, Page, Params, PathParams, Problem, created, no_content, ok,
};
use platform::idempotency::{IdempotencyKey, Idempotent, SavedResponse};
use platform::store::{Position, Value, Versioned};
use serde::Deserialize;
use utoipa::IntoParams;

use super::admin_views::AdminProduct;
use super::inputs::ProductInput;
use super::{App, position, required};
use crate::domain::{Product, ProductId, Status};

/// Which products.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListAdminProducts {
    /// Only those in this status.
    #[garde(skip)]
    #[param(inline)]
    status: Option<Status>,
    /// Only that with this handle; there is at most one.
    #[garde(skip)]
    #[param(inline)]
    handle: Option<Handle>,
    /// How many: 1 to 100, 20 when absent.
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[garde(inner(length(chars, min = 1, max = 512)))]
    #[param(min_length = 1, max_length = 512)]
    cursor: Option<String>,
}

/// Products in any status, oldest first.
#[utoipa::path(get, path = "/v1/admin/products", tag = "products",
    operation_id = "list_admin_products", params(ListAdminProducts),
    responses((status = 200, description = "A page of products.", body = Page<AdminProduct>)),
    extensions(("x-permission" = json!("catalog:read"))))]
pub async fn list_admin_products(
    State(app): State<App>,
    Params(params): Params<ListAdminProducts>,
) -> Result<Response, Problem> {
    let after = position(params.cursor.as_deref())?;
    let limit = params.limit.unwrap_or(20);
    let handle = params.handle.as_ref().map(Handle::as_str);
    let found = app.catalog.list_all_products(params.status, handle, after, limit).await?;
    let last = found.last().filter(|_| found.len() >= limit as usize);
    let next_cursor = last.map(|p| Position { value: Value::Null, id: p.id }.encode());
    let items = found.iter().map(AdminProduct::of).collect();
    Ok(ok(None, &Page { items, next_cursor }))
}

/// Creates a product.
#[utoipa::path(post, path = "/v1/admin/products", tag = "products",
    operation_id = "create_product", request_body = ProductInput,
    responses((status = 201, description = "The product.", body = AdminProduct,
        headers(("location" = String), ("etag" = String)))),
    extensions(("x-permission" = json!("catalog:write")), ("x-body-limit" = json!(4_194_304))))]
pub async fn create_product(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(input): Body<ProductInput>,
) -> Result<Response, Problem> {
    let env = app.catalog.env();
    let draft = input.into_draft(env, &app.catalog.settings.locale)?;
    let id = ProductId::from_uuid(env.uuid());
    let once = key.map(|key| {
        Idempotent::render(key, |product: &Versioned<Product>| {
            saved(201, product).header("location", location(product))
        })
    });
    let product = app.catalog.create_product(&context, once, id, draft).await?;
    Ok(created(&location(&product), Some(product.version), &AdminProduct::of(&product)))
}

/// One product in any status.
#[utoipa::path(get, path = "/v1/admin/products/{id}", tag = "products",
    operation_id = "get_admin_product",
    params(("id" = ProductId, Path, description = "The product.")),
    responses((status = 200, description = "The product.", body = AdminProduct,
        headers(("etag" = String)))),
    extensions(("x-permission" = json!("catalog:read"))))]
pub async fn get_admin_product(
    State(app): State<App>,
    PathParams(id): PathParams<ProductId>,
) -> Result<Response, Problem> {
    let product = app.catalog.get_product(id).await?;
    Ok(ok(Some(product.version), &AdminProduct::of(&product)))
}

/// Replaces all of a product, its variants and media included: what is not sent is gone.
#[utoipa::path(put, path = "/v1/admin/products/{id}", tag = "products",
    operation_id = "replace_product",
    params(("id" = ProductId, Path, description = "The product."),
        ("if-match" = String, Header, description = "The ETag that you have read.")),
    request_body = ProductInput,
    responses((status = 200, description = "The product.", body = AdminProduct,
        headers(("etag" = String)))),
    extensions(("x-permission" = json!("catalog:write")), ("x-body-limit" = json!(4_194_304))))]
pub async fn replace_product(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    IfMatch(version): IfMatch,
    PathParams(id): PathParams<ProductId>,
    Body(input): Body<ProductInput>,
) -> Result<Response, Problem> {
    let expected = required(version)?;
    let draft = input.into_draft(app.catalog.env(), &app.catalog.settings.locale)?;
    let once = answered(key);
    let product = app.catalog.replace_product(&context, once, id, expected, draft).await?;
    Ok(ok(Some(product.version), &AdminProduct::of(&product)))
}

/// Deletes a product with all its variants.
#[utoipa::path(delete, path = "/v1/admin/products/{id}", tag = "products",
    operation_id = "delete_product",
    params(("id" = ProductId, Path, description = "The product."),
        ("if-match" = String, Header, description = "The ETag that you have read.")),
    responses((status = 204, description = "It is gone.")),
    extensions(("x-permission" = json!("catalog:write"))))]
pub async fn delete_product(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    IfMatch(version): IfMatch,
    PathParams(id): PathParams<ProductId>,
) -> Result<Response, Problem> {
    let expected = required(version)?;
    let once = key.map(|key| Idempotent::render(key, |(): &()| SavedResponse::empty(204)));
    app.catalog.delete_product(&context, once, id, expected).await?;
    Ok(no_content())
}

/// Puts a product up for sale.
#[utoipa::path(post, path = "/v1/admin/products/{id}/publish", tag = "products",
    operation_id = "publish_product",
    params(("id" = ProductId, Path, description = "The product."),
        ("if-match" = Option<String>, Header,
            description = "The ETag that you have read; any version when absent.")),
    responses((status = 200, description = "The product.", body = AdminProduct,
        headers(("etag" = String)))),
    extensions(("x-permission" = json!("catalog:write"))))]
pub async fn publish_product(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    IfMatch(version): IfMatch,
    PathParams(id): PathParams<ProductId>,
) -> Result<Response, Problem> {
    change_status(&app, &context, key, version, id, Status::Published).await
}

/// Takes a product off sale: a draft again.
#[utoipa::path(post, path = "/v1/admin/products/{id}/unpublish", tag = "products",
    operation_id = "unpublish_product",
    params(("id" = ProductId, Path, description = "The product."),
        ("if-match" = Option<String>, Header,
            description = "The ETag that you have read; any version when absent.")),
    responses((status = 200, description = "The product.", body = AdminProduct,
        headers(("etag" = String)))),
    extensions(("x-permission" = json!("catalog:write"))))]
pub async fn unpublish_product(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    IfMatch(version): IfMatch,
    PathParams(id): PathParams<ProductId>,
) -> Result<Response, Problem> {
    change_status(&app, &context, key, version, id, Status::Draft).await
}

/// Takes a product off sale for good, and keeps it.
#[utoipa::path(post, path = "/v1/admin/products/{id}/archive", tag = "products",
    operation_id = "archive_product",
    params(("id" = ProductId, Path, description = "The product."),
        ("if-match" = Option<String>, Header,
            description = "The ETag that you have read; any version when absent.")),
    responses((status = 200, description = "The product.", body = AdminProduct,
        headers(("etag" = String)))),
    extensions(("x-permission" = json!("catalog:write"))))]
pub async fn archive_product(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    IfMatch(version): IfMatch,
    PathParams(id): PathParams<ProductId>,
) -> Result<Response, Problem> {
    change_status(&app, &context, key, version, id, Status::Archived).await
}

async fn change_status(
    app: &App,
    context: &Context,
    key: Option<IdempotencyKey>,
    version: Option<u64>,
    id: ProductId,
    status: Status,
) -> Result<Response, Problem> {
    let once = answered(key);
    let product = app.catalog.change_status(context, once, id, version, status).await?;
    Ok(ok(Some(product.version), &AdminProduct::of(&product)))
}

fn answered(key: Option<IdempotencyKey>) -> Option<Idempotent<Versioned<Product>>> {
    key.map(|key| Idempotent::render(key, |product| saved(200, product)))
}

fn saved(status: u16, product: &Versioned<Product>) -> SavedResponse {
    SavedResponse::json(status, &AdminProduct::of(product))
        .header("etag", format!("\"{}\"", product.version))
}

fn location(product: &Versioned<Product>) -> String {
    format!("/v1/admin/products/{}", ProductId::from_uuid(product.id))
}
