//! Lists: filters, orders, pages; the same on every engine.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::shop::{Shop, handles, on_each};

/// Products p00 to p49: priced 100, 90, …; every second one a tee, every fifth by Acme.
async fn fill(shop: &Shop) {
    let mut file = "Handle,Title,Vendor,Tags,Product Category,Variant Price,Variant SKU,\
Variant Inventory Tracker,Variant Inventory Qty\n"
        .to_owned();
    for n in 0..50 {
        let tag = if n % 2 == 0 { "Tee" } else { "Mug" };
        let vendor = if n % 5 == 0 { "Acme" } else { "Other" };
        let path = if n % 2 == 0 { "Clothes > Tees" } else { "Kitchen" };
        let price = (n * 7) % 10;
        let title = (n * 3) % 50;
        writeln!(file, "p{n:02},T{title:02},{vendor},{tag},{path},{price}.50,S{n},shopify,1")
            .unwrap();
    }
    let report = shop.import(file).await;
    assert_eq!((report.products.created, report.errors_total), (50, 0), "{report:?}");
}

/// Walks all pages of a list and checks that none comes twice.
async fn walk(shop: &Shop, path: &str, limit: usize) -> Vec<Value> {
    let client = shop.anybody();
    let mut all: Vec<Value> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let reply = client.get(&format!("{path}&limit={limit}{cursor}")).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        let items = reply.body["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        for item in items {
            assert!(seen.insert(item["handle"].to_string()), "{} twice", item["handle"]);
            all.push(item.clone());
        }
        match reply.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

fn prices(items: &[Value]) -> Vec<i64> {
    items.iter().map(|item| item["prices"][0]["from"]["amount"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn every_order_shows_every_product_once() {
    on_each(async |shop: Shop| {
        fill(&shop).await;
        for sort in ["newest", "title", "price_asc", "price_desc"] {
            for limit in [7, 10, 100] {
                let items = walk(&shop, &format!("/v1/products?sort={sort}"), limit).await;
                assert_eq!(items.len(), 50, "{sort} {limit}");
                let mut sorted = prices(&items);
                match sort {
                    "price_asc" => sorted.sort_unstable(),
                    "price_desc" => sorted.sort_unstable_by(|a, b| b.cmp(a)),
                    "title" => {
                        let titles: Vec<String> =
                            items.iter().map(|i| i["title"].to_string()).collect();
                        assert!(titles.is_sorted(), "{titles:?}");
                    }
                    _ => {}
                }
                assert_eq!(sorted, prices(&items), "{sort}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn filters_hold_together() {
    on_each(async |shop: Shop| {
        fill(&shop).await;
        let count =
            async |query: &str| walk(&shop, &format!("/v1/products?{query}"), 9).await.len();
        assert_eq!(count("tag=tee").await, 25);
        assert_eq!(count("tag=tee&vendor=ACME&sort=title").await, 5);
        assert_eq!(count("category=clothes").await, 25);
        assert_eq!(count("category=tees&sort=price_asc").await, 25);
        assert_eq!(count("category=clothes&tag=mug").await, 0);
        assert_eq!(count("category=nowhere").await, 0);
        assert_eq!(count("min_price=150&max_price=350").await, 15);
        assert_eq!(count("min_price=150&currency=USD").await, 0);
        assert_eq!(count("sort=price_asc&currency=USD").await, 0);
    })
    .await;
}

#[tokio::test]
async fn sold_out_products_are_told_and_can_be_left_out() {
    on_each(async |shop: Shop| {
        fill(&shop).await;
        let reply = shop.anybody().get("/v1/products/p07").await;
        let id = reply.body["variants"][0]["id"].as_str().unwrap();
        let variant = kernel::id::decode("var", id).unwrap();
        shop.stock_changes(variant, 1, 0).await;
        let available = async || {
            let listed = walk(&shop, "/v1/products?available=true", 20).await.len();
            let shown = shop.anybody().get("/v1/products/p07").await;
            (
                listed,
                shown.body["available"].clone(),
                shown.body["variants"][0]["available"].clone(),
            )
        };
        assert_eq!(available().await, (49, json!(false), json!(false)));
        let cards = walk(&shop, "/v1/products?sort=newest", 50).await;
        let sold_out: Vec<_> = cards.iter().filter(|c| c["available"] == json!(false)).collect();
        assert_eq!(sold_out.len(), 1);
        // Another location has it; then an import touches the product, and stock stays known.
        shop.stock_changes(variant, 2, 3).await;
        assert_eq!(available().await, (50, json!(true), json!(true)));
        shop.stock_changes(variant, 2, 0).await;
        shop.import("Handle,Title,Tags\np07,T,new\n").await;
        assert_eq!(available().await, (49, json!(false), json!(false)));
        shop.stock_changes(kernel::id::Uuid::from_u128(9), 2, 0).await;
    })
    .await;
}

#[tokio::test]
async fn drafts_and_deleted_products_are_nowhere() {
    on_each(async |shop: Shop| {
        fill(&shop).await;
        let staff = shop.staff();
        let reply = staff.get("/v1/admin/products?handle=p03").await;
        let id = reply.body["items"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/admin/products/{id}");
        for (action, status) in [("unpublish", 404), ("publish", 200), ("archive", 404)] {
            let reply = staff.post(&format!("{path}/{action}"), json!({})).await;
            assert_eq!(reply.status, 200, "{:?}", reply.body);
            assert_eq!(shop.anybody().get("/v1/products/p03").await.status, status);
            assert_eq!(shop.anybody().get(&format!("/v1/products/{id}")).await.status, status);
            let listed = walk(&shop, "/v1/products?sort=title", 50).await.len();
            assert_eq!(listed, if status == 200 { 50 } else { 49 });
            let found = shop.anybody().get("/v1/search?q=S3&limit=100").await;
            assert_eq!(handles(&found).contains(&"p03".to_owned()), status == 200);
        }
        let version = staff.get(&path).await.version().unwrap();
        let reply = staff.with("if-match", &format!("\"{version}\"")).delete(&path).await;
        assert_eq!(reply.status, 204);
        assert_eq!(staff.get(&path).await.status, 404);
        let told = shop.events().await;
        let withdrawn = told.iter().filter(|t| t.contains("ProductWithdrawn")).count();
        assert_eq!(withdrawn, 2, "unpublished, archived; the archived one was gone before");
    })
    .await;
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let shop = Shop::in_memory();
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("sort=best", "sort"),
        ("currency=euro", "currency"),
        ("min_price=-1", "min_price"),
        ("available=perhaps", "available"),
        ("colour=red", "colour"),
    ] {
        let reply = shop.anybody().get(&format!("/v1/products?{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec![field]), "{query}");
    }
    assert_eq!(shop.anybody().get("/v1/search").await.fields(), ["q"]);
}
