//! Whatever is asked and answered, in whatever order: money stays in its bounds and balances.

use std::time::Duration;

use kernel::{Currency, Money, Timestamp};
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Capture(Option<i64>),
    Refund(Option<i64>),
    Void,
    Cancel,
    /// The answer to the n-th outstanding errand.
    Answer(usize, Answer),
    /// A settled errand is answered once more, differently.
    Echo(Answer),
    Hurry,
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        5 => Just(Answer::Done { reference: "ch_1".into() }),
        1 => Just(Answer::Refused { code: "no".into() }),
        1 => Just(Answer::Processing),
        1 => Just(Answer::NeverSeen),
        1 => Just(Answer::Unknown),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || prop::option::of(-5_i64..1500);
    prop_oneof![
        3 => amount().prop_map(Step::Capture),
        3 => amount().prop_map(Step::Refund),
        1 => Just(Step::Void),
        1 => Just(Step::Cancel),
        8 => (0_usize..4, answer()).prop_map(|(n, answer)| Step::Answer(n, answer)),
        1 => answer().prop_map(Step::Echo),
        1 => Just(Step::Hurry),
    ]
}

fn wish(amount: Option<i64>, now: Timestamp) -> Wish {
    Wish {
        amount: amount.map(|amount| Money::new(amount, Currency::EUR)),
        reason: None,
        by: "staff:test".into(),
        request: None,
        attempt: Attempt::asking(now, Duration::from_secs(5)),
    }
}

fn fresh(amount: i64, now: Timestamp) -> Payment {
    let new = NewPayment {
        order_id: OrderId::from_uuid(kernel::id::Uuid::from_u128(7)),
        amount: Money::new(amount, Currency::EUR),
        token: "tok_approved".parse().ok(),
        provider: "test".into(),
    };
    new.begin(Duration::from_secs(5), now).unwrap().0
}

struct Run {
    payment: Payment,
    ledger: Vec<LedgerEntry>,
    last_asked: Option<Errand>,
    next_id: u128,
    now: Timestamp,
}

impl Run {
    fn new() -> Self {
        let now = Timestamp::from_micros(1_000_000);
        Self { payment: fresh(1000, now), ledger: Vec::new(), last_asked: None, next_id: 1, now }
    }

    fn id<T: kernel::id::TypedId>(&mut self) -> T {
        self.next_id += 1;
        T::from_uuid(kernel::id::Uuid::from_u128(self.next_id))
    }

    fn apply(&mut self, step: Step) {
        self.now = self.now.plus(Duration::from_secs(1));
        let now = self.now;
        let facts = match step {
            Step::Capture(amount) => {
                let id = self.id();
                let _ = self.payment.request_capture(id, wish(amount, now), now);
                Vec::new()
            }
            Step::Refund(amount) => {
                let id = self.id();
                let _ = self.payment.request_refund(id, wish(amount, now), now);
                Vec::new()
            }
            Step::Void => {
                let _ = self.payment.request_void(wish(None, now), now);
                Vec::new()
            }
            Step::Cancel => self.payment.cancel("test", now),
            Step::Answer(n, answer) => {
                let errands = self.payment.errands(None);
                let Some(errand) = errands.get(n % errands.len().max(1)) else {
                    return;
                };
                self.last_asked = Some(errand.clone());
                self.payment.settle(&errand.work, &answer, now)
            }
            Step::Echo(answer) => {
                let Some(Errand { work, key, .. }) = self.last_asked.clone() else {
                    return;
                };
                let settled = !self.payment.errands(None).iter().any(|e| e.key == key);
                let before = self.payment.amounts();
                let facts = self.payment.settle(&work, &answer, now);
                if settled {
                    assert!(facts.is_empty(), "{work:?} told twice");
                    assert_eq!(self.payment.amounts(), before);
                }
                facts
            }
            Step::Hurry => {
                self.payment.hurry(now);
                Vec::new()
            }
        };
        let id = self.payment.id;
        self.ledger.extend(facts.iter().filter_map(|fact| LedgerEntry::of(id, fact, now)));
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let (authorized, captured, refunded) = self.payment.amounts();
        prop_assert!(0 <= refunded && refunded <= captured && captured <= authorized);
        for entry in &self.ledger {
            prop_assert_eq!(entry.balance(), Ok(0));
        }
        let clearing: i64 = self
            .ledger
            .iter()
            .flat_map(|entry| &entry.postings)
            .filter(|posting| posting.account == ledger::Account::ProviderClearing)
            .map(|posting| posting.amount.amount_minor())
            .sum();
        prop_assert_eq!(clearing, captured - refunded);
        let ids: std::collections::BTreeSet<_> = self.ledger.iter().map(LedgerEntry::id).collect();
        prop_assert_eq!(ids.len(), self.ledger.len());
        prop_assert_eq!(
            self.payment.next_check_at().is_some(),
            !self.payment.errands(None).is_empty()
        );
        let stored = serde_json::to_string(&self.payment).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Payment>(&stored).unwrap(), &self.payment);
        Ok(())
    }
}

impl Payment {
    fn amounts(&self) -> (i64, i64, i64) {
        self.charge().map_or((0, 0, 0), |charge| {
            (
                charge.authorized.amount_minor(),
                charge.captured().amount_minor(),
                charge.refunded().amount_minor(),
            )
        })
    }
}

proptest! {
    #[test]
    fn money_stays_in_its_bounds_and_balances(steps in prop::collection::vec(step(), 1..60)) {
        let mut run = Run::new();
        for step in steps {
            run.apply(step);
            run.check()?;
        }
    }

    #[test]
    fn a_cancelled_payment_ends_holding_nothing(
        steps in prop::collection::vec(step(), 0..30),
        refusals in 0_usize..5,
    ) {
        let mut run = Run::new();
        for step in steps {
            run.apply(step);
        }
        run.apply(Step::Cancel);
        for _ in 0..refusals {
            run.apply(Step::Answer(0, Answer::Refused { code: "no".into() }));
        }
        for _ in 0..200 {
            run.apply(Step::Answer(0, Answer::Done { reference: "ch_1".into() }));
        }
        run.check()?;
        prop_assert!(run.payment.errands(None).is_empty());
        prop_assert!(run.payment.is_unwound(), "{:?}", run.payment);
        prop_assert_eq!(run.payment.attention_since(), None);
    }
}

#[test]
fn a_cancel_before_the_try_leaves_a_mark_that_refuses_it() {
    let now = Timestamp::EPOCH;
    let order = OrderId::from_uuid(kernel::id::Uuid::from_u128(7));
    let (payment, facts) = Payment::mark(order, "test", "timed_out", now);
    assert_eq!(facts, [Fact::Voided]);
    let begun = payment.begin_again(Money::new(5, Currency::EUR)).unwrap();
    assert_eq!(begun, Begun::Known(Outcome::Voided));
    assert!(payment.is_unwound());
}

#[test]
fn a_cancel_while_in_doubt_asks_the_provider_for_no_charge() {
    let now = Timestamp::EPOCH;
    let mut payment = fresh(1000, now);
    payment.settle_authorization(&Answer::Unknown, now);
    payment.cancel("timed_out", now);
    let errands = payment.errands(Some(now));
    assert_eq!(errands.len(), 1);
    assert_eq!(errands[0].work, Work::FindOut);
    assert!(errands[0].asked_before);
    assert_eq!(payment.settle(&Work::FindOut, &Answer::NeverSeen, now), [Fact::Voided]);
    assert_eq!(payment.errands(Some(now)), []);
    let later = now.plus(Duration::from_secs(61));
    assert_eq!(payment.errands(Some(later))[0].work, Work::LateCharge);
}

/// What is held by an authorized payment of 1000, 600 of it captured.
fn half_captured(now: Timestamp) -> Payment {
    let mut payment = fresh(1000, now);
    let done = Answer::Done { reference: "ch_1".into() };
    payment.settle_authorization(&done, now);
    let capture = CaptureId::from_uuid(kernel::id::Uuid::from_u128(1));
    payment.request_capture(capture, wish(Some(600), now), now).unwrap();
    payment.settle_capture(capture, &done, now);
    payment
}

#[test]
fn what_a_cancelled_order_holds_is_asked_for_under_new_keys_until_it_is_back() {
    let mut now = Timestamp::from_micros(1_000_000);
    let began = now;
    let mut payment = half_captured(now);
    payment.cancel("staff", now);
    assert_eq!((payment.undoing(), payment.attention_since()), (Undoing::Pending, None));
    let mut keys = std::collections::BTreeSet::new();
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let errands = payment.errands(Some(now));
        assert_eq!(errands.len(), 2, "the void of 400 and the refund of 600");
        for errand in errands {
            assert!(keys.insert(errand.key.clone()), "{} was refused before", errand.key);
            let refused = Answer::Refused { code: "not_today".into() };
            assert!(payment.settle(&errand.work, &refused, now).is_empty());
            assert!(payment.settle(&errand.work, &refused, now).is_empty(), "told twice");
        }
        assert_eq!((payment.undoing(), payment.attention_since()), (Undoing::Refused, Some(began)));
        assert!(payment.errands(Some(now)).is_empty(), "not at once");
        let next = payment.next_check_at().unwrap();
        pauses.push(next.since(now));
        now = next;
    }
    assert!(pauses.is_sorted());
    assert_eq!(pauses.last(), Some(&attempt::LONGEST_PAUSE_AFTER_REFUSAL));
    assert!(payment.timeline.len() < 12, "each refusal is told: {:?}", payment.timeline);
    for errand in payment.errands(Some(now)) {
        payment.settle(&errand.work, &Answer::Done { reference: "ok".into() }, now);
    }
    assert_eq!((payment.undoing(), payment.attention_since()), (Undoing::Done, None));
    assert_eq!(payment.status(), Status::Refunded);
}

#[test]
fn an_answer_of_an_earlier_round_does_not_settle_the_present_one() {
    let now = Timestamp::from_micros(1_000_000);
    let mut payment = half_captured(now);
    payment.cancel("staff", now);
    let first = payment.errands(Some(now));
    for errand in &first {
        payment.settle(&errand.work, &Answer::Refused { code: "no".into() }, now);
    }
    let before = payment.clone();
    for errand in &first {
        for answer in [
            Answer::Done { reference: "late".into() },
            Answer::Refused { code: "no".into() },
            Answer::Unknown,
        ] {
            assert!(payment.settle(&errand.work, &answer, now).is_empty());
        }
    }
    assert_eq!(payment, before);
}

#[test]
fn a_refused_refund_of_staff_is_asked_for_by_us_once_the_order_is_off() {
    let now = Timestamp::from_micros(1_000_000);
    let refused = Answer::Refused { code: "no".into() };
    let mut payment = half_captured(now);
    let refund = RefundId::from_uuid(kernel::id::Uuid::from_u128(9));
    payment.request_refund(refund, wish(Some(600), now), now).unwrap();
    payment.cancel("staff", now);
    payment.settle_refund(refund, 0, &refused, now);
    let ours = payment.errands(Some(now)).into_iter();
    let ours: Vec<_> = ours.filter(|errand| matches!(errand.work, Work::Refund { .. })).collect();
    assert_eq!(ours.len(), 1);
    assert!(matches!(&ours[0].work, Work::Refund { id, amount, .. }
        if *id != refund && amount.amount_minor() == 600));

    // The other way round: refused first, cancelled then.
    let mut payment = half_captured(now);
    payment.request_refund(refund, wish(Some(600), now), now).unwrap();
    payment.settle_refund(refund, 0, &refused, now);
    assert!(payment.errands(None).is_empty(), "staff were told, and may ask anew");
    payment.cancel("staff", now);
    assert_eq!(payment.errands(Some(now)).len(), 2);
}

#[test]
fn a_late_charge_whose_void_is_refused_stays_in_sight_until_it_is_back() {
    let mut now = Timestamp::from_micros(1_000_000);
    let mut payment = fresh(1000, now);
    payment.settle_authorization(&Answer::Unknown, now);
    payment.cancel("timed_out", now);
    assert_eq!(payment.settle(&Work::FindOut, &Answer::NeverSeen, now), [Fact::Voided]);
    now = payment.next_check_at().unwrap();
    let found = Answer::Done { reference: "ch_1".into() };
    assert!(payment.settle(&Work::LateCharge, &found, now).is_empty());
    assert_eq!(payment.status(), Status::Authorized, "money is held after all");
    let void = payment.errands(Some(now)).remove(0).work;
    payment.settle(&void, &Answer::Refused { code: "no".into() }, now);
    assert_eq!((payment.undoing(), payment.attention_since()), (Undoing::Refused, Some(now)));
    now = payment.next_check_at().unwrap();
    let void = payment.errands(Some(now)).remove(0).work;
    assert!(payment.settle(&void, &found, now).is_empty(), "the void was told before");
    assert_eq!((payment.status(), payment.undoing()), (Status::Voided, Undoing::Done));
    assert_eq!(payment.timeline.last().map(|entry| entry.what), Some(Moment::LateChargeVoided));
}

#[test]
fn staff_may_ask_anew_for_a_void_that_was_refused() {
    let now = Timestamp::from_micros(1_000_000);
    let mut payment = half_captured(now);
    assert!(payment.request_void(wish(None, now), now).unwrap());
    let first = payment.first_void().unwrap();
    payment.settle(&first.work, &Answer::Refused { code: "no".into() }, now);
    assert!(payment.errands(None).is_empty());
    assert!(payment.request_void(wish(None, now), now).unwrap());
    let second = payment.first_void().unwrap();
    assert_ne!(first.key, second.key);
    payment.settle(&second.work, &Answer::Done { reference: "vd_1".into() }, now);
    assert!(payment.charge().unwrap().is_released());
}

#[test]
fn an_authorization_that_comes_after_the_cancel_is_voided() {
    let now = Timestamp::EPOCH;
    let mut payment = fresh(1000, now);
    payment.cancel("timed_out", now);
    let done = Answer::Done { reference: "ch_1".into() };
    payment.settle_authorization(&done, now);
    assert_eq!(payment.outcome(), Outcome::Voided);
    let errands = payment.errands(Some(now));
    assert!(matches!(errands[0].work, Work::Void { .. }));
    assert_eq!(payment.settle(&errands[0].work, &done, now), [Fact::Voided]);
    assert_eq!(payment.status(), Status::Voided);
}

#[test]
fn an_order_that_costs_nothing_needs_no_provider() {
    let now = Timestamp::EPOCH;
    let new = NewPayment {
        order_id: OrderId::from_uuid(kernel::id::Uuid::from_u128(7)),
        amount: Money::zero(Currency::EUR),
        token: None,
        provider: "test".into(),
    };
    let (mut payment, begun, _) = new.begin(Duration::from_secs(5), now).unwrap();
    assert_eq!(begun, Begun::Known(Outcome::Authorized));
    assert!(payment.errands(None).is_empty());
    assert_eq!(payment.cancel("changed my mind", now), [Fact::Voided]);
}

#[test]
fn more_than_is_left_is_refused() {
    let now = Timestamp::EPOCH;
    let mut payment = fresh(1000, now);
    let done = Answer::Done { reference: "ch_1".into() };
    payment.settle_authorization(&done, now);
    let capture = CaptureId::from_uuid(kernel::id::Uuid::from_u128(1));
    payment.request_capture(capture, wish(Some(600), now), now).unwrap();
    let other = CaptureId::from_uuid(kernel::id::Uuid::from_u128(2));
    assert!(matches!(
        payment.request_capture(other, wish(Some(401), now), now),
        Err(Rejection::CaptureTooLarge { .. })
    ));
    payment.settle_capture(capture, &done, now);
    let refund = RefundId::from_uuid(kernel::id::Uuid::from_u128(1));
    assert!(matches!(
        payment.request_refund(refund, wish(Some(601), now), now),
        Err(Rejection::RefundTooLarge { .. })
    ));
    assert_eq!(payment.request_refund(refund, wish(None, now), now).unwrap().amount_minor(), 600);
}
