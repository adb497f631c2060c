//! The service as the composition root builds it, with an inventory that only remembers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use catalog::domain::import::Report;
use catalog::{Built, Config, Needs};
use contracts::inventory::{InventoryApi, v1};
use futures_util::TryStreamExt;
use kernel::ErrorKind;
use kernel::id::Uuid;
use platform::auth::Authenticator;
use platform::env::{Env, TestEnv};
use platform::event::{Envelope, Event};
use platform::executor::Executor;
use platform::rpc::CallError;
use platform::service::Base;
use platform::store::postgres::PostgresEngine;
use platform::testing::{Client, Reply, executor_in_memory, executor_in_sqlite, module_client};
use platform::{Context, Principal};

use crate::server::{Place, with_place};

/// Keeps counts as inventory does: a count equal to the last one changes nothing.
#[derive(Default)]
pub struct Remembered {
    pub counts: Mutex<BTreeMap<Vec<u8>, v1::Count>>,
}

fn unused<T>() -> Result<T, CallError> {
    Err(CallError::new(ErrorKind::Unavailable, "unused", "the catalog never asks for this"))
}

#[async_trait]
impl InventoryApi for Remembered {
    async fn reserve(
        &self,
        _context: Context,
        _request: v1::ReserveRequest,
    ) -> Result<v1::ReserveReply, CallError> {
        unused()
    }

    async fn release(
        &self,
        _context: Context,
        _request: v1::ReleaseRequest,
    ) -> Result<v1::ReleaseReply, CallError> {
        unused()
    }

    async fn get_availability(
        &self,
        _context: Context,
        _request: v1::GetAvailabilityRequest,
    ) -> Result<v1::GetAvailabilityReply, CallError> {
        unused()
    }

    async fn apply_counts(
        &self,
        _context: Context,
        request: v1::ApplyCountsRequest,
    ) -> Result<v1::ApplyCountsReply, CallError> {
        assert!(request.counts.len() <= 1_000);
        let mut counts = self.counts.lock().unwrap();
        let mut reply = v1::ApplyCountsReply::default();
        for count in request.counts {
            if counts.insert(count.variant_id.clone(), count.clone()) == Some(count) {
                reply.unchanged += 1;
            } else {
                reply.changed += 1;
            }
        }
        Ok(reply)
    }

    async fn get_counts(
        &self,
        _context: Context,
        request: v1::GetCountsRequest,
    ) -> Result<v1::GetCountsReply, CallError> {
        let counts = self.counts.lock().unwrap();
        let found = request.variant_ids.iter().filter_map(|id| counts.get(id).cloned());
        Ok(v1::GetCountsReply { counts: found.collect() })
    }
}

pub struct Shop {
    pub built: Built,
    pub executor: Executor,
    pub time: TestEnv,
    pub inventory: Arc<Remembered>,
    sent: Mutex<u64>,
    _folder: Option<tempfile::TempDir>,
}

impl Shop {
    pub fn in_memory() -> Self {
        let config = Config::default();
        let (schema, listing) = catalog::schema_in_memory(&config);
        let (executor, time) = executor_in_memory(&schema);
        let (base, inventory) = parts(&executor, &time);
        let needs = Needs { base, config, inventory: inventory.clone() };
        let built = catalog::build_in_memory(needs, listing).unwrap();
        Self { built, executor, time, inventory, sent: Mutex::default(), _folder: None }
    }

    pub fn in_sqlite() -> Self {
        let config = Config::default();
        let folder = tempfile::tempdir().unwrap();
        let (executor, time) = executor_in_sqlite(&catalog::schema(&config), folder.path());
        let (base, inventory) = parts(&executor, &time);
        let needs = Needs { base, config, inventory: inventory.clone() };
        let built = catalog::build(needs).unwrap();
        let sent = Mutex::default();
        Self { built, executor, time, inventory, sent, _folder: Some(folder) }
    }

    /// One replica of the service.
    pub async fn in_postgres(place: &Place) -> Self {
        let config = Config::default();
        let schema = catalog::schema(&config);
        let time = Env::test();
        let engine = PostgresEngine::shared(&time.env, &schema, &place.options()).await.unwrap();
        let executor = Executor::start(schema.service, &time.env, engine);
        let (base, inventory) = parts(&executor, &time);
        let needs = Needs { base, config, inventory: inventory.clone() };
        let built = catalog::build(needs).unwrap();
        Self { built, executor, time, inventory, sent: Mutex::default(), _folder: None }
    }

    pub fn context(&self) -> Context {
        Context::background(&self.time.env, "test", Duration::from_mins(5))
    }

    pub fn anybody(&self) -> Client {
        module_client(&self.built.service.http)
    }

    pub fn staff(&self) -> Client {
        self.staff_with(&["catalog:*"])
    }

    pub fn staff_with(&self, permissions: &[&str]) -> Client {
        let id = Uuid::from_u128(5);
        let permissions = permissions.iter().map(|p| (*p).to_owned()).collect();
        self.anybody().as_(Principal::Staff { account: id, session: id, permissions })
    }

    /// Imports a file as the command line does.
    pub async fn import(&self, file: impl Into<Vec<u8>>) -> Report {
        let options = self.built.importer.options();
        let file = std::io::Cursor::new(file.into());
        self.built.importer.import(&self.context(), file, options, |_| ()).await.unwrap()
    }

    /// Uploads a file as staff do.
    pub async fn upload(&self, staff: &Client, query: &str, file: &str) -> Reply {
        let request = http::Request::post(format!("/v1/admin/products/import{query}"))
            .header("content-type", "text/csv")
            .body(axum::body::Body::from(file.to_owned()))
            .unwrap();
        staff.request(request).await
    }

    pub async fn export(&self) -> String {
        let pieces = self.built.catalog.export_products(self.context(), true).await.unwrap();
        let pieces: Vec<_> = pieces.try_collect().await.unwrap();
        String::from_utf8(pieces.concat()).unwrap()
    }

    /// What inventory tells about a variant at one location.
    pub async fn stock_changes(&self, variant: Uuid, location: u128, on_hand: i64) {
        self.stock_changes_as(77, variant, location, on_hand).await;
    }

    /// The same as an event of another stock.
    pub async fn stock_changes_as(&self, stock: u128, variant: Uuid, location: u128, on_hand: i64) {
        let event = v1::StockChanged {
            variant_id: variant.as_bytes().to_vec(),
            location_id: Uuid::from_u128(location).as_bytes().to_vec(),
            on_hand,
            reserved: 0,
            backorder: false,
            tracked: true,
        };
        let version = {
            let mut sent = self.sent.lock().unwrap();
            *sent += 1;
            *sent
        };
        let envelope = Envelope {
            id: self.time.env.uuid(),
            event_type: v1::StockChanged::TYPE.to_owned(),
            source: "inventory".to_owned(),
            aggregate_type: "stock".to_owned(),
            aggregate_id: Uuid::from_u128(stock),
            aggregate_version: version,
            time: self.time.env.now(),
            correlation: "test".into(),
            causation: None,
            traceparent: None,
            data: prost::Message::encode_to_vec(&event),
            passed_over: 0,
        };
        let consumer = &self.built.service.consumers[0];
        consumer.take(&self.executor, &self.context(), &envelope).await.unwrap();
    }

    /// How many events wait to be published.
    pub async fn events(&self) -> Vec<String> {
        let waiting = self.executor.store().outbox(10_000).await.unwrap();
        waiting.into_iter().map(|event| event.event_type).collect()
    }
}

fn parts(executor: &Executor, time: &TestEnv) -> (Base, Arc<Remembered>) {
    let env = time.env.clone();
    let authenticator = Arc::new(Authenticator::new(env.clone(), "mercat", "mercat"));
    let base = Base { env, executor: executor.clone(), authenticator };
    (base, Arc::default())
}

/// Runs a test on memory, on SQLite and on PostgreSQL.
pub async fn on_each(test: impl AsyncFn(Shop)) {
    test(Shop::in_memory()).await;
    test(Shop::in_sqlite()).await;
    with_place(async |place| test(Shop::in_postgres(place).await).await).await;
}

/// Runs a test on shops on all engines together.
pub async fn on_all(test: impl AsyncFn(Vec<(&'static str, Shop)>)) {
    let embedded = || vec![("memory", Shop::in_memory()), ("sqlite", Shop::in_sqlite())];
    let ran = with_place(async |place| {
        let mut shops = embedded();
        shops.push(("postgres", Shop::in_postgres(place).await));
        test(shops).await;
    });
    if !ran.await {
        test(embedded()).await;
    }
}

/// The handles of a page of products.
pub fn handles(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let items = reply.body["items"].as_array().unwrap();
    items.iter().map(|item| item["handle"].as_str().unwrap().to_owned()).collect()
}

/// A file of `../shared/data`.
pub fn data(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

/// Whether that folder is there: a clone of the project alone does not have it.
pub fn has_data() -> bool {
    std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).is_dir()
}
