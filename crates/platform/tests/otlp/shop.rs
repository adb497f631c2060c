//! A checkout in small: a request places an order and calls for stock; who hears of the order tells
//! of its payment; who hears of that ends it. Three services with a store each.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::State;
use axum::response::Response;
use kernel::Timestamp;
use kernel::id::Uuid;
use platform::auth::Authenticator;
use platform::bus::LocalBus;
use platform::bus::Subscription;
use platform::event::{Consumer, Envelope, Event, HandleError, Handler};
use platform::executor::{Command, Executor, Keys, States};
use platform::http::{Ctx, Module, ModuleDeps, Problem, created, module};
use platform::rpc::{self, CallError};
use platform::store::memory::MemoryEngine;
use platform::store::{Aggregate, Column, Schema, StoreError, Value};
use platform::{Context, Env};
use prost::Message;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(Clone, Serialize, Deserialize)]
struct Fact;

impl Aggregate for Fact {
    const TABLE: &'static str = "fact";
    const COLUMNS: &'static [Column] = &[];
    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct Placed {}
impl Event for Placed {
    const TYPE: &'static str = "mercat.orders.Placed.v1";
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct Paid {}
impl Event for Paid {
    const TYPE: &'static str = "mercat.payments.Paid.v1";
}

/// Writes something down and tells `E` of it.
struct Note<E> {
    id: Uuid,
    event: Option<E>,
}

impl<E: Event + Send + Sync + 'static> Command for Note<E> {
    type Reply = ();
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        keys.add::<Fact>(self.id);
    }
    fn decide(&self, states: &mut States<'_>, _: Timestamp) -> Result<(), StoreError> {
        states.put(self.id, Fact);
        if let Some(event) = &self.event {
            states.emit::<Fact, _>(self.id, event);
        }
        Ok(())
    }
}

#[derive(Clone)]
struct App {
    env: Env,
    orders: Executor,
    stock: Executor,
}

#[utoipa::path(post, path = "/v1/orders", operation_id = "place", responses((status = 201)),
    extensions(("x-permission" = json!("public"))))]
async fn place(State(app): State<App>, Ctx(context): Ctx) -> Result<Response, Problem> {
    let id = app.env.uuid();
    let stock = app.stock.clone();
    let reserve = move |context: Context| async move {
        let note = Note::<Paid> { id, event: None };
        stock.execute(&context, note).await.map_err(|error| CallError::from_business(&error))
    };
    let call = rpc::direct(&app.env, "inventory.Reserve", context.clone(), reserve);
    call.await.map_err(|error| StoreError::Unavailable(error.detail))?;
    app.orders.execute(&context, Note { id, event: Some(Placed {}) }).await?;
    Ok(created(&format!("/v1/orders/{id}"), None, &json!({ "id": id })))
}

/// Writes down that it heard, and tells of it in turn.
struct Hears<E> {
    name: &'static str,
    executor: Executor,
    tells: Option<E>,
}

#[async_trait]
impl<E: Event + Clone + Send + Sync + 'static> Handler for Hears<E> {
    async fn handle(&self, _: &Context, envelope: &Envelope) -> Result<(), HandleError> {
        let note = Note { id: envelope.aggregate_id, event: self.tells.clone() };
        Ok(self.executor.consume(self.name, envelope, note).await?)
    }
}

pub struct Shop {
    pub env: Env,
    pub module: Module,
    pub bus: LocalBus,
}

pub fn open() -> Shop {
    let env = Env::system();
    let start = |service: &'static str| {
        let engine = Arc::new(MemoryEngine::new(&Schema::new(service, &[]).aggregate::<Fact>()));
        Executor::start(service, &env, engine)
    };
    let (orders, payments, stock) = (start("orders"), start("payments"), start("inventory"));
    let subscription = |name, source, types, executor: &Executor, handler| Subscription {
        consumer: Consumer { name, sources: source, types, handler },
        executor: executor.clone(),
    };
    let pays: Arc<dyn Handler> = Arc::new(Hears {
        name: "payments.orders",
        executor: payments.clone(),
        tells: Some(Paid {}),
    });
    let ends: Arc<dyn Handler> =
        Arc::new(Hears::<Paid> { name: "orders.payments", executor: orders.clone(), tells: None });
    let subscriptions = vec![
        subscription("payments.orders", &["orders"], &[Placed::TYPE], &payments, pays),
        subscription("orders.payments", &["payments"], &[Paid::TYPE], &orders, ends),
    ];
    let bus = LocalBus::new(env.clone(), vec![orders.clone(), payments], subscriptions);
    let app = App { env: env.clone(), orders: orders.clone(), stock };
    let deps = ModuleDeps {
        env: env.clone(),
        authenticator: Arc::new(Authenticator::new(env.clone(), "mercat", "mercat")),
        executor: orders,
    };
    let router = OpenApiRouter::new().routes(routes!(place)).with_state(app);
    let module = module("orders", router, deps).unwrap();
    Shop { env, module, bus }
}

impl Shop {
    /// Until no event waits anywhere.
    pub async fn settled(&self) {
        let settled = async {
            while !self.bus.is_quiet().await {
                self.env.sleep(Duration::from_millis(5)).await;
            }
        };
        let settled = self.env.timeout(Duration::from_secs(30), settled).await;
        assert!(settled.is_some(), "events wait and wait");
    }
}
