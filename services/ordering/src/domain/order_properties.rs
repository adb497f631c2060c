//! Any commands and any news of the money, in any order: an order is never in a stage that it cannot
//! be in, and never has given back more than was taken.

use kernel::Timestamp;
use kernel::id::Uuid;
use proptest::prelude::*;

use super::checkout::{RejectReason, Rejection};
use super::ids::PaymentId;
use super::order::{Order, Stage, What};
use super::order_tests::{cart, placed};

#[derive(Clone, Debug)]
enum Step {
    Confirm {
        paid: bool,
    },
    Reject,
    Cancel,
    CancelByBuyer,
    /// Staff take so much of what is left, in hundredths.
    Capture(u8),
    Refund(u8),
    Void,
    /// The event of that number comes once more, or for the first time.
    Hear(prop::sample::Index),
    Erase,
}

/// What payment tells of, with its sums so far.
#[derive(Clone, Copy, Debug)]
enum News {
    Captured { amount: i64, total: i64 },
    Refunded { amount: i64, total: i64 },
    Voided,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<bool>().prop_map(|paid| Step::Confirm { paid }),
        1 => Just(Step::Reject),
        1 => Just(Step::Cancel),
        1 => Just(Step::CancelByBuyer),
        2 => (1..=100_u8).prop_map(Step::Capture),
        2 => (1..=100_u8).prop_map(Step::Refund),
        1 => Just(Step::Void),
        4 => any::<prop::sample::Index>().prop_map(Step::Hear),
        1 => Just(Step::Erase),
    ]
}

/// Payment's own books, and what it has told of them.
#[derive(Default)]
struct Books {
    captured: i64,
    refunded: i64,
    told: Vec<News>,
}

struct Run {
    order: Order,
    books: Books,
    now: Timestamp,
}

impl Run {
    fn new() -> Self {
        let order = placed(&cart(&[1, 2])).unwrap();
        Self { order, books: Books::default(), now: Timestamp::from_micros(2_000_000) }
    }

    fn payment() -> PaymentId {
        PaymentId::from_uuid(Uuid::nil())
    }

    fn apply(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.now = self.now.plus(std::time::Duration::from_secs(1));
        let (before, now) = (self.order.clone(), self.now);
        let stage = before.stage.name();
        let taken = before.payment().is_some_and(|payment| payment.captured_minor > 0);
        let (is_allowed, outcome) = match step {
            Step::Confirm { paid } => {
                let payment = paid.then(Self::payment);
                (stage == "placed", self.order.confirm(1001, payment, now))
            }
            Step::Reject => {
                let rejection = Rejection::of(RejectReason::TimedOut);
                (stage == "placed", self.order.reject(rejection, now))
            }
            Step::Cancel => {
                let outcome = self.order.cancel("wrong size".into(), "staff:1".into(), now);
                (stage == "confirmed", outcome)
            }
            Step::CancelByBuyer => {
                let outcome = self.order.cancel_by_buyer("customer:1".into(), now);
                (stage == "confirmed" && !taken, outcome)
            }
            Step::Capture(_) | Step::Refund(_) | Step::Void | Step::Hear(_) | Step::Erase => {
                self.follow(step);
                prop_assert_eq!(self.order.stage.name(), stage, "news change no stage");
                return Ok(());
            }
        };
        prop_assert_eq!(outcome.is_ok(), is_allowed, "{:?} of a {} order", step, stage);
        if !is_allowed {
            prop_assert_eq!(&self.order, &before, "a refusal changes nothing");
        }
        Ok(())
    }

    fn follow(&mut self, step: &Step) {
        let total = self.order.sums.total_minor;
        match step {
            Step::Capture(part) => {
                let amount = (total - self.books.captured) * i64::from(*part) / 100;
                self.books.captured += amount;
                let total = self.books.captured;
                self.books.told.push(News::Captured { amount, total });
            }
            Step::Refund(part) => {
                let left = self.books.captured - self.books.refunded;
                let amount = left * i64::from(*part) / 100;
                self.books.refunded += amount;
                let total = self.books.refunded;
                self.books.told.push(News::Refunded { amount, total });
            }
            Step::Void => self.books.told.push(News::Voided),
            Step::Hear(which) if !self.books.told.is_empty() => {
                let news = self.books.told[which.index(self.books.told.len())];
                self.hear(news);
            }
            Step::Erase => {
                let _answers = self.order.erase(self.now);
            }
            _ => {}
        }
    }

    fn hear(&mut self, news: News) {
        let now = self.now;
        match news {
            News::Captured { amount, total } => {
                self.order.captured(Self::payment(), amount, total, now);
            }
            // A refund is heard of after what it gives back: the events of a payment are in order.
            News::Refunded { amount, total } => {
                let captured = self.books.captured;
                self.order.captured(Self::payment(), captured, captured, now);
                self.order.refunded(amount, total, now);
            }
            News::Voided => self.order.voided(now),
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let order = &self.order;
        let is_numbered = matches!(order.stage, Stage::Confirmed { .. } | Stage::Cancelled { .. });
        prop_assert_eq!(order.number(), is_numbered.then_some(1001));
        if let Some(payment) = order.payment() {
            prop_assert!(0 <= payment.refunded_minor, "{:?}", payment);
            prop_assert!(payment.refunded_minor <= payment.captured_minor, "{:?}", payment);
            prop_assert!(payment.captured_minor <= payment.authorized_minor, "{:?}", payment);
            prop_assert_eq!(payment.authorized_minor, order.sums.total_minor);
            prop_assert!(payment.captured_minor <= self.books.captured, "nobody took so much");
        }
        prop_assert!(order.timeline.is_sorted_by_key(|happening| happening.at));
        let ends = order
            .timeline
            .iter()
            .filter(|happening| matches!(happening.what, What::Confirmed | What::Rejected(_)));
        prop_assert_eq!(ends.count(), usize::from(order.stage.name() != "placed"), "one end");
        if order.erased.is_some() {
            let person = (&order.email, &order.shipping_address, &order.billing_address);
            prop_assert_eq!(person, (&None, &None, &None), "an erased person is not back");
        }
        let text = serde_json::to_string(order).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Order>(&text).unwrap(), order);
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_sequence_leads_to_a_stage_that_is_none_or_gives_back_more_than_was_taken(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut run = Run::new();
        for step in &steps {
            run.apply(step)?;
            run.check()?;
        }
    }
}
