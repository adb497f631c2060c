use serde_json::json;

use crate::story;
use crate::support::{address, text};

story! {
    async fn an_address_is_added_replaced_and_removed(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let me = shop.bearer(tokens.access());
        let added = me.post("/v1/me/addresses", address("Street 1")).await.expect(201);
        let path = format!("/v1/me/addresses/{}", text(&added.body["id"]));
        assert_eq!(added.headers["location"], path.as_str());
        let replaced = me.put(&path, address("Street 2")).await.expect(200);
        assert_eq!(replaced.body["id"], added.body["id"]);
        let read = me.get(&path).await.expect(200).body;
        assert_eq!(read["address"]["line1"], "Street 2");
        let all = me.get("/v1/me/addresses").await.expect(200).body;
        assert_eq!(all, json!({"items": [read]}));
        me.delete(&path).await.expect(204);
        me.get(&path).await.expect(404);
        me.delete(&path).await.expect(404);
    }

    async fn somebody_elses_address_is_not_found(shop: Shop) {
        let ada = shop.register("ada@example.com").await;
        let added = shop.bearer(ada.access()).post("/v1/me/addresses", address("S 1")).await;
        let path = format!("/v1/me/addresses/{}", text(&added.expect(201).body["id"]));
        let eve = shop.register("eve@example.com").await;
        let others = [shop.bearer(eve.access()), shop.as_owner().await];
        for other in others {
            assert_eq!(other.get(&path).await.expect(404).slug(), "address-not-found");
            other.put(&path, address("Mine now 1")).await.expect(404);
            other.delete(&path).await.expect(404);
        }
        shop.client.get(&path).await.expect(401);
        let read = shop.bearer(ada.access()).get(&path).await.expect(200).body;
        assert_eq!(read["address"]["line1"], "S 1");
    }

    async fn the_book_holds_twenty(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let me = shop.bearer(tokens.access());
        for n in 0..20 {
            me.post("/v1/me/addresses", address(&format!("Street {n}"))).await.expect(201);
        }
        let reply = me.post("/v1/me/addresses", address("Street 21")).await.expect(422);
        assert_eq!(reply.slug(), "too-many-addresses");
    }

    async fn the_same_key_adds_an_address_once(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let me = shop.bearer(tokens.access());
        let once = me.with("idempotency-key", "one");
        let first = once.post("/v1/me/addresses", address("Street 1")).await.expect(201);
        let again = once.post("/v1/me/addresses", address("Street 1")).await.expect(201);
        assert_eq!(first.body, again.body);
        assert_eq!(first.headers["location"], again.headers["location"]);
        let other = once.post("/v1/me/addresses", address("Street 2")).await.expect(422);
        assert_eq!(other.slug(), "idempotency-key-reused");
        let all = me.get("/v1/me/addresses").await.expect(200).body;
        assert_eq!(all["items"].as_array().unwrap().len(), 1);
    }

    async fn a_bad_address_names_its_field_and_changes_nothing(shop: Shop) {
        let tokens = shop.register("ada@example.com").await;
        let me = shop.bearer(tokens.access());
        let long = "x".repeat(256);
        let reply = me.post("/v1/me/addresses", address(&long)).await.expect(400);
        assert_eq!((reply.slug(), reply.fields()), ("invalid-address", vec!["address.line1"]));
        let mut bad = address("Street 1");
        bad["address"]["country"] = json!("XX");
        let reply = me.post("/v1/me/addresses", bad).await.expect(400);
        assert_eq!(reply.fields(), ["address.country"]);
        let all = me.get("/v1/me/addresses").await.expect(200).body;
        assert_eq!(all["items"], json!([]));
    }
}
