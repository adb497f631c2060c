//! A service with one route for each thing that the layer does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::id::Uuid;
use kernel::{Timestamp, typed_id};
use platform::auth::Authenticator;
use platform::env::TestEnv;
use platform::executor::{Command, Executor, Keys, States};
use platform::http::{
    Body, Ctx, IfMatch, Module, ModuleDeps, Once, PageParams, Params, PathParams, Problem, created,
    module, ok,
};
use platform::idempotency::{Idempotent, SavedResponse};
use platform::store::{Aggregate, Column, Schema, StoreError, Value};
use platform::testing::executor_in_memory;
use platform::{Context, Env};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

typed_id!(ThingId, "thing");

#[derive(Clone, Serialize, Deserialize)]
struct Thing {
    name: String,
}

impl Aggregate for Thing {
    const TABLE: &'static str = "thing";
    const COLUMNS: &'static [Column] = &[];
    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }
}

struct MakeThing {
    id: ThingId,
    name: String,
}

impl Command for MakeThing {
    type Reply = ThingView;
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        keys.add::<Thing>(self.id.uuid());
    }
    fn decide(&self, states: &mut States<'_>, _: Timestamp) -> Result<ThingView, StoreError> {
        states.put(self.id.uuid(), Thing { name: self.name.clone() });
        Ok(ThingView { id: self.id, name: self.name.clone() })
    }
}

#[derive(Clone)]
struct App {
    env: Env,
    executor: Executor,
    finished: Arc<AtomicUsize>,
    gate: Arc<Notify>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewThing {
    #[garde(length(chars, min = 1, max = 20))]
    name: String,
    #[serde(default)]
    #[garde(dive, length(max = 3))]
    lines: Vec<Line>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Line {
    #[garde(range(min = 1, max = 99))]
    quantity: u32,
}

#[derive(Serialize, ToSchema)]
struct ThingView {
    id: ThingId,
    name: String,
}

async fn make(
    app: &App,
    context: &Context,
    key: Option<platform::idempotency::IdempotencyKey>,
    input: NewThing,
) -> Result<Response, Problem> {
    let once = key.map(|key| {
        Idempotent::render(key, |view: &ThingView| {
            SavedResponse::json(201, view).header("location", format!("/v1/things/{}", view.id))
        })
    });
    let quantity = input.lines.iter().map(|line| line.quantity).sum::<u32>();
    let name = if quantity > 0 { format!("{} x{quantity}", input.name) } else { input.name };
    let command = MakeThing { id: app.env.id(), name };
    let view = app.executor.execute_once(context, once, command).await?;
    Ok(created(&format!("/v1/things/{}", view.id), Some(1), &view))
}

#[utoipa::path(post, path = "/v1/things", operation_id = "make_thing", request_body = NewThing,
    responses((status = 201, body = ThingView)), extensions(("x-permission" = json!("public"))))]
async fn make_thing(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(input): Body<NewThing>,
) -> Result<Response, Problem> {
    make(&app, &context, key, input).await
}

#[utoipa::path(post, path = "/v1/payments", operation_id = "pay", request_body = NewThing,
    params(("X-Cart-Secret" = Option<String>, Header)),
    responses((status = 201, body = ThingView)),
    extensions(("x-permission" = json!("public")), ("x-idempotency" = json!("required")), ("x-body-limit" = json!(200))))]
async fn pay(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(input): Body<NewThing>,
) -> Result<Response, Problem> {
    make(&app, &context, key, input).await
}

#[utoipa::path(get, path = "/v1/things", operation_id = "list_things", params(PageParams),
    responses((status = 200)), extensions(("x-permission" = json!("public"))))]
async fn list_things(Params(page): Params<PageParams>) -> Response {
    ok(None, &json!({"limit": page.limit(), "cursor": page.cursor}))
}

#[utoipa::path(put, path = "/v1/things/{id}", operation_id = "change_thing",
    params(("id" = ThingId, Path)), responses((status = 200)),
    extensions(("x-permission" = json!("things:write"))))]
async fn change_thing(PathParams(id): PathParams<ThingId>, IfMatch(version): IfMatch) -> Response {
    ok(version, &json!({"id": id, "version": version}))
}

#[utoipa::path(get, path = "/v1/me", operation_id = "me", responses((status = 200)),
    extensions(("x-permission" = json!("customer"))))]
async fn me(Ctx(context): Ctx) -> Response {
    let locales: Vec<_> = context.locales.iter().map(ToString::to_string).collect();
    ok(
        None,
        &json!({"owner": context.principal.owner(), "request": &*context.correlation, "locales": locales}),
    )
}

#[utoipa::path(get, path = "/v1/staff", operation_id = "staff", responses((status = 200)),
    extensions(("x-permission" = json!("staff"))))]
async fn staff(Ctx(context): Ctx) -> Response {
    ok(None, &json!({"owner": context.principal.owner()}))
}

#[utoipa::path(post, path = "/v1/sign-in", operation_id = "sign_in", responses((status = 200)),
    extensions(("x-permission" = json!("public")), ("x-auth" = json!("ignore"))))]
async fn sign_in(Ctx(context): Ctx) -> Response {
    ok(None, &json!({"owner": context.principal.owner()}))
}

#[utoipa::path(get, path = "/v1/never", operation_id = "never", responses((status = 200)),
    extensions(("x-permission" = json!("public")), ("x-deadline-ms" = json!(30))))]
async fn never() -> Response {
    std::future::pending().await
}

#[utoipa::path(get, path = "/v1/panic", operation_id = "get_panic", responses((status = 200)),
    extensions(("x-permission" = json!("public"))))]
async fn get_panic() -> Response {
    panic!("secret text")
}

#[utoipa::path(post, path = "/v1/panic", operation_id = "post_panic", responses((status = 200)),
    extensions(("x-permission" = json!("public"))))]
async fn post_panic() -> Response {
    panic!("secret text")
}

/// Ends when the gate opens, and says so by counting.
#[utoipa::path(post, path = "/v1/slow", operation_id = "slow", responses((status = 200)),
    extensions(("x-permission" = json!("public")), ("x-deadline-ms" = json!(20))))]
async fn slow(State(app): State<App>) -> Response {
    app.gate.notified().await;
    app.finished.fetch_add(1, Ordering::SeqCst);
    ok(None, &json!({}))
}

pub struct Served {
    pub module: Module,
    pub executor: Executor,
    /// How many slow writes came to their end.
    pub finished: Arc<AtomicUsize>,
    /// Lets one slow write end.
    pub gate: Arc<Notify>,
}

impl Served {
    pub async fn things(&self) -> usize {
        let query = platform::store::Query::new(100);
        self.executor.store().list::<Thing>(query).await.unwrap().len()
    }
}

pub fn served() -> Served {
    let (executor, test) = executor_in_memory(&Schema::new("test", &[]).aggregate::<Thing>());
    let authenticator = Arc::new(Authenticator::new(test.env.clone(), "mercat", "mercat"));
    let finished = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(Notify::new());
    let app = App {
        env: test.env.clone(),
        executor: executor.clone(),
        finished: finished.clone(),
        gate: gate.clone(),
    };
    let routes = OpenApiRouter::new()
        .routes(routes!(make_thing, list_things))
        .routes(routes!(pay))
        .routes(routes!(change_thing))
        .routes(routes!(me))
        .routes(routes!(staff))
        .routes(routes!(sign_in))
        .routes(routes!(never))
        .routes(routes!(get_panic, post_panic))
        .routes(routes!(slow))
        .with_state(app);
    let module = module("test", routes, deps(&executor, &test, &authenticator)).unwrap();
    Served { module, executor, finished, gate }
}

pub fn deps(executor: &Executor, test: &TestEnv, authenticator: &Arc<Authenticator>) -> ModuleDeps {
    ModuleDeps {
        env: test.env.clone(),
        authenticator: authenticator.clone(),
        executor: executor.clone(),
    }
}

/// Keeps `Uuid` at hand for principals.
pub fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}
