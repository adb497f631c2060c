//! Staff's routes: create, read, replace, delete, with versions.

use serde_json::{Value, json};

use crate::shop::{Shop, on_each};

fn mug() -> Value {
    json!({"title": {"en": "Mug", "de": "Becher"}, "status": "published", "tags": ["Kitchen"],
        "options": ["Size"], "variants": [
            {"options": ["S"], "sku": "M-S", "prices": [{"price": {"amount": 500, "currency": "EUR"},
                "compare_at": {"amount": 700, "currency": "EUR"}}]},
            {"options": ["L"], "prices": []}],
        "attributes": {"material": "clay", "cost": "1.20"}})
}

#[tokio::test]
async fn a_product_is_created_read_replaced_and_deleted() {
    on_each(async |shop: Shop| {
        let staff = shop.staff();
        let created = staff.post("/v1/admin/products", mug()).await;
        assert_eq!(created.status, 201, "{:?}", created.body);
        let path = created.headers["location"].to_str().unwrap().to_owned();
        let read = staff.get(&path).await;
        assert_eq!((read.version(), &read.body), (Some(1), &created.body));
        assert_eq!(read.body["handle"], "mug");

        let shown = shop.anybody().get("/v1/products/mug").await;
        assert_eq!(shown.body["attributes"], json!({"material": "clay"}), "costs stay inside");
        assert_eq!(shown.body["prices"][0]["compare_at"]["amount"], 700);

        let mut input = mug();
        input["variants"][0]["id"] = read.body["variants"][0]["id"].clone();
        input["variants"][0]["prices"][0]["price"]["amount"] = json!(450);
        assert_eq!(staff.put(&path, input.clone()).await.fields(), ["if-match"]);
        let first = staff.with("if-match", "\"1\"");
        let replaced = first.put(&path, input.clone()).await;
        assert_eq!((replaced.status.as_u16(), replaced.version()), (200, Some(2)));
        assert_eq!(replaced.body["variants"][0]["id"], read.body["variants"][0]["id"]);
        assert_eq!(first.put(&path, input).await.status, 412);
        assert_eq!(first.delete(&path).await.status, 412);
        assert_eq!(staff.delete(&path).await.fields(), ["if-match"]);
        assert_eq!(staff.with("if-match", "\"2\"").delete(&path).await.status, 204);
        assert_eq!(staff.get(&path).await.status, 404);
        let told = shop.events().await;
        let told: Vec<&str> = told.iter().map(|t| t.rsplit('.').nth(1).unwrap()).collect();
        assert_eq!(
            told,
            ["ProductPublished", "ProductPublished", "PriceChanged", "ProductWithdrawn"],
            "the second variant got a fresh id, so the set of variants changed"
        );
    })
    .await;
}

#[tokio::test]
async fn the_same_handle_twice_is_a_conflict() {
    on_each(async |shop: Shop| {
        let staff = shop.staff();
        assert_eq!(staff.post("/v1/admin/products", mug()).await.status, 201);
        let reply = staff.post("/v1/admin/products", mug()).await;
        assert_eq!((reply.status.as_u16(), reply.slug()), (409, "handle-taken"));
    })
    .await;
}

#[tokio::test]
async fn broken_rules_name_the_field() {
    let shop = Shop::in_memory();
    let staff = shop.staff();
    for (change, field) in [
        (json!({"title": {}}), "handle"),
        (json!({"title": {"en": ""}, "handle": "x"}), "title"),
        (json!({"variants": []}), "variants"),
        (json!({"variants": [{"options": []}]}), "variants[0].options"),
        (json!({"categories": ["cat_01h455vb4pex5vsknk084sn02q"]}), "categories[0]"),
        (json!({"tags": ["a,b"]}), "tags[0]"),
        (json!({"media": [{"url": "x"}, {"url": "x"}]}), "media[1].url"),
        (json!({"colour": "red"}), "colour"),
        (json!({"handle": "Not A Handle"}), "handle"),
    ] {
        let mut input = mug();
        for (key, value) in change.as_object().unwrap() {
            input[key] = value.clone();
        }
        let reply = staff.post("/v1/admin/products", input).await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec![field]), "{:?}", reply.body);
    }
}

#[tokio::test]
async fn a_key_makes_one_product() {
    on_each(async |shop: Shop| {
        let staff = shop.staff().with("idempotency-key", "k1");
        let first = staff.post("/v1/admin/products", mug()).await;
        let second = staff.post("/v1/admin/products", mug()).await;
        assert_eq!((second.status.as_u16(), &second.body), (201, &first.body));
        assert_eq!(second.headers.get("etag"), first.headers.get("etag"));
    })
    .await;
}

#[tokio::test]
async fn categories_form_a_tree() {
    on_each(async |shop: Shop| {
        let staff = shop.staff();
        let make = async |title: &str, parent: Option<&Value>| {
            let mut input = json!({"title": {"en": title}});
            if let Some(parent) = parent {
                input["parent"] = parent.clone();
            }
            let reply = staff.post("/v1/admin/categories", input).await;
            assert_eq!(reply.status, 201, "{:?}", reply.body);
            reply.body
        };
        let clothes = make("Clothes", None).await;
        let shirts = make("Shirts", Some(&clothes["id"])).await;
        let path =
            |category: &Value| format!("/v1/admin/categories/{}", category["id"].as_str().unwrap());
        let first = staff.with("if-match", "\"1\"");
        let circle = json!({"title": {"en": "Clothes"}, "parent": shirts["id"]});
        assert_eq!(first.put(&path(&clothes), circle).await.fields(), ["parent"]);
        assert_eq!(first.delete(&path(&clothes)).await.slug(), "category-has-children");
        let shown = shop.anybody().get("/v1/categories/shirts").await;
        assert_eq!(shown.body["ancestors"][0]["handle"], "clothes");
        let moved = first.put(&path(&shirts), json!({"title": {"en": "Shirts"}})).await;
        assert_eq!(moved.status, 200, "{:?}", moved.body);
        assert_eq!(first.delete(&path(&clothes)).await.status, 204);
        let tree = shop.anybody().get("/v1/categories").await;
        assert_eq!(tree.body["items"].as_array().unwrap().len(), 1);
        assert_eq!(shop.anybody().get("/v1/categories/clothes").await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn shoppers_may_not_write() {
    let shop = Shop::in_memory();
    assert_eq!(shop.anybody().post("/v1/admin/products", mug()).await.status, 401);
    let id = kernel::id::Uuid::from_u128(3);
    let customer = platform::Principal::Customer { account: id, session: id };
    let reply = shop.anybody().as_(customer).post("/v1/admin/products", mug()).await;
    assert_eq!(reply.status, 403);
}
