//! Who may move files, and what the document says of it.

use platform::http::IdempotencyRule;
use serde_json::json;

use crate::shop::{Shop, on_each};

const WITH_STOCK: &str = "Handle,Title,Variant SKU,Variant Inventory Qty,Variant Price\n\
                          mug,Mug,M1,7,9.99\n";

#[tokio::test]
async fn a_file_that_sets_stock_needs_inventorys_permission() {
    on_each(async |shop: Shop| {
        let clerk = shop.staff_with(&["catalog:import"]);
        for query in ["", "?dry_run=true"] {
            let refused = shop.upload(&clerk, query, WITH_STOCK).await;
            assert_eq!(refused.status, 403, "{:?}", refused.body);
            let detail = refused.body["detail"].as_str().unwrap();
            assert!(detail.contains("inventory:write") && detail.contains("stock=false"));
        }
        assert_eq!(shop.staff().get("/v1/admin/products").await.body["items"], json!([]));

        let aside = shop.upload(&clerk, "?stock=false", WITH_STOCK).await;
        assert_eq!(aside.status, 200, "{:?}", aside.body);
        assert_eq!(aside.body["products"]["created"], 1);
        assert_eq!(aside.body["stock"]["told"], 0);
        assert!(shop.inventory.counts.lock().unwrap().is_empty());
        let plain = shop.upload(&clerk, "", "Handle,Title\ncup,Cup\n").await;
        assert_eq!(plain.status, 200, "a file without stock columns needs nothing more");

        let keeper = shop.staff_with(&["catalog:import", "inventory:write"]);
        let stored = shop.upload(&keeper, "", WITH_STOCK).await;
        assert_eq!(stored.body["stock"]["changed"], 1, "{:?}", stored.body);
        let only_stock = shop.staff_with(&["inventory:write"]);
        assert_eq!(shop.upload(&only_stock, "", WITH_STOCK).await.status, 403);
    })
    .await;
}

#[tokio::test]
async fn an_export_needs_the_permission_for_files_and_for_the_stock_it_tells() {
    let shop = Shop::in_sqlite();
    shop.import(WITH_STOCK).await;
    let path = "/v1/admin/products/export";
    for (permissions, query, status) in [
        (&["catalog:read", "inventory:read"][..], "", 403),
        (&["catalog:import"], "", 403),
        (&["catalog:import"], "?stock=false", 200),
        (&["catalog:import", "inventory:read"], "", 200),
    ] {
        let reply = shop.staff_with(permissions).get(&format!("{path}{query}")).await;
        assert_eq!(reply.status, status, "{permissions:?} {query}");
    }
    let told = |stock| {
        let catalog = &shop.built.catalog;
        let context = shop.context();
        async move {
            use futures_util::TryStreamExt;
            let pieces = catalog.export_products(context, stock).await.unwrap();
            let pieces: Vec<_> = pieces.try_collect().await.unwrap();
            String::from_utf8(pieces.concat()).unwrap()
        }
    };
    assert!(told(true).await.contains(",7,deny,"));
    let without = told(false).await;
    assert!(!without.contains(",7,"), "{without}");
    let again = shop.import(without).await;
    assert_eq!((again.products.unchanged, again.stock.told), (1, 0), "empty cells change nothing");
}

#[test]
fn every_header_that_a_route_reads_is_declared() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _guard = runtime.enter();
    let shop = Shop::in_memory();
    let document = serde_json::to_value(&*shop.built.service.http.openapi).unwrap();
    let declares = |path: &str, method: &str, header: &str| {
        let parameters = document["paths"][path][method]["parameters"].as_array().cloned();
        parameters.unwrap_or_default().iter().any(|p| p["in"] == "header" && p["name"] == header)
    };
    for (path, method) in [
        ("/v1/admin/products/{id}", "put"),
        ("/v1/admin/products/{id}", "delete"),
        ("/v1/admin/products/{id}/publish", "post"),
        ("/v1/admin/products/{id}/unpublish", "post"),
        ("/v1/admin/products/{id}/archive", "post"),
        ("/v1/admin/categories/{id}", "put"),
        ("/v1/admin/categories/{id}", "delete"),
    ] {
        assert!(declares(path, method, "if-match"), "{method} {path}");
    }
    for route in shop.built.service.http.routes.iter().filter(|route| route.writes()) {
        let streamed = route.path == "/v1/admin/products/import";
        let ignored = route.idempotency == IdempotencyRule::Ignored;
        assert_eq!(ignored, streamed, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn a_change_of_status_minds_the_version_and_the_key() {
    on_each(async |shop: Shop| {
        shop.import("Handle,Title\nmug,Mug\n").await;
        let staff = shop.staff();
        let list = staff.get("/v1/admin/products").await;
        let path = format!("/v1/admin/products/{}", list.body["items"][0]["id"].as_str().unwrap());
        let stale = staff.with("if-match", "\"9\"");
        for verb in ["publish", "unpublish", "archive"] {
            let reply = stale.post(&format!("{path}/{verb}"), json!(null)).await;
            assert_eq!(reply.status, 412, "{verb}: {:?}", reply.body);
        }
        let once = staff.with("idempotency-key", "k").with("if-match", "\"1\"");
        let first = once.post(&format!("{path}/archive"), json!(null)).await;
        let again = once.post(&format!("{path}/archive"), json!(null)).await;
        assert_eq!((first.version(), again.version()), (Some(2), Some(2)), "{:?}", again.body);
    })
    .await;
}
