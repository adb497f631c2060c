//! What only a client can tell: its journal against the databases.

use std::time::Duration;

use checker::journal::{Journal, Outcome, Request};
use checker::{Invariant, Look};
use platform::Env;
use serde_json::{Value, json};
use testkit::checkout::Cart;
use testkit::shelf::stock_article;
use testkit::{Shop, Start, Topology};

fn request(cart: &str, key: &str, outcome: Outcome) -> Request {
    Request { cart: cart.to_owned(), key: key.to_owned(), body_hash: "a".to_owned(), outcome }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clients_journal_tells_what_is_lost_doubled_or_was_never_asked_for() {
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded);
    let shop = Shop::start(start).await;
    let admin = shop.admin().await;
    let article = stock_article(&admin, 1_500, 9).await;
    let first = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    let second = Cart::open(&shop.client(), &[(&article.variant, 2)]).await;
    let (one, two) = (first.buy().await.view, second.buy().await.view);
    crate::until_healthy(&shop.data()).await;

    let data = shop.data();
    let provider = data.join("test-provider");
    let violated = |requests: Vec<Request>| {
        let journal = Journal { requests, is_all: true };
        let look = Look {
            now: Some(Env::system().now()),
            quiet_after: Duration::ZERO,
            journal: Some(&journal),
            ..Look::at(&data, &provider)
        };
        checker::verify(&look).expect("the databases can be read").violated()
    };
    let told = |view: &Value| Outcome::Ok(view.clone());
    let but = |view: &Value, field: &str, value: Value| {
        let mut changed = view.clone();
        *changed.pointer_mut(field).expect("the order has the field") = value;
        Outcome::Ok(changed)
    };
    let rest = request(&second.id, "two", told(&two));
    let with = |request: Request| vec![request, rest.clone()];

    assert_eq!(violated(with(request(&first.id, "one", told(&one)))), []);
    assert_eq!(violated(with(request(&first.id, "one", Outcome::Unknown))), []);
    let lost = but(&one, "/id", json!("ord_00000000000000000000000001"));
    assert_eq!(violated(with(request(&first.id, "one", lost))), [Invariant::I5]);
    let cheaper = but(&one, "/totals/total/amount", json!(1));
    assert_eq!(violated(with(request(&first.id, "one", cheaper))), [Invariant::I5]);
    let more = but(&one, "/lines/0/quantity", json!(7));
    assert_eq!(violated(with(request(&first.id, "one", more))), [Invariant::I5]);
    let both = vec![request(&first.id, "one", told(&one)), request(&second.id, "one", told(&two))];
    assert_eq!(violated(both), [Invariant::I6], "one key, two orders");
    let other = Request { body_hash: "b".to_owned(), ..rest.clone() };
    let mut bodies = with(request(&first.id, "one", told(&one)));
    bodies.push(other);
    assert_eq!(violated(bodies), [Invariant::I6], "one key, two bodies");
    assert_eq!(violated(with(request(&first.id, "one", Outcome::Fail))), [Invariant::I10]);
    assert_eq!(violated(vec![rest.clone()]), [Invariant::I10], "nobody asked for the first");
}
