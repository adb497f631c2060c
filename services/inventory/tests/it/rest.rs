//! What staff do, and what they cannot.

use serde_json::{Value, json};

use crate::shop::{
    ADJUSTMENTS, LEVELS, LOCATIONS, MOVEMENTS, POLICIES, RECEIPTS, RESERVATIONS, Shop, TRANSFERS,
    on_both, order, var,
};

#[tokio::test]
async fn goods_are_received_adjusted_moved_and_every_step_is_in_the_ledger() {
    on_both(async |shop: Shop| {
        let clerk = shop.clerk();
        let body = json!({"lines": [
            {"variant_id": var(1), "quantity": 10, "sku": "MUG"}, {"variant_id": var(2), "quantity": 3}
        ], "reference": "DN-7"});
        let receipt = clerk.post(RECEIPTS, body).await.expect(201).body;
        assert_eq!((receipt["movements"].as_array().unwrap().len(), &receipt["movements"][0]["reference"]), (2, &json!("DN-7")));
        let body = json!({"variant_id": var(1), "delta": -1, "reason": "damage", "note": "handle off"});
        let adjusted = clerk.post(ADJUSTMENTS, body).await.expect(201).body;
        assert_eq!((&adjusted["levels"][0]["on_hand"], &adjusted["movements"][0]["reason"]), (&json!(9), &json!("damage")));
        let home = home(&shop).await;
        let other = clerk.post(LOCATIONS, json!({"name": "Hamburg", "country": "DE"})).await.expect(201).body["id"].clone();
        let body = json!({"variant_id": var(1), "from_location_id": home, "to_location_id": other, "quantity": 4});
        let moved = clerk.post(TRANSFERS, body).await.expect(201).body;
        assert_eq!(moved["levels"].as_array().unwrap().len(), 2);
        assert_eq!(shop.level(1).await, (9, 0));
        let ledger = shop.movements(1).await;
        assert_eq!(ledger.len(), 4);
        assert!(ledger.iter().all(|m| m["by"].as_str().unwrap().starts_with("staff:") && m["sku"] == "MUG"));
    })
    .await;
}

async fn home(shop: &Shop) -> Value {
    let locations = shop.clerk().get(LOCATIONS).await.expect(200).body;
    let items = locations["items"].as_array().unwrap();
    items.iter().find(|location| location["default"] == true).unwrap()["id"].clone()
}

#[tokio::test]
async fn the_same_key_books_once_and_answers_the_same() {
    on_both(async |shop: Shop| {
        let clerk = shop.clerk().with("idempotency-key", "delivery-42");
        let body = json!({"lines": [{"variant_id": var(1), "quantity": 10}]});
        let first = clerk.post(RECEIPTS, body.clone()).await.expect(201);
        let second = clerk.post(RECEIPTS, body).await.expect(201);
        assert_eq!(first.body, second.body);
        assert_eq!(shop.level(1).await, (10, 0));
        let other = json!({"lines": [{"variant_id": var(1), "quantity": 11}]});
        clerk.post(RECEIPTS, other).await.expect(422);
        let location = shop.clerk().with("idempotency-key", "new-place");
        let first = location.post(LOCATIONS, json!({"name": "A"})).await.expect(201);
        let second = location.post(LOCATIONS, json!({"name": "A"})).await.expect(201);
        assert_eq!(
            (&first.body, first.version(), first.headers.get("location")),
            (&second.body, second.version(), second.headers.get("location"))
        );
    })
    .await;
}

#[tokio::test]
async fn an_adjustment_leaves_what_orders_hold() {
    on_both(async |shop: Shop| {
        shop.receive(1, 5).await;
        shop.reserve(order(1), &[(1, 4)]).await;
        let take = |n, units: i64| json!({"variant_id": var(n), "delta": -units, "reason": "loss"});
        let refused = shop.clerk().post(ADJUSTMENTS, take(1, 2)).await.expect(409);
        assert_eq!((refused.slug(), shop.level(1).await), ("below-reserved", (5, 4)));
        shop.clerk().post(ADJUSTMENTS, take(1, 1)).await.expect(201);
        shop.policy(1, true, true).await;
        shop.clerk().post(ADJUSTMENTS, take(1, 3)).await.expect(201);
        assert_eq!(shop.level(1).await, (1, 4));
        let strict = json!({"tracked": true, "backorder": false, "low_stock_threshold": 0});
        let path = format!("{POLICIES}/{}", var(1));
        assert_eq!(
            shop.clerk().put(&path, strict).await.expect(409).slug(),
            "promised-beyond-stock"
        );
        let unknown = shop.clerk().post(ADJUSTMENTS, take(9, 1)).await.expect(422);
        assert_eq!(unknown.fields(), ["variant_id"]);
    })
    .await;
}

#[tokio::test]
async fn only_free_units_can_go_to_another_location() {
    on_both(async |shop: Shop| {
        shop.receive(1, 5).await;
        shop.reserve(order(1), &[(1, 4)]).await;
        let home = home(&shop).await;
        let other = shop.clerk().post(LOCATIONS, json!({"name": "B"})).await.expect(201).body["id"].clone();
        let body = |quantity: u32, to: &Value| {
            json!({"variant_id": var(1), "from_location_id": home, "to_location_id": to, "quantity": quantity})
        };
        let refused = shop.clerk().post(TRANSFERS, body(2, &other)).await.expect(409);
        assert_eq!(refused.slug(), "not-enough-stock");
        let refused = shop.clerk().post(TRANSFERS, body(1, &home)).await.expect(400);
        assert_eq!(refused.fields(), ["to_location_id"]);
        let nowhere = json!(kernel::id::encode("loc", order(1)));
        let refused = shop.clerk().post(TRANSFERS, body(1, &nowhere)).await.expect(422);
        assert_eq!(refused.fields(), ["to_location_id"]);
        shop.clerk().post(TRANSFERS, body(1, &other)).await.expect(201);
        assert_eq!(shop.level(1).await, (5, 4));
    })
    .await;
}

#[tokio::test]
async fn low_stock_is_listed_emptiest_first_page_by_page() {
    on_both(async |shop: Shop| {
        for n in 0..7_u128 {
            let body = json!({"tracked": n != 3, "backorder": false, "low_stock_threshold": 4, "sku": format!("S{n}")});
            shop.clerk().put(&format!("{POLICIES}/{}", var(n)), body).await.expect(200);
            shop.receive(n, 7 - n as u32).await;
        }
        let clerk = shop.clerk();
        let mut path = format!("{LEVELS}?low_stock=true&limit=1");
        let mut seen = Vec::new();
        loop {
            let page = clerk.get(&path).await.expect(200).body;
            seen.extend(page["items"].as_array().unwrap().iter().map(|l| l["available"].as_i64().unwrap()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("{LEVELS}?low_stock=true&limit=1&cursor={cursor}");
        }
        assert_eq!(seen, [1, 2, 3]);
        let by_sku = clerk.get(&format!("{LEVELS}?sku=S4")).await.expect(200).body;
        assert_eq!((by_sku["items"].as_array().unwrap().len(), &by_sku["items"][0]["low_stock"]), (1, &json!(true)));
        let none = clerk.get(&format!("{LEVELS}?sku=S0&variant_id={}", var(1))).await.expect(200).body;
        assert_eq!(none["items"], json!([]));
        let home = home(&shop).await;
        let path = format!("{LEVELS}?location_id={}&limit=100", home.as_str().unwrap());
        assert_eq!(clerk.get(&path).await.expect(200).body["items"].as_array().unwrap().len(), 7);
    })
    .await;
}

#[tokio::test]
async fn locations_have_versions_and_go_only_while_unused() {
    on_both(async |shop: Shop| {
        let clerk = shop.clerk();
        let made = clerk.post(LOCATIONS, json!({"name": "C", "country": "FR"})).await.expect(201);
        let path = made.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(made.version(), Some(1));
        let body = json!({"name": "D", "active": false, "priority": 3});
        let changed = clerk.with("if-match", "\"1\"").put(&path, body.clone()).await.expect(200);
        assert_eq!((changed.version(), &changed.body["country"]), (Some(2), &Value::Null));
        clerk.with("if-match", "\"1\"").put(&path, body.clone()).await.expect(412);
        assert_eq!(clerk.get(&path).await.expect(200).body, changed.body);

        let receipt = json!({"location_id": made.body["id"], "lines": [{"variant_id": var(1), "quantity": 1}]});
        clerk.post(RECEIPTS, receipt).await.expect(201);
        assert_eq!(clerk.delete(&path).await.expect(409).slug(), "location-in-use");
        let unused = clerk.post(LOCATIONS, json!({"name": "E"})).await.expect(201);
        let unused = unused.headers["location"].to_str().unwrap().to_owned();
        clerk.delete(&unused).await.expect(204);
        clerk.delete(&unused).await.expect(404);
        clerk.get(&unused).await.expect(404);
        clerk.put(&unused, body).await.expect(404);

        let home = format!("{LOCATIONS}/{}", home(&shop).await.as_str().unwrap());
        assert_eq!(clerk.delete(&home).await.expect(409).slug(), "default-location");
        let body = json!({"name": "X", "active": false});
        assert_eq!(clerk.put(&home, body).await.expect(409).slug(), "default-location");
        clerk.put(&home, json!({"name": "Main", "country": "AT"})).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_shop_has_a_bounded_number_of_locations() {
    on_both(async |shop: Shop| {
        let clerk = shop.clerk();
        for n in 1..100 {
            clerk.post(LOCATIONS, json!({"name": format!("L{n}")})).await.expect(201);
        }
        assert_eq!(
            clerk.post(LOCATIONS, json!({"name": "one more"})).await.expect(409).slug(),
            "too-many-locations"
        );
        assert_eq!(
            clerk.get(LOCATIONS).await.expect(200).body["items"].as_array().unwrap().len(),
            100
        );
    })
    .await;
}

#[tokio::test]
async fn reservations_are_found_by_order_and_by_status() {
    on_both(async |shop: Shop| {
        shop.receive(1, 2).await;
        for n in 0..3 {
            shop.reserve(order(n), &[(1, 1)]).await;
        }
        shop.release(order(0)).await;
        let clerk = shop.clerk();
        let list = async |query: &str| {
            clerk.get(&format!("{RESERVATIONS}?{query}")).await.expect(200).body["items"].clone()
        };
        assert_eq!(list("status=active").await.as_array().unwrap().len(), 1);
        assert_eq!(list("status=refused").await[0]["lines"], json!([]));
        assert_eq!(list("limit=100").await.as_array().unwrap().len(), 3);
        let id = kernel::id::encode("ord", order(1));
        let one = list(&format!("order_id={id}")).await;
        assert_eq!(
            (&one[0]["order_id"], &one[0]["status"], &one[0]["lines"][0]["quantity"]),
            (&json!(id), &json!("active"), &json!(1))
        );
        assert_eq!(list(&format!("order_id={id}&status=expired")).await, json!([]));
    })
    .await;
}

#[tokio::test]
async fn nobody_gets_in_without_the_permission() {
    on_both(async |shop: Shop| {
        let reader = shop.staff(&["inventory:read"]);
        let writer = shop.staff(&["inventory:write"]);
        let stranger = shop.staff(&["orders:read"]);
        let nobody = platform::testing::module_client(&shop.service.http);
        let adjust = json!({"variant_id": var(1), "delta": 1, "reason": "found"});
        for path in [LEVELS, LOCATIONS, MOVEMENTS, RESERVATIONS] {
            reader.get(path).await.expect(200);
            writer.get(path).await.expect(403);
            stranger.get(path).await.expect(403);
            nobody.get(path).await.expect(401);
        }
        reader.post(ADJUSTMENTS, adjust.clone()).await.expect(403);
        nobody.post(ADJUSTMENTS, adjust).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_named_and_changes_nothing() {
    on_both(async |shop: Shop| {
        shop.receive(1, 5).await;
        let clerk = shop.clerk();
        let line = |quantity: Value| json!({"lines": [{"variant_id": var(1), "quantity": quantity}]});
        let many = vec![json!({"variant_id": var(1), "quantity": 1}); 201];
        let adjust = |delta: Value| json!({"variant_id": var(1), "delta": delta, "reason": "found"});
        let posts = [
            (RECEIPTS, line(json!(0)), "lines[0].quantity"),
            (RECEIPTS, line(json!(-1)), "lines[0].quantity"),
            (RECEIPTS, line(json!(10_000)), "lines[0].quantity"),
            (RECEIPTS, line(json!(1.5)), "lines[0].quantity"),
            (RECEIPTS, line(json!("1")), "lines[0].quantity"),
            (RECEIPTS, json!({"lines": []}), "lines"),
            (RECEIPTS, json!({"lines": many}), "lines"),
            (RECEIPTS, json!({"lines": [{"variant_id": "prod_x", "quantity": 1}]}), "lines[0].variant_id"),
            (RECEIPTS, json!({"lines": [{"variant_id": var(1), "quantity": 1, "sku": " "}]}), "lines[0].sku"),
            (RECEIPTS, json!({"lines": [{"variant_id": var(1), "quantity": 1}], "reference": "a\nb"}), "reference"),
            (ADJUSTMENTS, adjust(json!(0)), "delta"),
            (ADJUSTMENTS, adjust(json!(1_000_001)), "delta"),
            (ADJUSTMENTS, json!({"variant_id": var(1), "delta": 1, "reason": "fun"}), "reason"),
            (ADJUSTMENTS, json!({"variant_id": var(1), "delta": 1, "reason": "found", "note": "x".repeat(501)}), "note"),
            (LOCATIONS, json!({"name": ""}), "name"),
            (LOCATIONS, json!({"name": "x".repeat(101)}), "name"),
            (LOCATIONS, json!({"name": "x", "country": "de"}), "country"),
            (LOCATIONS, json!({"name": "x", "priority": 9_000_000}), "priority"),
        ];
        for (path, body, field) in posts {
            let reply = clerk.post(path, body.clone()).await.expect(400);
            assert_eq!(reply.fields(), [field], "{path} {body} {}", reply.body);
        }
        clerk.post(LOCATIONS, json!({"name": "x", "colour": "red"})).await.expect(400);
        clerk.post(ADJUSTMENTS, json!([])).await.expect(400);
        for (query, field) in [
            ("limit=0", "limit"), ("limit=101", "limit"), ("cursor=%21", "cursor"), ("cursor=", "cursor"),
            ("variant_id=7", "variant_id"), ("low_stock=maybe", "low_stock"), ("colour=red", "colour"),
        ] {
            let reply = clerk.get(&format!("{LEVELS}?{query}")).await.expect(400);
            assert_eq!(reply.fields(), [field], "{query}");
        }
        shop.receive(2, 1).await;
        let page = clerk.get(&format!("{LEVELS}?limit=1")).await.expect(200).body;
        let cursor = page["next_cursor"].as_str().unwrap();
        for list in [MOVEMENTS, RESERVATIONS, &format!("{LEVELS}?low_stock=true")] {
            let joint = if list.contains('?') { '&' } else { '?' };
            clerk.get(&format!("{list}{joint}cursor={cursor}")).await.expect(200);
        }
        let policy = json!({"tracked": true, "backorder": false, "low_stock_threshold": -1});
        let reply = clerk.put(&format!("{POLICIES}/{}", var(1)), policy.clone()).await.expect(400);
        assert_eq!(reply.fields(), ["low_stock_threshold"]);
        clerk.put(&format!("{POLICIES}/nonsense"), policy).await.expect(400);
        clerk.get(&format!("{LOCATIONS}/loc_1")).await.expect(400);
        assert_eq!((shop.level(1).await, shop.movements(1).await.len()), ((5, 0), 1));
    })
    .await;
}
