//! After a crash: another process finds what was committed, and ends what was begun.

use std::time::Duration;

use serde_json::{Value, json};

use crate::shop::{Shop, cart, in_folder, on_shared_folder, until, uuid_of};
use crate::world::World;

/// Starts a checkout that hangs at payment, and a second process on the same database.
async fn crashed(folder: &std::path::Path) -> (Shop, Shop, crate::shop::Opened) {
    let before = on_shared_folder(folder, World::new());
    let opened = before.guest_cart(&[(1, 1)]).await;
    let hanging = opened.complete("k1", "tok_wait");
    let until_placed = async {
        while opened.read().await.body["status"] != "ordered" {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        reply = hanging => panic!("it cannot have ended: {reply:?}"),
        () = until_placed => {}
    }
    let after = on_shared_folder(folder, before.world.clone());
    (before, after, opened)
}

/// The order that the cart became, once its checkout has ended.
async fn ended(shop: &Shop, opened: &crate::shop::Opened, key: &str) -> Value {
    let client = shop.guest().with("cart-secret", opened.body["secret"].as_str().unwrap());
    let again = crate::shop::Opened { client, id: opened.id.clone(), body: opened.body.clone() };
    again.complete(key, "tok_wait").await.expect(201).body
}

#[tokio::test]
async fn a_checkout_whose_process_died_is_taken_up_by_the_next_and_charged_once() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after, opened) = crashed(folder.path()).await;
    before.world.gate.add_permits(10);
    after.turn("ordering.checkouts").await;
    let order = ended(&after, &opened, "k2").await;
    assert_eq!((&order["status"], &order["number"]), (&json!("confirmed"), &json!(1001)));
    assert_eq!(after.world.facts().charges, [uuid_of(&order["id"])]);
    // The first request's key has its answer, which no living handler gave.
    let client = after.guest().with("cart-secret", opened.body["secret"].as_str().unwrap());
    let first = crate::shop::Opened { client, ..opened };
    assert_eq!(first.complete("k1", "tok_wait").await.expect(201).body, order);
}

#[tokio::test]
async fn a_checkout_found_too_late_is_undone_whatever_its_first_driver_does_then() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after, opened) = crashed(folder.path()).await;
    after.time.advance(Duration::from_secs(700));
    after.turn("ordering.checkouts").await;
    let order = ended(&after, &opened, "k2").await;
    assert_eq!(order["rejection"]["reason"], "timed_out");
    let id = uuid_of(&order["id"]);
    assert_eq!(after.world.stock(1), 1000);
    assert!(after.world.facts().voided.contains(&id));

    // The old driver wakes up, and finds that it was overtaken.
    before.world.gate.add_permits(10);
    let same = ended(&before, &opened, "k3").await;
    assert_ne!(same["id"], order["id"], "the cart was open again, so this is another order");
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    let kept = opened.client.get(&path).await.expect(200).body;
    assert_eq!(kept["status"], "rejected");
    assert!(!before.world.facts().authorized.contains_key(&id));
}

#[tokio::test]
async fn an_overdue_checkout_is_taken_up_while_the_process_lives() {
    let folder = tempfile::tempdir().unwrap();
    let after = on_shared_folder(folder.path(), World::new());
    after.turn("ordering.checkouts").await;
    let (before, _, opened) = crashed(folder.path()).await;
    // Not overdue yet: whoever began it may well be at it.
    after.turn("ordering.checkouts").await;
    after.time.advance(Duration::from_secs(31));
    assert!(before.world.facts().charges.is_empty());
    after.world.gate.add_permits(10);
    after.turn("ordering.checkouts").await;
    let client = after.guest().with("cart-secret", opened.body["secret"].as_str().unwrap());
    let again = crate::shop::Opened { client, ..opened };
    let order = again.complete("k2", "tok_ok").await;
    // The other world's payment knows nothing of this order's goods; it reserves them itself.
    assert_eq!(order.expect(201).body["status"], "confirmed");
}

#[tokio::test]
async fn how_long_the_oldest_checkout_has_been_open_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = on_shared_folder(folder.path(), World::new());
    let age = async |shop: &Shop| {
        ordering::application::watch_checkouts::oldest_checkout(&shop.executor).await.unwrap()
    };
    assert_eq!(age(&quiet).await, Duration::ZERO);
    let (_before, after, _opened) = crashed(folder.path()).await;
    after.time.advance(Duration::from_secs(90));
    let open_for = age(&after).await;
    assert!(open_for >= Duration::from_secs(90), "{open_for:?}");
    assert!(open_for < Duration::from_secs(100), "{open_for:?}");
    after.turn("ordering.oldest-checkout").await;
}

/// The deadline of the one open checkout.
async fn deadline(shop: &Shop) -> Option<kernel::Timestamp> {
    let open = platform::store::Query::new(10).eq("status", "open");
    let open = shop.executor.store().list::<ordering::domain::Checkout>(open).await.unwrap();
    open.first().map(|checkout| checkout.state.deadline_at)
}

#[tokio::test]
async fn a_checkout_that_takes_long_is_kept_by_its_driver_and_taken_up_when_that_dies() {
    let shop = crate::shop::in_a_hurry();
    shop.turn("ordering.checkouts").await;
    let opened = shop.guest_cart(&[(1, 1)]).await;
    opened.complete("k1", "tok_unknown_for_long").await.expect(202);
    let placed = deadline(&shop).await.unwrap();
    shop.time.advance(Duration::from_secs(31));
    assert!(placed < shop.time.env.now());
    let kept = until("its driver moves the deadline on", async || {
        deadline(&shop).await.filter(|deadline| *deadline != placed)
    })
    .await;
    assert_eq!(kept, shop.time.env.now().plus(Duration::from_secs(30)));
    // It is asked about again and again, with pauses: not as often as this loop runs.
    let asked = || shop.world.facts().asked.values().copied().max().unwrap_or_default();
    let before = asked();
    for _ in 0..200 {
        shop.turn("ordering.checkouts").await;
        tokio::task::yield_now().await;
    }
    assert!(asked() - before < 20, "{} times in 200 rounds", asked() - before);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_a_checkout_of_a_dead_process_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let after = on_shared_folder(folder.path(), World::new());
    after.turn("ordering.checkouts").await;
    // The other process lived two hours ahead, and hangs for good.
    let ahead = on_shared_folder(folder.path(), World::new());
    ahead.time.advance(Duration::from_hours(2));
    let opened = ahead.guest_cart(&[(1, 1)]).await;
    let mut hanging = std::pin::pin!(opened.complete("k1", "tok_wait"));
    while deadline(&ahead).await.is_none() {
        tokio::select! {
            biased;
            reply = &mut hanging => panic!("it cannot have ended: {reply:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    assert!(deadline(&after).await.unwrap() > after.time.env.now().plus(Duration::from_hours(1)));
    after.turn("ordering.checkouts").await;
    after.world.gate.add_permits(10);
    let order = ended(&after, &opened, "k2").await;
    assert_eq!(order["status"], "confirmed");
}

#[tokio::test]
async fn a_clock_that_is_set_back_during_a_checkout_does_not_make_it_last_longer() {
    let (shop, clock) = crate::shop::in_a_hurry_with_clock();
    let opened = shop.guest_cart(&[(1, 1)]).await;
    opened.complete("k1", "tok_unknown_for_long").await.expect(202);
    clock.set_back(Duration::from_hours(2));
    shop.time.advance(Duration::from_secs(700));
    let order = opened.complete("k2", "tok_unknown_for_long").await.expect(201).body;
    assert_eq!(order["rejection"]["reason"], "payment_unresolved");
}

#[tokio::test]
async fn numbers_go_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let shop = in_folder(folder.path(), World::new());
    let (_, first) = shop.order(&shop.guest()).await;
    let world = shop.world.clone();
    drop(shop);
    let shop = in_folder(folder.path(), world);
    // The clock went on, so ids are new ones.
    shop.time.advance(Duration::from_secs(1));
    let opened = shop.open(&shop.guest(), cart(&[(2, 1)])).await;
    let second = opened.complete("other", "tok_ok").await.expect(201).body;
    assert_eq!((&first["number"], &second["number"]), (&json!(1001), &json!(1002)));
}
