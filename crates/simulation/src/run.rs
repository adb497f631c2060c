//! One seed from its beginning to the verdict.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use checker::{Look, Place};
use serde_json::json;

use crate::books::Books;
use crate::chance::Chance;
use crate::core::{Core, Node, WORLD};
use crate::fault::{Fault, Weather};
use crate::people::{Ask, Memory, Person};
use crate::plan::{Plan, SERVICES};
use crate::shop::{Disks, Shop};
use crate::trace::Trace;
use crate::{buyer, staff, storm};

/// When everything works again, nothing may move for longer than this. A provider that refused to
/// give money back several times is asked again after a quarter of an hour.
const LONGEST_QUIET: Duration = Duration::from_mins(100);
/// After the last movement was seen.
const STILL: Duration = Duration::from_secs(8);
const LOOK: Duration = Duration::from_secs(1);

/// What came of a seed.
#[derive(Debug)]
pub struct Verdict {
    pub seed: u64,
    /// Of all that happened, in its order.
    pub hash: u64,
    pub events: u64,
    /// What must not be; empty when all is well.
    pub faults_found: Vec<String>,
    pub struck: Vec<(Fault, u64)>,
    pub marks: BTreeMap<&'static str, u64>,
    pub requests: u64,
    pub purchases: u64,
    /// How many things the checker looked at.
    pub looked_at: u64,
    pub lasted: Duration,
    /// When it is replayed.
    pub lines: Vec<String>,
}

/// A shop with staff and goods, before the first buyer comes. The same for every seed.
struct Genesis {
    disks: Disks,
    staff_key: String,
    articles: Vec<String>,
    at: u64,
}

/// Everything of one seed; the same each time.
pub fn run(seed: u64, is_replay: bool) -> Verdict {
    static GENESIS: OnceLock<Genesis> = OnceLock::new();
    let genesis = GENESIS.get_or_init(Genesis::make);
    // What building the first shop reached is no merit of this seed.
    let _ = platform::sometimes::take();
    let mut chance = Chance::from_seed(seed);
    let plan = Plan::drawn(&mut chance);
    let weather = Weather::drawn(&mut chance);
    let mut trace = Trace::new(is_replay);
    trace.tell(genesis.at, || format!("seed {seed}: {plan:?}; likely: {}", weather.forecast()));
    let core = Core::new(chance, weather, Plan::machines(), trace);
    core.state().now = genesis.at;
    let shop = Shop::new(&core, plan, genesis.disks.copy());
    let verdict = Play { shop: shop.clone(), memory: Arc::default(), genesis }.act(seed);
    shop.end();
    verdict
}

struct Play<'a> {
    shop: Arc<Shop>,
    memory: Arc<Mutex<Memory>>,
    genesis: &'a Genesis,
}

impl Play<'_> {
    fn act(&self, seed: u64) -> Verdict {
        let (shop, core) = (&self.shop, &self.shop.core);
        let began = core.now();
        let mut found = Vec::new();
        for (node, service) in &shop.plan.nodes {
            if let Err(error) = shop.start(*node) {
                found.push(format!("{service} does not start: {error}"));
            }
        }
        let person = Person::new(core, &shop.net, &self.memory);
        person.memory().journal.is_all = true;
        let staff = person.with_token(self.genesis.staff_key.clone());
        self.open(&staff);
        self.weather_the_storm(&person, &staff);
        storm::heal(shop);
        if let Some(moving) = self.settle() {
            found.push(format!("not settled after {LONGEST_QUIET:?}: {moving}"));
        }
        let looked_at = self.look(&mut found);
        let mut memory = person.memory();
        found.append(&mut memory.complaints);
        let mut state = core.state();
        let struck = Fault::ALL.iter().zip(state.weather.struck);
        Verdict {
            seed,
            hash: state.trace.hash(),
            events: state.trace.events(),
            faults_found: found,
            struck: struck.map(|(fault, times)| (*fault, times)).collect(),
            marks: platform::sometimes::take(),
            requests: memory.requests,
            purchases: memory.journal.requests.len() as u64,
            looked_at,
            lasted: Duration::from_micros(state.now).saturating_sub(began),
            lines: state.trace.take_lines(),
        }
    }

    fn run_for(&self, duration: Duration, until: impl Fn() -> bool) {
        let core = &self.shop.core;
        core.run(core.now() + duration, until, |node: Node| storm::fell(&self.shop, node));
    }

    /// Everybody is ready and goods lie on the shelves.
    fn open(&self, staff: &Person) {
        let shop = &self.shop;
        let is_ready = || shop.plan.nodes.iter().all(|(node, _)| shop.net.is_open(*node));
        self.run_for(Duration::from_mins(1), is_ready);
        let articles = self.genesis.articles[..shop.plan.articles].to_vec();
        let (staff, units) = (staff.clone(), shop.plan.units);
        self.begin(async move { staff::receive(&staff, &articles, units).await });
        self.run_for(Duration::from_mins(1), || self.is_idle());
    }

    fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        let memory = self.memory.clone();
        let busy = move |by: isize| {
            let mut memory = memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            memory.busy = memory.busy.saturating_add_signed(by);
        };
        busy(1);
        self.shop.core.spawn(WORLD, async move {
            work.await;
            busy(-1);
        });
    }

    fn is_idle(&self) -> bool {
        self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner).busy == 0
    }

    fn weather_the_storm(&self, person: &Person, staff: &Person) {
        let (shop, core) = (&self.shop, &self.shop.core);
        core.state().weather.turn(true);
        let articles = Arc::new(self.genesis.articles[..shop.plan.articles].to_vec());
        for number in 0..shop.plan.buyers {
            self.begin(buyer::buy(person.clone(), articles.clone(), number));
        }
        self.begin(staff::work(staff.clone(), core.draw(|chance| chance.below(4))));
        core.spawn(WORLD, storm::rage(shop.clone()));
        self.run_for(Duration::from_secs(shop.plan.storm_s), || false);
    }

    /// Runs until nothing has moved for a while. What moves still, when it takes too long.
    fn settle(&self) -> Option<String> {
        let (shop, core) = (&self.shop, &self.shop.core);
        let end = core.now() + LONGEST_QUIET;
        let mut still_since = None;
        loop {
            let moving = if self.is_idle() {
                shop.unsettled()
            } else {
                Some("somebody is not through".to_owned())
            };
            let now = core.now();
            match &moving {
                None if now.saturating_sub(*still_since.get_or_insert(now)) >= STILL => {
                    return None;
                }
                None => {}
                Some(_) => still_since = None,
            }
            if now >= end {
                return moving;
            }
            self.run_for(LOOK, || false);
        }
    }

    fn look(&self, found: &mut Vec<String>) -> u64 {
        let books = Books { disks: &self.shop.disks, ledger: self.shop.provider.ledger() };
        let memory = self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let look = Look::of(Place::Memory(&books), Path::new(""));
        let look = Look {
            now: Some(crate::env::wall(&self.shop.core)),
            quiet_after: Duration::ZERO,
            journal: Some(&memory.journal),
            uses: &memory.uses,
            ..look
        };
        let report = match checker::verify(&look) {
            Ok(report) => report,
            Err(error) => {
                found.push(format!("the books cannot be read: {error}"));
                return 0;
            }
        };
        for finding in report.findings.iter().filter(|finding| !finding.holds()) {
            for violation in &finding.violations {
                let (invariant, rule) = (finding.invariant, finding.rule);
                found.push(format!("{invariant:?} ({rule}): {}: {}", violation.id, violation.what));
            }
        }
        report.findings.iter().flat_map(|finding| &finding.looked_at).map(|count| count.count).sum()
    }
}

impl Genesis {
    fn make() -> Self {
        let core =
            Core::new(Chance::from_seed(0), Weather::fair(), Plan::machines(), Trace::default());
        let plan = Plan {
            nodes: SERVICES.to_vec(),
            captures_at_once: false,
            articles: 0,
            buyers: 0,
            units: 0,
            storm_s: 0,
            clock_skew_ms: 0,
        };
        let shop = Shop::new(&core, plan, Disks::default());
        let memory: Arc<Mutex<Memory>> = Arc::default();
        let person = Person::new(&core, &shop.net, &memory);
        for (node, service) in SERVICES {
            let started = shop.start(node);
            assert_eq!(started, Ok(()), "{service} starts");
        }
        let opened: Arc<Mutex<Option<Opened>>> = Arc::default();
        let (told, own) = (opened.clone(), shop.clone());
        core.spawn(WORLD, async move {
            let found = set_up(&own, person).await;
            *told.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(found);
        });
        core.run(Duration::from_mins(2), || false, |_| {});
        let opened = opened.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let (staff_key, articles) = opened.expect("in fair weather, a shop is set up in a minute");
        assert_eq!(shop.unsettled(), None, "a shop without buyers settles");
        let (disks, at) = (shop.disks.copy(), core.state().now);
        shop.end();
        Self { disks, staff_key, articles, at }
    }
}

/// The API key of staff, and the variants that are for sale.
type Opened = (String, Vec<String>);

/// The first member of staff makes an API key, and puts goods up for sale.
async fn set_up(shop: &Shop, person: Person) -> Opened {
    while !SERVICES.iter().all(|(node, _)| shop.net.is_open(*node)) {
        person.core.sleep(LOOK).await;
    }
    let one_time =
        shop.first_password.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let one_time = one_time.expect("identity tells the first password");
    let password = "seven quiet herons by the weir";
    let login = async |person: &Person, password: &str| {
        let body = json!({ "email": "admin@mercat.local", "password": password });
        let reply = person.ask(Ask::post("/v1/auth/staff/login", &body)).await;
        person.with_token(reply.expect("an answer").text("/access_token"))
    };
    let first = login(&person, &one_time).await;
    let change = json!({ "current_password": one_time, "new_password": password });
    first.ask(Ask::post("/v1/auth/password", &change)).await;
    let staff = login(&person, password).await;
    let body = json!({ "name": "simulation", "permissions": ["*"] });
    let key = staff.ask(Ask::post("/v1/admin/api-keys", &body)).await;
    let key = key.expect("an answer").text("/key");
    let staff = person.with_token(key.clone());
    let mut articles = Vec::new();
    for (number, price) in [1999, 500, 12_345, 1].into_iter().enumerate() {
        let body = json!({
            "handle": format!("thing-{number}"),
            "status": "published",
            "title": { "en": format!("Thing {number}") },
            "variants": [{
                "sku": format!("THING-{number}"),
                "prices": [{ "price": { "amount": price, "currency": "EUR" } }],
                "requires_shipping": false,
            }],
        });
        let made = staff.ask(Ask::post("/v1/admin/products", &body)).await.expect("an answer");
        let variant = made.text("/variants/0/id");
        let policy = json!({ "tracked": true, "backorder": false, "low_stock_threshold": 0 });
        let path = format!("/v1/admin/inventory/policies/{variant}");
        staff.ask(Ask::put(&path, &policy)).await.expect("an answer");
        articles.push(variant);
    }
    (key, articles)
}
