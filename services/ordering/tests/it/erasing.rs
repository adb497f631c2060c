//! A customer is erased: who bought is forgotten, what was bought is kept.

use contracts::identity::v1::AccountErased;
use http::Method;
use kernel::Timestamp;
use kernel::id::Uuid;
use ordering::domain::{Cart, Erasure};
use platform::testing::{Client, Reply};
use serde_json::{Value, json};

use crate::shop::{Shop, cart, in_folder, in_memory, on_both, uuid_of, var};
use crate::world::World;

const EMAIL: &str = "grace.hopper@example.com";
/// No other test's buyer has any of these.
const PERSONAL: [&str; 4] = [EMAIL, "Grace Hopper", "Compiler Lane 9", "Arlingtonia"];

fn graces(lines: &[(u128, u32)]) -> Value {
    let mut body = cart(lines);
    body["email"] = json!(EMAIL);
    body["shipping_address"] = json!({"name": "Grace Hopper", "line1": "Compiler Lane 9",
        "city": "Arlingtonia", "postal_code": "22201", "region": "BE", "country": "DE"});
    body
}

async fn tell_erased(shop: &Shop, account: u128) {
    let id = Uuid::from_u128(account);
    let event = AccountErased { account_id: id.as_bytes().to_vec() };
    shop.tell("identity", id, &event).await;
}

async fn erase(shop: &Shop, account: u128) {
    tell_erased(shop, account).await;
    shop.turn("ordering.erasures").await;
}

async fn staff_sees(shop: &Shop, order: &Value) -> Value {
    let path = format!("/v1/admin/orders/{}", order["id"].as_str().unwrap());
    shop.staff(&["orders:*"]).get(&path).await.expect(200).body
}

#[track_caller]
fn is_erased(reply: Reply) {
    assert_eq!(reply.expect(404).slug(), "answer-erased");
}

/// Every value of every row of the database, as far as it is on SQLite.
async fn is_nowhere(shop: &Shop) {
    let Some(reader) = shop.executor.store().sqlite_reader() else { return };
    let found = reader
        .read(|connection| {
            let mut tables = connection.prepare(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            )?;
            let tables: Result<Vec<String>, _> = tables.query_map([], |row| row.get(0))?.collect();
            let mut found = Vec::new();
            for table in tables? {
                let mut all = connection.prepare(&format!("SELECT * FROM {table}"))?;
                let columns = all.column_count();
                let mut rows = all.query([])?;
                while let Some(row) = rows.next()? {
                    for column in 0..columns {
                        let value = row.get_ref(column)?;
                        let Ok(Some(bytes)) = value.as_bytes_or_null() else { continue };
                        let text = String::from_utf8_lossy(bytes).into_owned();
                        if PERSONAL.iter().any(|word| text.contains(word)) {
                            found.push(format!("{table}: {text}"));
                        }
                    }
                }
            }
            Ok(found)
        })
        .await
        .unwrap();
    assert_eq!(found, Vec::<String>::new());
}

fn keyed(client: &Client, key: &str) -> Client {
    client.with("idempotency-key", key)
}

#[tokio::test]
async fn an_erased_customers_order_keeps_what_was_bought_and_forgets_by_whom() {
    on_both(async |shop: Shop| {
        let grace = shop.customer(31);
        let opened = shop.open(&keyed(&grace, "open"), graces(&[(1, 2)])).await;
        let billing = json!({"billing_address": graces(&[])["shipping_address"]});
        let change = keyed(&grace, "change");
        change.patch(&opened.path(), billing.clone()).await.expect(200);
        let order = opened.complete("buy", "tok_ok").await.expect(201).body;
        assert_eq!((&order["status"], &order["email"]), (&json!("confirmed"), &json!(EMAIL)));
        let notes = format!("/v1/admin/orders/{}/notes", order["id"].as_str().unwrap());
        let staff = keyed(&shop.staff(&["orders:*"]), "note");
        let remark = json!({"text": "called about the parcel"});
        staff.post(&notes, remark.clone()).await.expect(201);
        let next = shop.open(&keyed(&grace, "next"), graces(&[(2, 1)])).await;
        let (_, others) = shop.order(&shop.customer(32)).await;
        let before = staff_sees(&shop, &order).await;
        assert!(before["erased"].is_null());

        erase(&shop, 31).await;

        let after = staff_sees(&shop, &order).await;
        for gone in ["email", "shipping_address", "billing_address"] {
            assert!(after[gone].is_null() && !before[gone].is_null(), "{gone}: {after}");
        }
        let region = json!({"country": "DE", "region": "BE"});
        assert_eq!(
            (&after["erased"]["shipped_to"], &after["erased"]["billed_to"]),
            (&region, &region)
        );
        for kept in ["number", "status", "customer_id", "lines", "totals", "notes", "timeline"] {
            assert_eq!(after[kept], before[kept], "{kept}");
        }
        is_erased(keyed(&grace, "open").post("/v1/carts", graces(&[(1, 2)])).await);
        is_erased(change.patch(&opened.path(), billing).await);
        is_erased(opened.complete("buy", "tok_ok").await);
        is_erased(staff.post(&notes, remark).await);
        is_erased(keyed(&grace, "next").post("/v1/carts", graces(&[(2, 1)])).await);
        opened.read().await.expect(404);
        next.read().await.expect(404);
        grace.get("/v1/me/cart").await.expect(404);
        let theirs = staff_sees(&shop, &others).await;
        assert_eq!((&theirs["email"], &theirs["erased"]), (&others["email"], &Value::Null));
        is_nowhere(&shop).await;
        assert_eq!(shop.world.facts().charges.len(), 2, "nothing was bought again");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_for_an_account_from_the_moment_it_is_erased() {
    on_both(async |shop: Shop| {
        let grace = shop.customer(31);
        let opened = shop.open(&grace, graces(&[(1, 1)])).await;
        let guests = shop.guest_cart(&[(1, 1)]).await;
        // Its carts are still there: the task has not had its turn.
        tell_erased(&shop, 31).await;
        let address = json!({"email": EMAIL});
        grace.patch(&opened.path(), address.clone()).await.expect(401);
        opened.complete("buy", "tok_ok").await.expect(401);
        let merge = format!("{}/merge", guests.path());
        let secret = guests.body["secret"].as_str().unwrap();
        let claim = grace.with("cart-secret", secret);
        claim.send(Method::POST, &merge, None).await.expect(401);

        shop.turn("ordering.erasures").await;
        grace.patch(&opened.path(), address).await.expect(404);
        grace.post("/v1/carts", graces(&[(1, 1)])).await.expect(401);
        claim.send(Method::POST, &merge, None).await.expect(401);
        assert_eq!(guests.read().await.expect(200).body["status"], "open");
        assert!(shop.world.facts().charges.is_empty());
        is_nowhere(&shop).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_whose_checkout_runs_ends_as_it_would_have_and_shows_nobody() {
    on_both(async |shop: Shop| {
        let grace = shop.customer(31);
        let opened = shop.open(&grace, graces(&[(1, 1)])).await;
        let buying = opened.complete("buy", "tok_wait");
        let erasing = async {
            while opened.read().await.body["status"] != "ordered" {
                tokio::task::yield_now().await;
            }
            erase(&shop, 31).await;
            shop.world.gate.add_permits(1);
        };
        let (bought, ()) = tokio::join!(buying, erasing);
        let order = bought.expect(201).body;
        assert_eq!((&order["status"], &order["email"]), (&json!("confirmed"), &Value::Null));
        assert_eq!(opened.complete("buy", "tok_wait").await.expect(201).body, order);
        assert_eq!(staff_sees(&shop, &order).await["erased"]["shipped_to"]["country"], "DE");
        is_nowhere(&shop).await;
    })
    .await;
}

#[tokio::test]
async fn a_cart_that_was_merged_leads_to_nobody() {
    on_both(async |shop: Shop| {
        let grace = shop.customer(31);
        shop.open(&grace, cart(&[(2, 1)])).await;
        let guests = shop.open(&shop.guest(), graces(&[(1, 1)])).await;
        let secret = guests.body["secret"].as_str().unwrap();
        let add = json!({"variant_id": var(2), "quantity": 1});
        let (path, anonymous) = (format!("{}/lines", guests.path()), keyed(&guests.client, "add"));
        let added = anonymous.post(&path, add.clone()).await;
        assert!(added.status.is_success(), "{added:?}");
        let merge = format!("{}/merge", guests.path());
        let claim = grace.with("cart-secret", secret);
        claim.send(Method::POST, &merge, None).await.expect(200);
        let id = kernel::id::decode("cart", &guests.id).unwrap();
        let merged = shop.executor.store().get::<Cart>(id).await.unwrap().unwrap().state;
        assert!(merged.email.is_none() && merged.shipping_address.is_none());
        assert_eq!(anonymous.post(&path, add.clone()).await.body, added.body);

        erase(&shop, 31).await;
        is_erased(anonymous.post(&path, add).await);
        is_nowhere(&shop).await;
    })
    .await;
}

#[tokio::test]
async fn many_orders_are_erased_page_by_page_and_a_restart_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let shop = in_folder(folder.path(), World::new());
    let grace = shop.customer(31);
    let mut orders = Vec::new();
    for n in 0..53 {
        let opened = shop.open(&grace, graces(&[(1, 1)])).await;
        orders.push(
            opened.complete(&format!("buy {n}").replace(' ', "-"), "tok_ok").await.expect(201).body,
        );
    }
    tell_erased(&shop, 31).await;
    let world = shop.world.clone();
    drop(shop);

    let shop = in_folder(folder.path(), world);
    assert_eq!(staff_sees(&shop, &orders[52]).await["email"], EMAIL);
    shop.turn("ordering.erasures").await;
    for order in &orders {
        assert!(staff_sees(&shop, order).await["email"].is_null());
    }
    is_nowhere(&shop).await;
    let erasure = shop.executor.store().get::<Erasure>(Uuid::from_u128(31)).await.unwrap().unwrap();
    assert_eq!(erasure.state.running(), None);
    // Done is done: a further turn finds nothing.
    shop.turn("ordering.erasures").await;
    let again = shop.executor.store().get::<Erasure>(Uuid::from_u128(31)).await.unwrap().unwrap();
    assert_eq!(again.version, erasure.version);
}

#[tokio::test]
async fn who_never_bought_is_erased_too() {
    let shop = in_memory();
    erase(&shop, 31).await;
    let erasure = shop.executor.store().get::<Erasure>(Uuid::from_u128(31)).await.unwrap().unwrap();
    assert!(erasure.state.running().is_none() && erasure.state.since > Timestamp::EPOCH);
    let order = shop.order(&shop.guest()).await.1;
    assert_eq!(uuid_of(&order["id"]).get_version_num(), 7);
    assert_eq!(staff_sees(&shop, &order).await["email"], "ada@example.com");
}

#[tokio::test]
async fn a_cart_that_is_thrown_away_takes_its_kept_answers_along() {
    on_both(async |shop: Shop| {
        let grace = shop.customer(31);
        let opened = shop.open(&grace, graces(&[(1, 1)])).await;
        let change = keyed(&grace, "change");
        let email = json!({"email": EMAIL});
        change.patch(&opened.path(), email.clone()).await.expect(200);
        grace.delete(&opened.path()).await.expect(204);
        is_erased(change.patch(&opened.path(), email).await);
        is_nowhere(&shop).await;
    })
    .await;
}
