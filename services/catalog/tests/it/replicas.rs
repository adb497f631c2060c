//! Several processes of this service over one PostgreSQL database.

use std::time::Duration;

use futures_util::future::{join, join_all};
use platform::store::postgres::sqlx::{self, Row as _};
use serde_json::{Value, json};

use crate::server::{Place, with_place};
use crate::shop::{Shop, handles};

/// `count` replicas, each a shop of its own time but of one database.
async fn replicas(place: &Place, count: usize) -> Vec<Shop> {
    let mut shops = Vec::new();
    for _ in 0..count {
        shops.push(Shop::in_postgres(place).await);
    }
    // Chance falls alike in each of them; their clocks make their ids differ.
    for (nth, shop) in shops.iter().enumerate() {
        shop.time.advance(Duration::from_secs(nth as u64));
    }
    shops
}

async fn ask(place: &Place, sql: &'static str) -> i64 {
    let mut connection = place.connect().await;
    sqlx::query(sql).fetch_one(&mut connection).await.unwrap().get(0)
}

#[tokio::test]
async fn variants_that_sell_out_at_once_leave_their_product_sold_out() {
    with_place(async |place| {
        let shops = replicas(place, 2).await;
        let input = json!({"title": {"en": "Tee"}, "status": "published", "options": ["Size"],
            "variants": [{"options": ["S"]}, {"options": ["L"]}]});
        let staff = shops[0].staff();
        let mut tees = Vec::new();
        for n in 0..12 {
            let mut input = input.clone();
            input["handle"] = json!(format!("tee-{n}"));
            tees.push(staff.post("/v1/admin/products", input).await.expect(201).body);
        }
        let variant = |tee: &Value, nth: usize| {
            kernel::id::decode("var", tee["variants"][nth]["id"].as_str().unwrap()).unwrap()
        };
        for (sold, left) in [(0, "false"), (5, "true"), (0, "false")] {
            for tee in &tees {
                // Each replica is told of one of the variants, as other events of other keys are.
                join(
                    shops[0].stock_changes(variant(tee, 0), 1, sold),
                    shops[1].stock_changes_as(78, variant(tee, 1), 1, sold),
                )
                .await;
            }
            let list = shops[1].anybody().get("/v1/products?limit=100").await;
            for item in list.body["items"].as_array().unwrap() {
                assert_eq!(item["available"].to_string(), left, "{}", item["handle"]);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn two_imports_at_once_make_one_catalog() {
    with_place(async |place| {
        let shops = replicas(place, 2).await;
        let words = ["lantern", "kettle", "blanket", "basket", "teapot", "scarf", "chair"];
        let file = |from: usize| {
            let rows = (from..from + 150).map(|n| {
                let (one, two) = (words[n % 7], words[n * 5 % 7]);
                // A word that no other product has.
                let own: String = format!("{n:06}")
                    .bytes()
                    .map(|digit| char::from(digit + b'q' - b'0'))
                    .collect();
                format!("p{n},{one} {two} {own},{one},{two} > {one},N-{n:05},{}\n", n % 9)
            });
            let head = "Handle,Title,Tags,Product Category,Variant SKU,Variant Price\n".to_owned();
            [head].into_iter().chain(rows).collect::<String>()
        };
        // Categories first: an import keeps the tree it has begun with.
        assert_eq!(shops[0].import(file(0)).await.errors, []);
        let reports = join_all([
            shops[0].import(file(100)),
            shops[1].import(file(100)),
            shops[1].import(file(220)),
        ]);
        for report in reports.await {
            assert_eq!(report.errors, []);
        }
        let list = "SELECT count(*) FROM product_listing";
        assert_eq!(ask(place, list).await, 370);
        let all = "SELECT count(*) FROM product_search s JOIN product_listing l ON l.row = s.row";
        assert_eq!(ask(place, all).await, 370);
        let terms = "SELECT count(*) FROM product_term WHERE term ~ '^[0-9]{5}$'";
        assert_eq!(ask(place, terms).await, 370);
        let learned = "SELECT count(*) FROM search_word";
        assert_eq!(ask(place, learned).await, 370 + 7);
        let last = "SELECT max(id) FROM search_word";
        assert_eq!(ask(place, last).await, 370 + 7, "words are numbered without gaps");
        let hints = "SELECT count(*) FROM search_word w \
                     WHERE NOT EXISTS (SELECT 1 FROM search_hint h WHERE h.word = w.id)";
        assert_eq!(ask(place, hints).await, 0);
        let found = shops[1].anybody().get("/v1/search?q=00369").await;
        assert_eq!(handles(&found), ["p369"]);
        let found = shops[0].anybody().get("/v1/search?q=lantren&limit=100").await;
        assert!(!handles(&found).is_empty());
    })
    .await;
}
