//! The service as the composition root builds it, with a clock that stands still and hands to
//! deliver events.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use contracts::inventory::{InventoryApi, v1};
use contracts::ordering::OrderingApi;
use contracts::ordering::v1::{GetOrderReply, GetOrderRequest};
use inventory::{Built, Config, Needs};
use kernel::ErrorKind;
use kernel::Timestamp;
use kernel::id::Uuid;
use platform::auth::Authenticator;
use platform::env::TestEnv;
use platform::event::{Envelope, Event};
use platform::executor::Executor;
use platform::rpc::CallError;
use platform::service::{Base, Service};
use platform::testing::{Client, executor_in_memory, executor_in_sqlite, module_client};
use platform::{Context, Principal};
use serde_json::{Value, json};

pub const LEVELS: &str = "/v1/admin/inventory/levels";
pub const MOVEMENTS: &str = "/v1/admin/inventory/movements";
pub const RECEIPTS: &str = "/v1/admin/inventory/receipts";
pub const ADJUSTMENTS: &str = "/v1/admin/inventory/adjustments";
pub const TRANSFERS: &str = "/v1/admin/inventory/transfers";
pub const LOCATIONS: &str = "/v1/admin/inventory/locations";
pub const RESERVATIONS: &str = "/v1/admin/inventory/reservations";
pub const POLICIES: &str = "/v1/admin/inventory/policies";

pub struct Shop {
    pub api: Arc<dyn InventoryApi>,
    pub service: Service,
    pub executor: Executor,
    pub ordering: Arc<Ordering>,
    pub time: TestEnv,
    /// How many events each aggregate of other services has sent so far.
    sent: Mutex<HashMap<Uuid, u64>>,
    _folder: Option<tempfile::TempDir>,
}

/// Ordering as inventory sees it. Orders that it was not told of do not exist.
#[derive(Default)]
pub struct Ordering {
    orders: Mutex<HashMap<Uuid, Result<&'static str, CallError>>>,
    asked: Mutex<Vec<Uuid>>,
}

impl Ordering {
    pub fn is(&self, order: Uuid, status: &'static str) {
        self.orders.lock().unwrap().insert(order, Ok(status));
    }

    pub fn fails(&self, order: Uuid, kind: ErrorKind) {
        let error = CallError::new(kind, "broken", "it is broken");
        self.orders.lock().unwrap().insert(order, Err(error));
    }

    /// Which orders were asked for since the last time, in order.
    pub fn asked(&self) -> Vec<Uuid> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl OrderingApi for Ordering {
    async fn get_order(
        &self,
        context: Context,
        request: GetOrderRequest,
    ) -> Result<GetOrderReply, CallError> {
        assert!(matches!(context.principal, Principal::Service { .. }));
        let order = Uuid::from_slice(&request.order_id).unwrap();
        self.asked.lock().unwrap().push(order);
        let known = self.orders.lock().unwrap().get(&order).cloned();
        let absent = || Err(CallError::new(ErrorKind::NotFound, "order-not-found", "none"));
        let status = known.unwrap_or_else(absent)?.to_owned();
        let order_id = request.order_id;
        Ok(GetOrderReply { order_id, status, total_minor: 1, currency: "EUR".to_owned() })
    }
}

/// Runs a test on the memory engine and on SQLite.
pub async fn on_both(test: impl AsyncFn(Shop)) {
    let (executor, time) = executor_in_memory(&inventory::schema());
    test(Shop::over(executor, time, None)).await;
    let folder = tempfile::tempdir().unwrap();
    let (executor, time) = executor_in_sqlite(&inventory::schema(), folder.path());
    test(Shop::over(executor, time, Some(folder))).await;
}

pub fn variant(n: u128) -> Uuid {
    Uuid::from_u128(0x0190_6f3a_7c11_7000_8000_0000_0000_0000 + n)
}

pub fn order(n: u128) -> Uuid {
    Uuid::from_u128(0x0190_6f3a_7c12_7000_8000_0000_0000_0000 + n)
}

pub fn var(n: u128) -> String {
    kernel::id::encode("var", variant(n))
}

pub fn bytes(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

impl Shop {
    fn over(executor: Executor, time: TestEnv, folder: Option<tempfile::TempDir>) -> Self {
        let env = time.env.clone();
        let authenticator = Arc::new(Authenticator::new(env.clone(), "mercat", "mercat"));
        let base = Base { env, executor: executor.clone(), authenticator };
        let ordering = Arc::new(Ordering::default());
        let needs = Needs { base, config: Config::default(), orders: ordering.clone() };
        let Built { service, api } = inventory::build(needs).unwrap();
        Self { api, service, executor, ordering, time, sent: Mutex::default(), _folder: folder }
    }

    /// Another process over the same database, with a memory of its own.
    pub fn twin(&self) -> Self {
        Self::over(self.executor.clone(), self.time.clone(), None)
    }

    pub fn context(&self) -> Context {
        Context::background(&self.time.env, "test", Duration::from_secs(30))
    }

    pub fn now(&self) -> Timestamp {
        self.time.env.now()
    }

    /// A staff member with these permissions.
    pub fn staff(&self, permissions: &[&str]) -> Client {
        let id = Uuid::from_u128(5);
        let permissions = permissions.iter().map(|p| (*p).to_owned()).collect();
        module_client(&self.service.http).as_(Principal::Staff {
            account: id,
            session: id,
            permissions,
        })
    }

    pub fn clerk(&self) -> Client {
        self.staff(&["inventory:read", "inventory:write"])
    }

    pub async fn receive(&self, n: u128, units: u32) {
        let body = json!({"lines": [{"variant_id": var(n), "quantity": units}]});
        self.clerk().post(RECEIPTS, body).await.expect(201);
    }

    pub async fn policy(&self, n: u128, tracked: bool, backorder: bool) {
        let body = json!({"tracked": tracked, "backorder": backorder, "low_stock_threshold": 0});
        self.clerk().put(&format!("{POLICIES}/{}", var(n)), body).await.expect(200);
    }

    /// A reservation for ten minutes.
    pub async fn reserve(&self, order: Uuid, lines: &[(u128, u32)]) -> v1::ReserveReply {
        let expires = self.now().plus(Duration::from_mins(10));
        let line = |(n, quantity): &(u128, u32)| v1::StockLine {
            variant_id: bytes(variant(*n)),
            quantity: *quantity,
        };
        let request = v1::ReserveRequest {
            order_id: bytes(order),
            lines: lines.iter().map(line).collect(),
            expires_at_us: expires.as_micros(),
        };
        self.api.reserve(self.context(), request).await.unwrap()
    }

    pub async fn release(&self, order: Uuid) {
        let request = v1::ReleaseRequest { order_id: bytes(order) };
        self.api.release(self.context(), request).await.unwrap();
    }

    pub async fn available(&self, n: u128) -> v1::Availability {
        let request = v1::GetAvailabilityRequest { variant_ids: vec![bytes(variant(n))] };
        self.api.get_availability(self.context(), request).await.unwrap().variants.remove(0)
    }

    /// `(on_hand, reserved)` of the variant, over all locations.
    pub async fn level(&self, n: u128) -> (i64, i64) {
        let path = format!("{LEVELS}?variant_id={}", var(n));
        let body = self.clerk().get(&path).await.expect(200).body;
        let sum = |field: &str| {
            body["items"].as_array().unwrap().iter().map(|l| l[field].as_i64().unwrap()).sum()
        };
        (sum("on_hand"), sum("reserved"))
    }

    /// The ledger of a variant, newest first.
    pub async fn movements(&self, n: u128) -> Vec<Value> {
        let path = format!("{MOVEMENTS}?limit=100&variant_id={}", var(n));
        let reply = self.clerk().get(&path).await.expect(200);
        reply.body["items"].as_array().unwrap().clone()
    }

    pub async fn status(&self, order: Uuid) -> String {
        let path = format!("{RESERVATIONS}?order_id={}", kernel::id::encode("ord", order));
        let reply = self.clerk().get(&path).await.expect(200);
        reply.body["items"][0]["status"].as_str().unwrap_or("none").to_owned()
    }

    /// The event as it would come from the bus, numbered after the last one of its aggregate.
    pub fn envelope<E: Event>(&self, source: &str, aggregate: Uuid, event: &E) -> Envelope {
        let version = {
            let mut sent = self.sent.lock().unwrap();
            let version = sent.entry(aggregate).or_default();
            *version += 1;
            *version
        };
        Envelope {
            id: self.time.env.uuid(),
            event_type: E::TYPE.to_owned(),
            source: source.to_owned(),
            aggregate_type: "order".to_owned(),
            aggregate_id: aggregate,
            aggregate_version: version,
            time: self.now(),
            correlation: "test".into(),
            causation: None,
            traceparent: None,
            data: event.encode_to_vec(),
            passed_over: 0,
        }
    }

    pub async fn deliver(&self, envelope: &Envelope) {
        let consumer = self
            .service
            .consumers
            .iter()
            .find(|consumer| consumer.sources.contains(&envelope.source.as_str()))
            .unwrap();
        consumer.take(&self.executor, &self.context(), envelope).await.unwrap();
    }

    /// Twice, as buses do.
    pub async fn tell<E: Event>(&self, source: &str, aggregate: Uuid, event: &E) {
        let envelope = self.envelope(source, aggregate, event);
        self.deliver(&envelope).await;
        self.deliver(&envelope).await;
    }

    /// One turn of the task that ends what is overdue.
    pub async fn expire(&self) {
        self.turn("inventory.expiry").await;
    }

    /// One turn of the task that gives rows to variants that nobody counted.
    pub async fn enrol(&self) {
        self.turn("inventory.enrolment").await;
    }

    async fn turn(&self, name: &str) {
        let task = self.service.tasks.iter().find(|task| task.name == name).unwrap();
        task.turn(&self.time.env, "inventory").await.unwrap();
    }

    /// What was told of stock, in order: version of the row's events, on hand, reserved.
    pub async fn told(&self) -> Vec<(u64, i64, i64)> {
        let outbox = self.executor.store().outbox(10_000).await.unwrap();
        let of_stock = outbox.iter().filter_map(|envelope| {
            let event = envelope.decode::<v1::StockChanged>()?.unwrap();
            Some((envelope.aggregate_version, event.on_hand, event.reserved))
        });
        of_stock.collect()
    }

    /// The types of all unsent events, of which there are few in a test.
    pub async fn published(&self, event_type: &str) -> usize {
        let outbox = self.executor.store().outbox(10_000).await.unwrap();
        outbox.iter().filter(|envelope| envelope.event_type == event_type).count()
    }
}
