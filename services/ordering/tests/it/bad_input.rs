//! Whatever is wrong with a request is a 4xx that names the field, and changes nothing.

use http::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, address, on_both, var};

/// Sends the body and expects a problem of this status that names the field.
async fn refused(
    client: &platform::testing::Client,
    request: (Method, &str),
    body: &Value,
    field: &str,
) {
    let reply = client.send(request.0.clone(), request.1, Some(body.clone())).await;
    let known = [400, 404, 409, 412, 422].contains(&reply.status.as_u16());
    assert!(known, "{} {} {body}: {reply:?}", request.0, request.1);
    let fields = reply.fields();
    assert!(fields.contains(&field), "{} {} {body}: {fields:?}, not {field}", request.0, request.1);
}

#[tokio::test]
async fn bad_carts_name_their_fields() {
    on_both(async |shop: Shop| {
        let client = shop.guest();
        let long = "x".repeat(300);
        let many: Vec<Value> =
            (0..101).map(|n| json!({"variant_id": var(n), "quantity": 1})).collect();
        let line = |quantity: Value| json!({"currency": "EUR", "lines": [{"variant_id": var(1), "quantity": quantity}]});
        let with = |name: &str, value: Value| json!({"currency": "EUR", name: value});
        let mut bad_address = address();
        bad_address["line1"] = json!(long);
        let mut no_country = address();
        no_country["country"] = json!("XX");
        for (body, field) in [
            (json!([]), "body"),
            (json!("x"), "body"),
            (json!({}), "currency"),
            (json!({"currency": "eur"}), "currency"),
            (json!({"currency": 7}), "currency"),
            (with("colour", json!("red")), "colour"),
            (with("lines", json!({})), "lines"),
            (with("lines", json!(many)), "lines"),
            (line(json!(0)), "lines[0].quantity"),
            (line(json!(-1)), "lines[0].quantity"),
            (line(json!(10_000)), "lines[0].quantity"),
            (line(json!(1e30)), "lines[0].quantity"),
            (line(json!("1")), "lines[0].quantity"),
            (line(json!(null)), "lines[0].quantity"),
            (with("lines", json!([{"variant_id": "var_x", "quantity": 1}])), "lines[0].variant_id"),
            (with("lines", json!([{"variant_id": var(99), "quantity": 1}])), "lines[0].variant_id"),
            (with("lines", json!([{"quantity": 1}])), "lines[0].variant_id"),
            (with("email", json!("nobody")), "email"),
            (with("email", json!(format!("{long}@x.org"))), "email"),
            (with("shipping_address", bad_address), "shipping_address.line1"),
            (with("shipping_address", no_country), "shipping_address.country"),
            (with("billing_address", json!({"name": "x"})), "billing_address.line1"),
            (with("shipping_method_id", json!("ship_")), "shipping_method_id"),
        ] {
            refused(&client, (Method::POST, "/v1/carts"), &body, field).await;
        }
    })
    .await;
}

#[tokio::test]
async fn bad_changes_leave_the_cart_as_it_was() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        let path = opened.path();
        let (lines, one) = (format!("{path}/lines"), format!("{path}/lines/{}", var(1)));
        for (method, path, body, field) in [
            (Method::PATCH, &path, json!({"currency": "USD"}), "currency"),
            (Method::PATCH, &path, json!({"email": 1}), "email"),
            (
                Method::PATCH,
                &path,
                json!({"shipping_address": {"city": "x"}}),
                "shipping_address.name",
            ),
            (Method::POST, &lines, json!({"variant_id": var(1)}), "quantity"),
            (Method::POST, &lines, json!({"variant_id": 1, "quantity": 1}), "variant_id"),
            (Method::POST, &lines, json!({"variant_id": var(1), "quantity": 9_999}), "quantity"),
            (Method::PUT, &one, json!({"quantity": 0}), "quantity"),
            (Method::PUT, &one, json!({"quantity": 1.5}), "quantity"),
            (Method::PUT, &one, json!({"amount": 1}), "amount"),
        ] {
            refused(&opened.client, (method, path), &body, field).await;
        }
        let bad_path = opened.client.put(&format!("{path}/lines/x"), json!({"quantity": 1})).await;
        bad_path.expect(400);
        shop.guest().get("/v1/carts/cart_x").await.expect(400);
        let long = "s".repeat(129);
        let long = shop.guest().with("cart-secret", &long).get(&path).await.expect(400);
        assert_eq!(long.fields(), ["cart-secret"]);
        assert_eq!(opened.read().await.expect(200).version(), Some(1));
    })
    .await;
}

#[tokio::test]
async fn bad_completions_buy_nothing() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        let client = opened.client.with("idempotency-key", "k");
        let path = format!("{}/complete", opened.path());
        let total = opened.total();
        let paid = |token: Value| json!({"expected_total": total, "payment_token": token});
        for (body, field) in [
            (json!({}), "expected_total"),
            (json!({"expected_total": 1490}), "expected_total"),
            (
                json!({"expected_total": {"amount": "1490", "currency": "EUR"}}),
                "expected_total.amount",
            ),
            (json!({"expected_total": {"amount": -1490, "currency": "EUR"}}), "expected_total"),
            (paid(json!("")), "payment_token"),
            (paid(json!("x".repeat(256))), "payment_token"),
            (paid(json!("tok ok")), "payment_token"),
            (paid(json!("4111 1111 1111 1111")), "payment_token"),
            (paid(json!("4111111111111111")), "payment_token"),
            (paid(json!(7)), "payment_token"),
            (paid(json!(null)), "payment_token"),
            (json!({"expected_total": total, "card": "x"}), "card"),
        ] {
            refused(&client, (Method::POST, &path), &body, field).await;
        }
        assert!(shop.events().await.is_empty());
        assert_eq!(opened.read().await.body["status"], "open");
    })
    .await;
}

#[tokio::test]
async fn bad_settings_name_their_fields() {
    on_both(async |shop: Shop| {
        let clerk = shop.staff(&["settings:*"]);
        let zone = clerk.get("/v1/admin/shipping-zones").await.body["items"][0]["id"].clone();
        let method = |prices: Value| json!({"zone_id": zone, "name": {"en": "X"}, "prices": prices});
        let eur = |amount: i64| json!({"amount": amount, "currency": "EUR"});
        let rate = |name: &str, value: Value| {
            let mut rate = json!({"name": "VAT", "country": "DE", "tax_class": "standard", "rate_percent": "19"});
            rate[name] = value;
            rate
        };
        let step = |grams: i64| json!({"up_to_grams": grams, "price": eur(1)});
        let (zones, methods, rates, pricing) = ("shipping-zones", "shipping-methods", "tax-rates", "pricing-settings");
        for (method_of, path, body, field) in [
            (Method::POST, zones, json!({"name": ""}), "name"),
            (Method::POST, zones, json!({"name": "a\u{1b}"}), "name"),
            (Method::POST, zones, json!({"name": "x", "countries": ["EU"]}), "countries[0]"),
            (Method::POST, methods, method(json!([])), "prices"),
            (Method::POST, methods, method(json!([{"currency": "EUR"}])), "prices[0].flat"),
            (Method::POST, methods, method(json!([{"currency": "EUR", "flat": eur(-1)}])), "prices[0].flat"),
            (Method::POST, methods, method(json!([{"currency": "USD", "flat": eur(1)}])), "prices[0].flat"),
            (Method::POST, methods, method(json!([{"currency": "EUR", "flat": eur(1)}, {"currency": "EUR", "flat": eur(1)}])), "prices[1].currency"),
            (Method::POST, methods, method(json!([{"currency": "EUR", "by_weight": [step(2), step(1)]}])), "prices[0].by_weight"),
            (Method::POST, methods, method(json!([{"currency": "EUR", "by_weight": []}])), "prices[0].by_weight"),
            (Method::POST, methods, method(json!([{"currency": "EUR", "by_weight": [step(0)]}])), "prices[0].by_weight[0].up_to_grams"),
            (Method::POST, methods, json!({"zone_id": zone, "name": {}, "prices": [{"currency": "EUR", "flat": eur(1)}]}), "name"),
            (Method::POST, methods, json!({"zone_id": zone, "name": {"english": "X"}, "prices": []}), "name.english"),
            (Method::POST, rates, rate("rate_percent", json!("101")), "rate_percent"),
            (Method::POST, rates, rate("rate_percent", json!("1.23456")), "rate_percent"),
            (Method::POST, rates, rate("rate_percent", json!(19)), "rate_percent"),
            (Method::POST, rates, rate("tax_class", json!("Standard")), "tax_class"),
            (Method::POST, rates, rate("tax_class", json!("none")), "tax_class"),
            (Method::POST, rates, rate("region", json!("")), "region"),
            (Method::POST, rates, rate("country", json!("Germany")), "country"),
            (Method::PUT, pricing, json!({"prices_include_tax": true}), "rounding"),
            (Method::PUT, pricing, json!({"prices_include_tax": 1, "rounding": "half_up"}), "prices_include_tax"),
            (Method::PUT, pricing, json!({"prices_include_tax": true, "rounding": "down"}), "rounding"),
        ] {
            refused(&clerk, (method_of, &format!("/v1/admin/{path}")), &body, field).await;
        }
        let unknown = kernel::id::encode("zone", crate::world::variant(1));
        let body = json!({"zone_id": unknown, "name": {"en": "X"}, "prices": [{"currency": "EUR", "flat": eur(1)}]});
        refused(&clerk, (Method::POST, "/v1/admin/shipping-methods"), &body, "zone_id").await;
        let gone = format!("/v1/admin/shipping-zones/{unknown}");
        clerk.get(&gone).await.expect(404);
        clerk.delete(&gone).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn bad_questions_for_orders_name_their_fields() {
    on_both(async |shop: Shop| {
        let clerk = shop.staff(&["orders:*"]);
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("cursor=%20", "cursor"),
            ("status=open", "status"),
            ("payment_status=paid", "payment_status"),
            ("number=0", "number"),
            ("number=-1", "number"),
            ("customer_id=1", "customer_id"),
            ("placed_after=yesterday", "placed_after"),
            ("colour=red", "colour"),
        ] {
            let reply = clerk.get(&format!("/v1/admin/orders?{query}")).await.expect(400);
            assert_eq!(reply.fields(), [field], "{query}");
        }
        clerk.get("/v1/admin/orders/x").await.expect(400);
        let nobody = kernel::id::encode("ord", crate::world::variant(1));
        clerk.get(&format!("/v1/admin/orders/{nobody}")).await.expect(404);
        let cancel = format!("/v1/admin/orders/{nobody}/cancel");
        clerk.post(&cancel, json!({"reason": "x"})).await.expect(404);
        assert_eq!(clerk.post(&cancel, json!({})).await.expect(400).fields(), ["reason"]);
        shop.customer(1).get("/v1/orders?limit=1000").await.expect(400);
    })
    .await;
}
