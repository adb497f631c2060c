//! A shop to test in.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contracts::inventory::InventoryApi;
use contracts::ordering::OrderingApi;
use contracts::payment::PaymentApi;
use kernel::Timestamp;
use kernel::id::Uuid;
use ordering::{Built, Config, Needs};
use platform::auth::Authenticator;
use platform::env::{Clock, TestEnv};
use platform::event::{Envelope, Event};
use platform::executor::Executor;
use platform::service::{Base, Service};
use platform::store::sqlite::{Options, SqliteEngine};
use platform::testing::{Client, Reply, executor_in_memory, executor_in_sqlite, module_client};
use platform::{Context, Principal};
use serde_json::{Value, json};

use crate::script::{BadStore, BadWay, Script};
use crate::shared::Shared;
use crate::world::{World, variant};

pub struct Shop {
    pub world: Arc<World>,
    pub api: Arc<dyn OrderingApi>,
    pub service: Service,
    pub executor: Executor,
    pub time: TestEnv,
    sent: Mutex<HashMap<Uuid, u64>>,
    /// Lives as long as the shop.
    pub folder: Option<tempfile::TempDir>,
}

/// Runs a test on the memory engine and on SQLite.
pub async fn on_both(test: impl AsyncFn(Shop)) {
    test(in_memory()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut shop = in_folder(folder.path(), World::new());
    shop.folder = Some(folder);
    test(shop).await;
}

pub fn in_memory() -> Shop {
    let (executor, time) = executor_in_memory(&ordering::schema());
    Shop::over(executor, time, World::new())
}

/// A wall clock that can be set back; the monotonic one goes on.
pub struct Adjustable {
    inner: Arc<dyn Clock>,
    back: Mutex<Duration>,
}

impl Adjustable {
    pub fn set_back(&self, by: Duration) {
        *self.back.lock().unwrap() = by;
    }
}

impl Clock for Adjustable {
    fn now(&self) -> Timestamp {
        self.inner.now().minus(*self.back.lock().unwrap())
    }
    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }
}

/// In memory, and timers pass as fast as everybody else has nothing to do.
pub fn in_a_hurry() -> Shop {
    in_a_hurry_with_clock().0
}

/// The same, with a wall clock that can be set back.
pub fn in_a_hurry_with_clock() -> (Shop, Arc<Adjustable>) {
    let mut time = platform::Env::test();
    time.env.timer = Arc::new(Hurry);
    let inner = time.env.clock.clone();
    let clock = Arc::new(Adjustable { inner, back: Mutex::default() });
    time.env.clock = clock.clone();
    let schema = ordering::schema();
    let engine = Arc::new(platform::store::memory::MemoryEngine::new(&schema));
    let executor = Executor::start(schema.service, &time.env, engine);
    (Shop::over(executor, time, World::new()), clock)
}

/// Lets every other task run once for each ten milliseconds.
struct Hurry;

impl platform::env::Timer for Hurry {
    fn sleep(&self, duration: Duration) -> platform::env::BoxFuture<()> {
        Box::pin(async move {
            for _ in 0..duration.as_millis() / 10 {
                tokio::task::yield_now().await;
            }
        })
    }
}

/// Opening the same folder again is what a restart does.
pub fn in_folder(folder: &Path, world: Arc<World>) -> Shop {
    let (executor, time) = executor_in_sqlite(&ordering::schema(), folder);
    Shop::over(executor, time, world)
}

/// One of several processes on one database.
pub fn on_shared_folder(folder: &Path, world: Arc<World>) -> Shop {
    let (schema, time) = (ordering::schema(), platform::Env::test());
    let path = folder.join("ordering.db");
    let engine = SqliteEngine::shared(&path, &schema, Options::default()).unwrap();
    let executor = Executor::start(schema.service, &time.env, Arc::new(Shared(engine)));
    Shop::over(executor, time, world)
}

pub fn var(n: u128) -> String {
    kernel::id::encode("var", variant(n))
}

pub fn address() -> Value {
    json!({"name": "Ada Lovelace", "line1": "Hauptstraße 1", "city": "Berlin",
        "postal_code": "10115", "country": "DE"})
}

/// A cart with these variants and all else that a checkout needs.
pub fn cart(lines: &[(u128, u32)]) -> Value {
    let line = |(n, q): &(u128, u32)| json!({"variant_id": var(*n), "quantity": q});
    json!({"currency": "EUR", "lines": lines.iter().map(line).collect::<Vec<_>>(),
        "email": "ada@example.com", "shipping_address": address()})
}

/// A cart that was opened, and whoever may reach it.
pub struct Opened {
    pub client: Client,
    pub id: String,
    pub body: Value,
}

impl Opened {
    pub fn path(&self) -> String {
        format!("/v1/carts/{}", self.id)
    }

    pub fn total(&self) -> Value {
        self.body["totals"]["total"].clone()
    }

    pub async fn read(&self) -> Reply {
        self.client.get(&self.path()).await
    }

    /// Completes the cart at the total it was opened with.
    pub async fn complete(&self, key: &str, token: &str) -> Reply {
        let body = json!({"expected_total": self.total(), "payment_token": token});
        self.complete_with(key, body).await
    }

    pub async fn complete_with(&self, key: &str, body: Value) -> Reply {
        let client = self.client.with("idempotency-key", key);
        client.post(&format!("{}/complete", self.path()), body).await
    }
}

impl Shop {
    /// In memory and in a hurry, with a script of what goes wrong.
    pub fn on_a_bad_way() -> (Self, Arc<Script>) {
        let mut time = platform::Env::test();
        time.env.timer = Arc::new(Hurry);
        let (script, world) = (Script::new(time.clock.clone()), World::new());
        let schema = ordering::schema();
        let inner = Arc::new(platform::store::memory::MemoryEngine::new(&schema));
        let engine = Arc::new(BadStore { inner, script: script.clone() });
        let executor = Executor::start(schema.service, &time.env, engine);
        let way = Arc::new(BadWay { world: world.clone(), script: script.clone() });
        (Self::between(executor, time, world, way.clone(), way), script)
    }

    fn over(executor: Executor, time: TestEnv, world: Arc<World>) -> Self {
        Self::between(executor, time, world.clone(), world.clone(), world)
    }

    fn between(
        executor: Executor,
        time: TestEnv,
        world: Arc<World>,
        inventory: Arc<dyn InventoryApi>,
        payment: Arc<dyn PaymentApi>,
    ) -> Self {
        let env = time.env.clone();
        let authenticator = Arc::new(Authenticator::new(env.clone(), "mercat", "mercat"));
        let base = Base { env, executor: executor.clone(), authenticator };
        let Built { service, api } = ordering::build(Needs {
            base,
            config: Config::default(),
            catalog: world.clone(),
            inventory,
            payment,
        })
        .unwrap();
        Self { world, api, service, executor, time, sent: Mutex::default(), folder: None }
    }

    pub fn context(&self) -> Context {
        Context::background(&self.time.env, "test", Duration::from_secs(30))
    }

    pub fn guest(&self) -> Client {
        module_client(&self.service.http)
    }

    pub fn customer(&self, n: u128) -> Client {
        let id = Uuid::from_u128(n);
        self.guest().as_(Principal::Customer { account: id, session: id })
    }

    pub fn staff(&self, permissions: &[&str]) -> Client {
        let id = Uuid::from_u128(5);
        let permissions = permissions.iter().map(|p| (*p).to_owned()).collect();
        self.guest().as_(Principal::Staff { account: id, session: id, permissions })
    }

    pub async fn open(&self, client: &Client, body: Value) -> Opened {
        let body = client.post("/v1/carts", body).await.expect(201).body;
        let client = match body["secret"].as_str() {
            Some(secret) => client.with("cart-secret", secret),
            None => client.clone(),
        };
        let id = body["id"].as_str().unwrap().to_owned();
        Opened { client, id, body }
    }

    /// A guest's cart with these variants, ready to be completed.
    pub async fn guest_cart(&self, lines: &[(u128, u32)]) -> Opened {
        self.open(&self.guest(), cart(lines)).await
    }

    /// A confirmed order of one unit of variant 1.
    pub async fn order(&self, client: &Client) -> (Opened, Value) {
        let opened = self.open(client, cart(&[(1, 1)])).await;
        let order = opened.complete("key", "tok_ok").await.expect(201).body;
        assert_eq!(order["status"], "confirmed");
        (opened, order)
    }

    /// One turn of a periodic task.
    pub async fn turn(&self, task: &str) {
        let task = self.service.tasks.iter().find(|t| t.name == task).unwrap();
        task.turn(&self.time.env, "ordering").await.unwrap();
    }

    /// Delivers an event of another service, twice.
    pub async fn tell<E: Event>(&self, source: &str, aggregate: Uuid, event: &E) {
        let version = {
            let mut sent = self.sent.lock().unwrap();
            let version = sent.entry(aggregate).or_default();
            *version += 1;
            *version
        };
        let envelope = Envelope {
            id: self.time.env.uuid(),
            event_type: E::TYPE.to_owned(),
            source: source.to_owned(),
            aggregate_type: "payment".to_owned(),
            aggregate_id: aggregate,
            aggregate_version: version,
            time: self.time.env.now(),
            correlation: "test".into(),
            causation: None,
            traceparent: None,
            data: event.encode_to_vec(),
            passed_over: 0,
        };
        for consumer in &self.service.consumers {
            if consumer.sources.contains(&source) {
                for _ in 0..2 {
                    consumer.take(&self.executor, &self.context(), &envelope).await.unwrap();
                }
            }
        }
    }

    /// The types of the events that wait to be told, without their namespace.
    pub async fn events(&self) -> Vec<String> {
        let outbox = self.executor.store().outbox(100).await.unwrap();
        let name = |envelope: &Envelope| envelope.event_type.split('.').nth(2).unwrap().to_owned();
        outbox.iter().map(name).collect()
    }
}

/// Lets everybody else go on until there is something.
pub async fn until<T>(what: &str, probe: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..50_000 {
        if let Some(found) = probe().await {
            return found;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never comes to this: {what}");
}

pub fn uuid_of(id: &Value) -> Uuid {
    kernel::id::decode("ord", id.as_str().unwrap()).unwrap()
}
