//! A payment provider, somewhere else: it acts once per key, and it loses requests, loses answers,
//! takes its time, decides later, refuses to give back, and notifies never or often.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Currency, Money, Timestamp};
use payment::adapters::standard_webhooks::Secret;
use payment::adapters::test_provider::books::{Books, Line, Operation, Verdict};
use payment::adapters::test_provider::{Pace, TestProvider};
use payment::domain::Answer;
use payment::ports::{Authorization, Delivery, DeliveryError, Method, Provider, Told};
use platform::Env;

use crate::core::{Core, WORLD};
use crate::env::env_of;
use crate::fault::Fault;
use crate::net::Net;

const SLOW: Duration = Duration::from_secs(9);
const USUAL: Duration = Duration::from_millis(20);
/// Longer than anybody waits.
const HANG: Duration = Duration::from_mins(10);
const UNDECIDED: Duration = Duration::from_secs(20);

pub struct SimProvider {
    core: Core,
    env: Env,
    net: Net,
    /// Signs and reads notifications, and does nothing else.
    voice: TestProvider,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    books: Books,
    lines: Vec<Line>,
}

impl SimProvider {
    pub fn new(core: &Core, net: &Net) -> Arc<Self> {
        let env = env_of(core, WORLD);
        let pace =
            Pace { latency: Duration::ZERO, hang: Duration::ZERO, needs_time: Duration::ZERO };
        let voice = TestProvider::new(env.clone(), pace, Secret::from_bytes(vec![7; 32]));
        Arc::new(Self { core: core.clone(), env, net: net.clone(), voice, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its ledger: a line of JSON for each thing that it did.
    pub fn ledger(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for line in &self.state().lines {
            text.extend(serde_json::to_vec(line).unwrap_or_default());
            text.push(b'\n');
        }
        text
    }

    /// The way there. `false`: the request never came.
    async fn reach(&self) -> bool {
        let is_slow = self.core.strikes(Fault::ProviderSlow);
        let pause = self.core.draw(|chance| chance.pause(if is_slow { SLOW } else { USUAL }));
        self.core.sleep(pause).await;
        !self.core.strikes(Fault::ProviderLost)
    }

    /// The way back.
    async fn answer(&self, answer: Answer) -> Answer {
        if self.core.strikes(Fault::ProviderUnknown) {
            return self.silence().await;
        }
        let pause = self.core.draw(|chance| chance.pause(USUAL));
        self.core.sleep(pause).await;
        answer
    }

    async fn silence(&self) -> Answer {
        if self.core.strikes(Fault::Hang) {
            self.core.sleep(HANG).await;
        }
        Answer::Unknown
    }

    fn enter(&self, line: Line, charge_key: Option<&str>) -> Answer {
        let mut state = self.state();
        state.books.apply(&line);
        let answer = state.books.answer(&line.key, self.env.now()).unwrap_or(Answer::Unknown);
        self.core
            .tell(|| format!("provider: {:?} {} {:?}", line.operation, line.key, line.verdict));
        state.lines.push(line.clone());
        drop(state);
        if let Some(charge_key) = charge_key {
            self.notify(&line, charge_key);
        }
        answer
    }

    fn notify(&self, line: &Line, charge_key: &str) {
        let kind = match (&line.verdict, line.operation) {
            (Verdict::Refused(_), Operation::Authorize) => "charge.declined",
            (Verdict::Refused(_) | Verdict::Lost, _) => return,
            (_, Operation::Authorize) => "charge.authorized",
            (_, Operation::Capture) => "charge.captured",
            (_, Operation::Refund) => "charge.refunded",
            (_, Operation::Void) => "charge.voided",
        };
        if self.core.strikes(Fault::NotifiesNever) {
            return;
        }
        let decided = match line.verdict {
            Verdict::From(time) => time.since(line.at),
            _ => Duration::ZERO,
        };
        let times = if self.core.strikes(Fault::NotifiesOften) { 5 } else { 1 };
        for _ in 0..times {
            let pause = decided + self.core.draw(|chance| chance.pause(SLOW));
            let (net, core) = (self.net.clone(), self.core.clone());
            let delivery = self.voice.notification(kind, charge_key, &line.key);
            self.core.spawn(WORLD, async move {
                core.sleep(pause).await;
                deliver(&net, delivery).await;
            });
        }
    }

    fn act(
        &self,
        operation: Operation,
        key: &str,
        reference: &str,
        amount: Option<Money>,
    ) -> Answer {
        let now = self.env.now();
        let state = self.state();
        if let Some(answer) = state.books.answer(key, now) {
            return answer;
        }
        let mut verdict = state.books.judge(operation, reference, amount, now);
        let charge = state.books.charge_named(reference).cloned();
        drop(state);
        if operation == Operation::Void
            && verdict == Verdict::Done
            && self.core.strikes(Fault::ProviderRefusesVoid)
        {
            verdict = Verdict::Refused("try_later".to_owned());
        }
        let currency = charge.as_ref().map_or(Currency::EUR, |charge| charge.currency);
        let line = Line {
            at: now,
            operation,
            key: key.to_owned(),
            charge: Some(reference.to_owned()),
            order: None,
            amount_minor: amount.map_or(0, Money::amount_minor),
            currency: amount.map_or(currency, Money::currency),
            verdict,
        };
        self.enter(line, charge.as_ref().map(|charge| &*charge.key))
    }

    fn charge(&self, request: &Authorization<'_>) -> Answer {
        let now = self.env.now();
        if let Some(answer) = self.state().books.answer(request.key, now) {
            return answer;
        }
        let verdict = if request.token.as_str() == "tok_declined" {
            Verdict::Refused("card_declined".to_owned())
        } else if self.core.strikes(Fault::ProviderUndecided) {
            Verdict::From(now.plus(self.core.draw(|chance| chance.pause(UNDECIDED))))
        } else {
            Verdict::Done
        };
        let line = Line {
            at: now,
            operation: Operation::Authorize,
            key: request.key.to_owned(),
            charge: None,
            order: Some(request.order_id.to_string()),
            amount_minor: request.amount.amount_minor(),
            currency: request.amount.currency(),
            verdict,
        };
        self.enter(line, Some(request.key))
    }
}

/// Through the front door, as anybody else.
async fn deliver(net: &Net, delivery: Delivery) {
    let mut request = http::Request::post("/v1/payments/notifications/test")
        .header("content-type", "application/json");
    for (name, value) in delivery.headers {
        request = request.header(name, value);
    }
    let Ok(request) = request.body(axum::body::Body::from(delivery.body)) else { return };
    // What is lost is lost: a provider that gives up early is the worse case.
    let _ = net.request("gateway", request).await;
}

#[async_trait]
impl Provider for SimProvider {
    fn name(&self) -> &'static str {
        "test"
    }

    fn methods(&self) -> Vec<Method> {
        Vec::new()
    }

    async fn authorize(&self, request: Authorization<'_>) -> Answer {
        if !self.reach().await {
            return self.silence().await;
        }
        let answer = self.charge(&request);
        self.answer(answer).await
    }

    async fn capture(&self, key: &str, reference: &str, amount: Money) -> Answer {
        if !self.reach().await {
            return self.silence().await;
        }
        let answer = self.act(Operation::Capture, key, reference, Some(amount));
        self.answer(answer).await
    }

    async fn refund(&self, key: &str, reference: &str, amount: Money) -> Answer {
        if !self.reach().await {
            return self.silence().await;
        }
        let answer = self.act(Operation::Refund, key, reference, Some(amount));
        self.answer(answer).await
    }

    async fn void(&self, key: &str, reference: &str) -> Answer {
        if !self.reach().await {
            return self.silence().await;
        }
        let answer = self.act(Operation::Void, key, reference, None);
        self.answer(answer).await
    }

    async fn look_up(&self, key: &str) -> Answer {
        if !self.reach().await {
            return self.silence().await;
        }
        let answer = self.state().books.answer(key, self.env.now());
        self.answer(answer.unwrap_or(Answer::NeverSeen)).await
    }

    fn read_notification(
        &self,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Told, DeliveryError> {
        self.voice.read_notification(delivery, now)
    }
}
