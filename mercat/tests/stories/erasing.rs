//! A customer is forgotten, in every service that knew them.

use std::path::Path;

use platform::store::Schema;
use platform::store::sqlite::{Options, SqliteEngine};
use serde_json::json;
use testkit::checkout::Cart;
use testkit::people::{Customer, address};
use testkit::shelf::stock_article;
use testkit::{Shop, Start, Topology, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_who_leaves_is_forgotten_with_the_orders_kept_embedded() {
    leaves(Topology::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_who_leaves_is_forgotten_with_the_orders_kept_loopback() {
    leaves(Topology::Loopback).await;
}

async fn leaves(topology: Topology) {
    let shop = Shop::start(Start::new(env!("CARGO_BIN_EXE_mercat"), topology)).await;
    let admin = shop.admin().await;
    let article = stock_article(&admin, 700, 5).await;
    let buyer = Customer::register(&shop.client()).await;
    let person = json!({ "email": buyer.email, "billing_address": address("DE") });
    let mut cart = Cart::open_with(&buyer.client, &[(&article.variant, 1)], person).await;
    cart.change(&json!({ "email": buyer.email })).await;
    let order = cart.buy().await;
    assert_eq!(order.view["email"], buyer.email.as_str());
    // One more cart, which is not bought.
    Cart::open_with(&buyer.client, &[(&article.variant, 1)], json!({ "email": buyer.email })).await;

    buyer.client.delete("/v1/me").await.expect_status(204);

    let path = format!("/v1/admin/orders/{}", order.id());
    let seen = until("ordering has heard of it", async || {
        let seen = admin.get(&path).await.expect_status(200).body;
        seen["erased"].is_object().then_some(seen)
    })
    .await;
    assert!(seen["email"].is_null() && seen["billing_address"].is_null(), "{seen}");
    assert_eq!(seen["erased"]["billed_to"]["country"], "DE");
    assert_eq!(seen["customer_id"], buyer.account.as_str());
    assert_eq!((&seen["lines"], &seen["totals"]), (&order.view["lines"], &order.view["totals"]));

    shop.kill();
    for service in ["ordering", "identity"] {
        let schema = match service {
            "ordering" => ordering::schema(),
            _ => identity::schema(),
        };
        let database = shop.data().join(format!("{service}.db"));
        for word in [buyer.email.as_str(), "Ada Lovelace", "Weir Lane 7"] {
            let found = rows_with(&database, &schema, word);
            assert!(found.is_empty(), "{word} in {service}: {found:?}");
        }
    }
}

/// The tables that hold a row with `word` in it.
fn rows_with(database: &Path, schema: &Schema, word: &str) -> Vec<String> {
    let engine = SqliteEngine::shared(database, schema, Options::default());
    let engine = engine.expect("the file is whole");
    let reader = engine.sqlite_reader().expect("it is SQLite");
    let found = reader.read_now(|connection| {
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
                    if String::from_utf8_lossy(bytes).contains(word) {
                        found.push(table.clone());
                    }
                }
            }
        }
        Ok(found)
    });
    found.expect("the database can be read")
}
