//! A payment service on its own, with a provider that can be made to fail.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use contracts::payment::{PaymentApi, v1};
use kernel::id::Uuid;
use kernel::{Money, Timestamp};
use payment::adapters::test_provider::TestProvider;
use payment::domain::{Answer, OrderId, Payment, PaymentId};
use payment::ports::{Authorization, Delivery, DeliveryError, Method, Provider, Told};
use payment::{CaptureMode, Config, Needs};
use platform::auth::Authenticator;
use platform::env::TestEnv;
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
    faults: Mutex<HashMap<&'static str, Fault>>,
}

impl Flaky {
    /// For the next `authorize`, `capture`, `refund`, `void` or `look_up`.
    pub fn break_next(&self, call: &'static str, fault: Fault) {
        self.faults.lock().unwrap().insert(call, fault);
    }

    async fn through(&self, call: &'static str, work: impl Future<Output = Answer>) -> Answer {
        let fault = self.faults.lock().unwrap().remove(call);
        match fault {
            None => work.await,
            Some(Fault::LoseRequest) => Answer::Unknown,
            Some(Fault::Refuse) => Answer::Refused { code: "not_today".to_owned() },
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
        self.through("authorize", self.inner.authorize(request)).await
    }
    async fn capture(&self, key: &str, reference: &str, amount: Money) -> Answer {
        self.through("capture", self.inner.capture(key, reference, amount)).await
    }
    async fn refund(&self, key: &str, reference: &str, amount: Money) -> Answer {
        self.through("refund", self.inner.refund(key, reference, amount)).await
    }
    async fn void(&self, key: &str, reference: &str) -> Answer {
        self.through("void", self.inner.void(key, reference)).await
    }
    async fn look_up(&self, key: &str) -> Answer {
        self.through("look_up", self.inner.look_up(key)).await
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

impl Shop {
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
        let provider = Arc::new(Flaky { inner, faults: Mutex::default() });
        let built = payment::build_with(needs, provider.clone()).unwrap();
        Self { executor, test, service: built.service, api: built.api, provider, _folder: folder }
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
        let order_id = order.uuid().as_bytes().to_vec();
        let request = v1::VoidRequest { order_id, reason: "timed_out".to_owned() };
        self.api.void(self.context(), request).await.unwrap().done
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
