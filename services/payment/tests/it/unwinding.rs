//! Everything that is asked of the provider, failing in each way: each errand is lost, done and not
//! heard of, hangs, is refused, once and again; each event comes twice. Which errand failed is seen
//! by the calls that were broken, and the slate is clean at the end.

use std::collections::BTreeSet;

use contracts::ordering::v1;
use contracts::payment::v1::authorize_reply::Outcome;
use http::Method;
use payment::domain::{OrderId, Payment, PaymentId, Work};
use serde_json::json;
use testkit::sources;

use crate::orders::{envelope, hand};
use crate::shop::{Fault, Shop, automatic, hasty};

/// What an order must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Held,
    Captured,
    PartlyRefunded,
    /// Nothing is held or taken any more.
    Nothing,
}

/// A way through the life of a payment on which an errand is run.
struct Way {
    /// As the code names it.
    errand: &'static str,
    /// The call at the provider that it makes.
    call: &'static str,
    is_automatic: bool,
    life: &'static [Act],
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Authorize,
    /// The provider has charged, and did not say so.
    AuthorizeUnheard,
    /// The provider was not reached, which nobody knows.
    AuthorizeLost,
    /// Until the payment is given up, and only watched.
    Watch,
    /// From here on the calls of the way are broken.
    Break,
    Confirm,
    Cancel,
    Capture,
    Refund,
}

const WAYS: [Way; 8] = [
    Way {
        errand: "Authorize",
        call: "authorize",
        is_automatic: false,
        life: &[Act::Break, Act::Authorize, Act::Confirm],
        end: End::Held,
    },
    Way {
        errand: "FindOut",
        call: "look_up",
        is_automatic: false,
        life: &[Act::AuthorizeUnheard, Act::Break, Act::Cancel],
        end: End::Nothing,
    },
    Way {
        errand: "LateCharge",
        call: "look_up",
        is_automatic: false,
        life: &[Act::AuthorizeLost, Act::Cancel, Act::Watch, Act::Break],
        end: End::Nothing,
    },
    Way {
        errand: "Capture",
        call: "capture",
        is_automatic: false,
        life: &[Act::Authorize, Act::Confirm, Act::Break, Act::Capture],
        end: End::Captured,
    },
    Way {
        errand: "Capture",
        call: "capture",
        is_automatic: true,
        life: &[Act::Authorize, Act::Break, Act::Confirm],
        end: End::Captured,
    },
    Way {
        errand: "Refund",
        call: "refund",
        is_automatic: true,
        life: &[Act::Authorize, Act::Confirm, Act::Capture, Act::Break, Act::Refund],
        end: End::PartlyRefunded,
    },
    Way {
        errand: "Refund",
        call: "refund",
        is_automatic: true,
        life: &[Act::Authorize, Act::Confirm, Act::Break, Act::Cancel],
        end: End::Nothing,
    },
    Way {
        errand: "Void",
        call: "void",
        is_automatic: false,
        life: &[Act::Authorize, Act::Confirm, Act::Break, Act::Cancel],
        end: End::Nothing,
    },
];

#[test]
fn no_errand_of_a_payment_is_without_a_way() {
    let path = "services/payment/src/domain/due.rs";
    let text = std::fs::read_to_string(sources::workspace().join(path)).unwrap();
    let driven: BTreeSet<String> = WAYS.iter().map(|way| way.errand.to_owned()).collect();
    assert_eq!(driven, sources::variants_of(&text, "Work"));
}

#[tokio::test]
async fn whichever_errand_fails_in_whichever_way_the_slate_is_clean() {
    let mut runs = 0;
    for way in &WAYS {
        for fault in [Fault::LoseRequest, Fault::LoseAnswer, Fault::Hang, Fault::Refuse] {
            if matches!(fault, Fault::Refuse) && way.call == "look_up" {
                // Whoever is asked what it did says so, or nothing.
                continue;
            }
            for times in [1, 3] {
                run(way, fault, times).await;
                runs += 1;
            }
        }
    }
    eprintln!("{runs} payments with a failed errand");
}

async fn run(way: &Way, fault: Fault, times: usize) {
    let told = format!("{} {:?}: {fault:?} {times} times", way.errand, way.life);
    let shop = Shop::in_memory(if way.is_automatic { automatic() } else { hasty() });
    let order = shop.new_order();
    let mut version = 0;
    for act in way.life {
        match act {
            Act::Break => shop.provider.break_times(way.call, fault, times),
            Act::Authorize => drop(shop.try_authorize(order, 1000, "tok_approved").await),
            Act::AuthorizeUnheard => unheard(&shop, order, Fault::LoseAnswer).await,
            Act::AuthorizeLost => unheard(&shop, order, Fault::LoseRequest).await,
            Act::Watch => watched(&shop, order).await,
            Act::Confirm | Act::Cancel => {
                version += 1;
                ended(&shop, order, version, *act).await;
            }
            Act::Capture | Act::Refund => asked_by_staff(&shop, order, *act).await,
        }
        if *act == Act::Confirm && way.life.last() != Some(act) {
            shop.settle(order).await;
        }
    }
    let payment = shop.settle(order).await;
    assert!(shop.provider.unbroken(way.call) < times, "{told}: no {} failed", way.call);
    assert_clean(&shop, &payment, way, fault, &told);
    books_agree(&shop, &payment, &told).await;
}

async fn unheard(shop: &Shop, order: OrderId, fault: Fault) {
    shop.provider.break_next("authorize", fault);
    assert_eq!(shop.authorize(order, 1000, "tok_approved").await, Outcome::Unknown);
}

async fn watched(shop: &Shop, order: OrderId) {
    let is_watched = |payment: &Payment| {
        payment.errands(None).iter().any(|errand| matches!(errand.work, Work::LateCharge))
    };
    for _ in 0..100_000 {
        let payment = shop.payment(order).await;
        if is_watched(&payment) {
            return;
        }
        let next = payment.next_check_at().expect("it is not settled");
        shop.test.advance(next.since(shop.test.env.now()));
        shop.reconcile().await;
        tokio::task::yield_now().await;
    }
    panic!("it is never given up: {:?}", shop.payment(order).await);
}

/// An event of ordering's, delivered twice.
async fn ended(shop: &Shop, order: OrderId, version: u64, act: Act) {
    let order_id = order.uuid().as_bytes().to_vec();
    let event = if act == Act::Confirm {
        envelope(shop, order, version, &v1::OrderConfirmed { order_id, ..Default::default() })
    } else {
        let reason = "customer changed their mind".to_owned();
        let event = v1::OrderCancelled { order_id, reason, ..Default::default() };
        envelope(shop, order, version, &event)
    };
    for _ in 0..2 {
        hand(shop, &event).await;
    }
}

/// The same request twice.
async fn asked_by_staff(shop: &Shop, order: OrderId, act: Act) {
    let path = format!("/v1/admin/payments/{}", PaymentId::of_order(order));
    let (path, body) = match act {
        Act::Capture => (format!("{path}/captures"), json!({})),
        _ => (
            format!("{path}/refunds"),
            json!({"amount": {"amount": 400, "currency": "EUR"}, "reason": "returned"}),
        ),
    };
    let staff = shop.staff(&["payments:*"]).with("idempotency-key", &path);
    for _ in 0..2 {
        let reply = staff.send(Method::POST, &path, Some(body.clone())).await;
        assert!(reply.status.as_u16() < 500, "{} {}", reply.status, reply.body);
    }
}

fn assert_clean(shop: &Shop, payment: &Payment, way: &Way, fault: Fault, told: &str) {
    let told = format!("{told}: {payment:?}");
    let charge = shop.charge(payment.order_id);
    assert!(payment.errands(None).is_empty(), "something is outstanding: {told}");
    let (held, captured, refunded, voided) = charge.unwrap_or_default();
    let live = if voided { captured } else { held } - refunded;
    let is_refused = matches!(fault, Fault::Refuse);
    match way.end {
        // Refused once, staff or the buyer has to ask again.
        End::Held if is_refused => assert_eq!(charge, None, "{told}"),
        End::Captured if is_refused => assert_eq!(charge, Some((1000, 0, 0, false)), "{told}"),
        End::PartlyRefunded if is_refused => {
            assert_eq!(charge, Some((1000, 1000, 0, false)), "{told}");
        }
        End::Held => assert_eq!(charge, Some((1000, 0, 0, false)), "{told}"),
        End::Captured => assert_eq!(charge, Some((1000, 1000, 0, false)), "{told}"),
        End::PartlyRefunded => assert_eq!(charge, Some((1000, 1000, 400, false)), "{told}"),
        // What is to be given back is asked for until it is back, whatever the provider says.
        End::Nothing => {
            assert_eq!(live, 0, "money is still held: {charge:?} {told}");
            assert!(payment.is_unwound(), "{told}");
        }
    }
}

/// Ours and the provider's; and ours sums to zero.
async fn books_agree(shop: &Shop, payment: &Payment, told: &str) {
    let staff = shop.staff(&["payments:*"]);
    let path = format!("/v1/admin/payments/{}/ledger", payment.id);
    let ledger = staff.get(&path).await.expect(200).body;
    let balances: Vec<i64> = ledger["balances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|balance| balance["amount"]["amount"].as_i64().unwrap())
        .collect();
    assert_eq!(balances.iter().sum::<i64>(), 0, "{told}: {ledger}");
    let (_, captured, refunded, _) = shop.charge(payment.order_id).unwrap_or_default();
    let ours = payment.charge().map(|c| (c.captured().amount_minor(), c.refunded().amount_minor()));
    assert_eq!(ours.unwrap_or_default(), (captured, refunded), "{told}");
    let entries = ledger["entries"].as_array().unwrap().len();
    assert_eq!(entries, usize::from(captured > 0) + usize::from(refunded > 0), "{told}: {ledger}");
}
