//! The category tree as shoppers see it: in pieces.

use std::collections::BTreeSet;

use platform::testing::Reply;
use serde_json::{Value, json};

use crate::shop::{Shop, handles, on_each};

/// `paths` such as `A > B`, each of one product.
async fn shop_with(shop: &Shop, paths: impl Iterator<Item = String>) {
    let rows = paths.enumerate().map(|(n, path)| format!("p{n},P{n},{path}\n"));
    let file: String =
        ["Handle,Title,Product Category\n".to_owned()].into_iter().chain(rows).collect();
    assert_eq!(shop.import(file).await.errors, []);
}

fn count(nodes: &Value) -> usize {
    let nodes = nodes.as_array().unwrap();
    nodes.len() + nodes.iter().map(|node| count(&node["children"])).sum::<usize>()
}

#[tokio::test]
async fn the_uppermost_level_comes_page_by_page_in_its_order() {
    on_each(async |shop: Shop| {
        shop_with(&shop, (0..25).map(|n| format!("Shelf {n} > Box {n}"))).await;
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let reply = shop.anybody().get(&format!("/v1/categories?limit=10{cursor}")).await;
            seen.extend(handles(&reply));
            match reply.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let wanted: Vec<String> = (0..25).map(|n| format!("shelf-{n}")).collect();
        assert_eq!(seen, wanted);
        let flat = shop.anybody().get("/v1/categories?depth=1&limit=1").await;
        assert_eq!(flat.body["items"][0]["children"], json!([]));
        assert_eq!(flat.body["items"][0]["more_children"], json!(true));
        let below = shop.anybody().get("/v1/categories?parent=shelf-3").await;
        assert_eq!(handles(&below), ["box-3"]);
        assert_eq!(below.body["items"][0]["more_children"], json!(false));
        assert_eq!(shop.anybody().get("/v1/categories?parent=nowhere").await.status, 404);
        for bad in ["depth=0", "depth=11", "limit=251", "parent=No%20Handle", "cursor=x"] {
            let reply: Reply = shop.anybody().get(&format!("/v1/categories?{bad}")).await;
            assert_eq!(reply.fields(), [bad.split('=').next().unwrap()], "{bad}");
        }
    })
    .await;
}

#[tokio::test]
async fn one_answer_holds_at_most_a_thousand_categories() {
    on_each(async |shop: Shop| {
        let paths = (0..5).flat_map(|a| (0..260).map(move |b| format!("Top {a} > Sub {a} {b}")));
        shop_with(&shop, paths).await;
        let tree = shop.anybody().get("/v1/categories").await;
        let items = &tree.body["items"];
        assert_eq!(count(items), 1_000);
        let more: Vec<&Value> =
            items.as_array().unwrap().iter().map(|node| &node["more_children"]).collect();
        assert_eq!(more, [&json!(true); 5], "each has 260 of which at most 250 are listed");
        let listed = |at: usize| items[at]["children"].as_array().unwrap().len();
        assert_eq!([0, 1, 2, 3, 4].map(listed), [250, 250, 250, 245, 0]);
        let one = shop.anybody().get("/v1/categories/top-1").await;
        assert_eq!(one.body["children"].as_array().unwrap().len(), 250);
        assert_eq!(one.body["more_children"], json!(true));
        let mut seen = BTreeSet::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/categories?parent=top-1&limit=100{cursor}");
            let reply = shop.anybody().get(&path).await;
            seen.extend(handles(&reply));
            match reply.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 260);
    })
    .await;
}

#[tokio::test]
async fn a_new_category_stands_below_one_that_is_there_and_not_too_deep() {
    on_each(async |shop: Shop| {
        let path: Vec<String> = (0..10).map(|n| format!("Level {n}")).collect();
        shop_with(&shop, [path.join(" > ")].into_iter()).await;
        let staff = shop.staff();
        let deepest = staff.get("/v1/categories/level-9").await;
        assert_eq!(deepest.body["ancestors"].as_array().unwrap().len(), 9);
        for parent in [&deepest.body["id"], &json!("cat_01h455vb4pex5vsknk084sn02q")] {
            let input = json!({"title": {"en": "Deeper"}, "parent": parent});
            let reply = staff.post("/v1/admin/categories", input).await;
            assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["parent"]));
        }
    })
    .await;
}
