//! A payment service on its own, with a provider that can be made to fail.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use contracts::payment::{PaymentApi, v1};
use kernel::id::Uuid;
use kernel::{Money, Timestamp};
use payment::adapters::test_provider::TestProvider;
use payment::application::Payments;
use payment::domain::{Answer, OrderId, Payment, PaymentId};
use payment::ports::{Authorization, Delivery, DeliveryError, Method, Provider, Told};
use payment::{CaptureMode, Config, Needs};
use platform::auth::Authenticator;
use platform::env::{Clock, TestEnv};
use platform::executor::Executor;
use platform::service::{Base, Service};
use platform::testing::{Client, executor_in_memory, executor_in_sqlite, module_client};
use platform::{Context, Principal};
use v1::authorize_reply::Outcome;

/// What happens to the next call of a kind.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It never arrives.
    LoseRequest,
    /// It is done, and nobody hears of it.
    LoseAnswer,
    /// It is done, and the answer is never given.
    Hang,
    Refuse,
}

/// The test provider behind a bad line.
pub struct Flaky {
    pub inner: TestProvider,
    faults: Mutex<HashMap<&'static str, (Fault, usize)>>,
    /// Keys that were refused stay so, as [`Provider`] wants it.
    refused: Mutex<HashSet<String>>,
}

impl Flaky {
    /// For the next `authorize`, `capture`, `refund`, `void` or `look_up`.
    pub fn break_next(&self, call: &'static str, fault: Fault) {
        self.break_times(call, fault, 1);
    }

    /// For the next `times` calls.
    pub fn break_times(&self, call: &'static str, fault: Fault, times: usize) {
        self.faults.lock().unwrap().insert(call, (fault, times));
    }

    /// How many calls of a kind are still to be broken.
    pub fn unbroken(&self, call: &'static str) -> usize {
        self.faults.lock().unwrap().get(call).map_or(0, |(_, left)| *left)
    }

    fn fault(&self, call: &'static str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let (fault, left) = faults.get_mut(call).filter(|(_, left)| *left > 0)?;
        *left -= 1;
        Some(*fault)
    }

    async fn through(
        &self,
        call: &'static str,
        key: &str,
        work: impl Future<Output = Answer>,
    ) -> Answer {
        let refuse = || Answer::Refused { code: "not_today".to_owned() };
        if self.refused.lock().unwrap().contains(key) {
            return refuse();
        }
        match self.fault(call) {
            None => work.await,
            Some(Fault::LoseRequest) => Answer::Unknown,
            Some(Fault::Refuse) => {
                self.refused.lock().unwrap().insert(key.to_owned());
                refuse()
            }
            Some(Fault::LoseAnswer) => {
                work.await;
                Answer::Unknown
            }
            Some(Fault::Hang) => {
                work.await;
                std::future::pending().await
            }
        }
    }
}

#[async_trait]
impl Provider for Flaky {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    fn methods(&self) -> Vec<Method> {
        self.inner.methods()
    }
    async fn authorize(&self, request: Authorization<'_>) -> Answer {
        self.through("authorize", request.key, self.inner.authorize(request)).await
    }
    async fn capture(&self, key: &str, reference: &str, amount: Money) -> Answer {
        self.through("capture", key, self.inner.capture(key, reference, amount)).await
    }
    async fn refund(&self, key: &str, reference: &str, amount: Money) -> Answer {
        self.through("refund", key, self.inner.refund(key, reference, amount)).await
    }
    async fn void(&self, key: &str, reference: &str) -> Answer {
        self.through("void", key, self.inner.void(key, reference)).await
    }
    async fn look_up(&self, key: &str) -> Answer {
        self.through("look_up", key, self.inner.look_up(key)).await
    }
    fn read_notification(
        &self,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Told, DeliveryError> {
        self.inner.read_notification(delivery, now)
    }
}

pub struct Shop {
    pub executor: Executor,
    pub test: TestEnv,
    pub service: Service,
    pub api: Arc<dyn PaymentApi>,
    pub provider: Arc<Flaky>,
    /// The use cases themselves, over the same store.
    pub payments: Payments,
    _folder: Option<tempfile::TempDir>,
}

/// Runs a story on each store engine.
pub async fn on_each_engine(config: Config, story: impl AsyncFn(&Shop)) {
    story(&Shop::in_memory(config.clone())).await;
    story(&Shop::in_sqlite(config)).await;
}

/// The provider's time-outs are over in a moment.
pub fn hasty() -> Config {
    let mut config = Config { provider_timeout_ms: 10, ..Config::default() };
    config.test_provider.hang_ms = 20;
    config
}

pub fn automatic() -> Config {
    Config { capture: CaptureMode::Automatic, ..hasty() }
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

impl Shop {
    /// In memory, with a wall clock that can be set back.
    pub fn with_adjustable_clock(config: Config) -> (Self, Arc<Adjustable>) {
        let mut test = platform::Env::test();
        let inner = test.env.clock.clone();
        let clock = Arc::new(Adjustable { inner, back: Mutex::default() });
        test.env.clock = clock.clone();
        let schema = payment::schema();
        let engine = Arc::new(platform::store::memory::MemoryEngine::new(&schema));
        let executor = Executor::start(schema.service, &test.env, engine);
        (Self::over((executor, test), config, None), clock)
    }

    pub fn in_memory(config: Config) -> Self {
        Self::over(executor_in_memory(&payment::schema()), config, None)
    }

    pub fn in_sqlite(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let over = executor_in_sqlite(&payment::schema(), folder.path());
        Self::over(over, config, Some(folder))
    }

    /// On what an earlier shop left in `folder`, its provider's ledger too.
    pub fn reopened(mut config: Config, folder: &Path) -> Self {
        config.test_provider.folder = Some(folder.join("provider"));
        Self::over(executor_in_sqlite(&payment::schema(), folder), config, None)
    }

    /// In memory, with the provider's ledger in `folder`.
    pub fn reopened_elsewhere(mut config: Config, folder: &Path) -> Self {
        config.test_provider.folder = Some(folder.join("provider"));
        Self::in_memory(config)
    }

    fn over(
        (executor, test): (Executor, TestEnv),
        config: Config,
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        let env = test.env.clone();
        let authenticator = Arc::new(Authenticator::new(env.clone(), "mercat", "mercat"));
        let base = Base { env, executor: executor.clone(), authenticator };
        let needs = Needs { base, config };
        let inner = payment::test_provider(&needs).unwrap();
        let provider =
            Arc::new(Flaky { inner, faults: Mutex::default(), refused: Mutex::default() });
        let built = payment::build_with(needs, provider.clone()).unwrap();
        let (outside, patience) = (payment::adapters::outside(), Duration::from_millis(10));
        let payments = Payments::new(executor.clone(), provider.clone(), outside, patience);
        let (service, api) = (built.service, built.api);
        Self { executor, test, service, api, provider, payments, _folder: folder }
    }

    pub fn context(&self) -> Context {
        Context::background(&self.test.env, "ordering", Duration::from_secs(10))
    }

    pub fn new_order(&self) -> OrderId {
        self.test.env.id()
    }

    pub async fn authorize(&self, order: OrderId, amount_minor: i64, token: &str) -> Outcome {
        let reply = self.try_authorize(order, amount_minor, token).await.unwrap();
        reply.outcome()
    }

    pub async fn try_authorize(
        &self,
        order: OrderId,
        amount_minor: i64,
        token: &str,
    ) -> Result<v1::AuthorizeReply, platform::rpc::CallError> {
        let request = v1::AuthorizeRequest {
            order_id: order.uuid().as_bytes().to_vec(),
            amount_minor,
            currency: "EUR".to_owned(),
            payment_token: token.to_owned(),
        };
        self.api.authorize(self.context(), request).await
    }

    pub async fn void(&self, order: OrderId) -> bool {
        self.try_void(order).await.done
    }

    pub async fn try_void(&self, order: OrderId) -> v1::VoidReply {
        let order_id = order.uuid().as_bytes().to_vec();
        let request = v1::VoidRequest { order_id, reason: "timed_out".to_owned() };
        self.api.void(self.context(), request).await.unwrap()
    }

    /// The orders of the payments that staff are shown as in need of attention.
    pub async fn attention(&self) -> Vec<String> {
        let path = "/v1/admin/payments?needs_attention=true";
        let page = self.staff(&["payments:read"]).get(path).await.expect(200).body;
        let order = |item: &serde_json::Value| item["order_id"].as_str().unwrap().to_owned();
        page["items"].as_array().unwrap().iter().map(order).collect()
    }

    /// An order with its whole sum authorized.
    pub async fn authorized(&self, amount_minor: i64) -> (OrderId, PaymentId) {
        let order = self.new_order();
        assert_eq!(self.authorize(order, amount_minor, "tok_approved").await, Outcome::Authorized);
        (order, PaymentId::of_order(order))
    }

    pub async fn payment(&self, order: OrderId) -> Payment {
        let id = PaymentId::of_order(order).uuid();
        self.executor.store().get::<Payment>(id).await.unwrap().unwrap().state
    }

    pub async fn status(&self, order: OrderId) -> String {
        self.payment(order).await.status().to_string()
    }

    /// The provider's side of an order: held, captured, refunded, voided.
    pub fn charge(&self, order: OrderId) -> Option<(i64, i64, i64, bool)> {
        let charge = self.provider.inner.charge(&PaymentId::of_order(order).to_string())?;
        Some((charge.held_minor, charge.captured_minor, charge.refunded_minor, charge.voided))
    }

    pub async fn reconcile(&self) {
        let task = self.service.tasks.iter().find(|task| task.name == "payment.reconcile").unwrap();
        task.turn(&self.test.env, "payment").await.unwrap();
    }

    /// Lets time pass and work be done until nothing of the order is outstanding.
    pub async fn settle(&self, order: OrderId) -> Payment {
        for _ in 0..1_000_000 {
            let payment = self.payment(order).await;
            let Some(next) = payment.next_check_at() else {
                return payment;
            };
            self.test.advance(next.since(self.test.env.now()));
            self.reconcile().await;
            tokio::task::yield_now().await;
        }
        panic!("never settles: {:?}", self.payment(order).await);
    }

    pub fn anybody(&self) -> Client {
        module_client(&self.service.http)
    }

    pub fn staff(&self, permissions: &[&str]) -> Client {
        let id = Uuid::from_u128(1);
        self.anybody().as_(Principal::Staff {
            account: id,
            session: id,
            permissions: permissions.iter().map(|p| (*p).to_owned()).collect(),
        })
    }

    /// The short names of all events so far, in order of publishing.
    pub async fn events(&self) -> Vec<String> {
        let events = self.executor.store().outbox(1000).await.unwrap();
        let short = |name: &str| name.split('.').nth(2).unwrap_or_default().to_owned();
        events.iter().map(|envelope| short(&envelope.event_type)).collect()
    }
}
