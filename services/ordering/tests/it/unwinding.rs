//! The checkout saga on the memory store, with its real driver: each step fails in each way, each
//! action and each undoing comes twice, each answer is lost, late or doubled. Then it is known which
//! step failed, and the slate is clean.

use std::collections::BTreeSet;

use ordering::domain::checkout::Step;
use serde_json::{Value, json};

use crate::script::{Fault, Script, Strike};
use crate::shop::{Opened, Shop, until, uuid_of};

/// A checkout that takes a known way.
struct Scenario {
    name: &'static str,
    token: &'static str,
    quantity: u32,
    /// What goes wrong in any case, so that it takes this way.
    given: &'static [Strike],
    /// Each step that it takes, once.
    steps: &'static [&'static str],
    /// Status, and the reason of a rejection.
    end: (&'static str, &'static str),
}

const UNRESOLVED: Strike = Strike { step: "authorize", fault: Fault::LostUntilLapsed, times: 1 };

const SCENARIOS: [Scenario; 4] = [
    Scenario {
        name: "paid",
        token: "tok_ok",
        quantity: 2,
        given: &[],
        steps: &["place", "reserve", "authorize", "confirm"],
        end: ("confirmed", ""),
    },
    Scenario {
        name: "declined",
        token: "tok_declined",
        quantity: 2,
        given: &[],
        steps: &["place", "reserve", "authorize", "unwind", "release", "reject"],
        end: ("rejected", "payment_declined"),
    },
    Scenario {
        name: "unresolved",
        token: "tok_ok",
        quantity: 2,
        given: &[UNRESOLVED],
        steps: &["place", "reserve", "authorize", "unwind", "void", "release", "reject"],
        end: ("rejected", "payment_unresolved"),
    },
    Scenario {
        name: "sold out",
        token: "tok_ok",
        quantity: 1001,
        given: &[],
        steps: &["place", "reserve", "reject"],
        end: ("rejected", "out_of_stock"),
    },
];

/// How it ends when the goods lapse meanwhile; after it is decided, that changes nothing any more.
const LAPSED: [(&str, &str); 2] = [("rejected", "timed_out"), ("rejected", "payment_unresolved")];

/// The steps of the saga as the code has them: what its enum says that it may be.
fn steps_in_the_code() -> BTreeSet<String> {
    let refused = serde_json::from_value::<Step>(json!("no such step")).unwrap_err().to_string();
    let (_, expected) = refused.split_once("expected one of").unwrap();
    let names = expected.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

#[test]
fn no_step_of_the_saga_is_without_a_scenario() {
    // A saga that has ended takes no step.
    let ends = ["confirmed", "rejected"].map(str::to_owned);
    let steps: BTreeSet<String> = steps_in_the_code().into_iter().collect();
    let driven: BTreeSet<String> =
        SCENARIOS.iter().flat_map(|scenario| scenario.steps).map(|step| (*step).into()).collect();
    let mut expected: BTreeSet<String> = steps.difference(&ends.into()).cloned().collect();
    assert!(expected.len() >= 7, "where have the steps gone? {expected:?}");
    // It begins with a commit that makes it.
    expected.insert("place".to_owned());
    assert_eq!(driven, expected);
}

#[tokio::test]
async fn each_scenario_takes_its_steps_once_when_nothing_else_fails() {
    for scenario in &SCENARIOS {
        let run = Run::of(scenario, &[]).await;
        let taken: Vec<_> = run.script.log().into_iter().map(|(step, _)| step).collect();
        assert_eq!(taken, scenario.steps, "{}", scenario.name);
        run.assert_ended(&[scenario.end]);
    }
}

#[tokio::test]
async fn whatever_fails_at_whichever_step_it_is_known_and_the_slate_is_clean() {
    let mut runs = 0;
    for scenario in &SCENARIOS {
        for step in scenario.steps {
            for fault in Fault::ALL {
                if is_of_this_process(step) && fault == Fault::Twice {
                    // A commit does not come twice by itself; lost after it was done, it does.
                    continue;
                }
                if scenario.given.iter().any(|given| given.step == *step) {
                    continue;
                }
                for times in [1, 4] {
                    fails(scenario, Strike { step, fault, times }).await;
                    runs += 1;
                }
            }
        }
    }
    eprintln!("{runs} checkouts with a failed step, over {:?}", steps_in_the_code());
}

/// Is the step a commit, and not a call?
fn is_of_this_process(step: &str) -> bool {
    match step {
        "place" | "confirm" | "unwind" | "reject" => true,
        "reserve" | "authorize" | "void" | "release" => false,
        other => panic!("what is {other}?"),
    }
}

async fn fails(scenario: &Scenario, strike: Strike) {
    let told = format!("{}: {strike:?}", scenario.name);
    let run = Run::of(scenario, std::slice::from_ref(&strike)).await;
    let log = run.script.log();
    let failed: Vec<_> = log
        .iter()
        .filter(|(step, fault)| fault.is_some() && !scenario.given.iter().any(|g| g.step == *step))
        .collect();
    assert!(!failed.is_empty(), "{told}: it was not reached: {log:?}");
    assert!(failed.iter().all(|(step, _)| *step == strike.step), "{told}: another failed: {log:?}");
    if !strike.fault.lapses() {
        // Answered and done, it goes on; failed, the very same step comes again, as often.
        let tries = log.iter().filter(|(step, _)| *step == strike.step).count();
        let expected = match strike.fault {
            Fault::Twice => 1,
            // What was committed is found by whoever looks: a second try finds it done.
            Fault::DoneThenLost if is_of_this_process(strike.step) => 1,
            _ => strike.times as usize + 1,
        };
        assert_eq!(tries, expected, "{told}: {log:?}");
        run.assert_ended(&[scenario.end]);
        return;
    }
    run.assert_ended(&[scenario.end, LAPSED[0], LAPSED[1]]);
    if strike.fault == Fault::LostUntilLapsed && ["reserve", "authorize"].contains(&strike.step) {
        assert_eq!(run.order["status"], "rejected", "{told}: what never came cannot be sold");
    }
}

/// One checkout under a script, at its end.
struct Run {
    shop: Shop,
    script: std::sync::Arc<Script>,
    order: Value,
    quantity: u32,
    told: String,
}

impl Run {
    async fn of(scenario: &Scenario, strikes: &[Strike]) -> Self {
        let (shop, script) = Shop::on_a_bad_way();
        let opened = shop.guest_cart(&[(1, scenario.quantity)]).await;
        let strikes: Vec<Strike> = strikes.iter().chain(scenario.given).cloned().collect();
        script.plan(&strikes);
        let told = format!("{}: {strikes:?}", scenario.name);
        let order = until(&told, async || Self::answered(&opened, scenario.token).await).await;
        let again = opened.complete("key", scenario.token).await.expect(201).body;
        assert_eq!(again, order, "{told}: the answer stays");
        Self { shop, script, order, quantity: scenario.quantity, told }
    }

    /// The buyer asks under the same key until the order has ended.
    async fn answered(opened: &Opened, token: &str) -> Option<Value> {
        let reply = opened.complete("key", token).await;
        match reply.status.as_u16() {
            201 => Some(reply.body),
            // It runs, or the store is away.
            202 | 409 | 503 | 504 => None,
            _ => panic!("{} {}", reply.status, reply.body),
        }
    }

    fn assert_ended(&self, ends: &[(&str, &str)]) {
        let told = format!("{}: {} {:?}", self.told, self.order, self.script.log());
        let status = self.order["status"].as_str().unwrap();
        let reason = self.order["rejection"]["reason"].as_str().unwrap_or_default();
        assert!(ends.contains(&(status, reason)), "{told}");
        let id = uuid_of(&self.order["id"]);
        let facts = self.shop.world.facts();
        assert!(facts.charges.len() <= 1, "charged {} times: {told}", facts.charges.len());
        let (held, paid) = (facts.reserved.keys(), facts.authorized.keys());
        let live: BTreeSet<_> = held.chain(paid).copied().collect();
        drop(facts);
        if status == "confirmed" {
            assert_eq!(live, [id].into(), "{told}");
            assert!(self.shop.world.facts().authorized.contains_key(&id), "not paid: {told}");
            assert_eq!(self.shop.world.stock(1), 1000 - self.quantity, "{told}");
        } else {
            assert_eq!(live, BTreeSet::new(), "goods or money are still held: {told}");
            assert_eq!(self.shop.world.stock(1), 1000, "{told}");
        }
    }
}
