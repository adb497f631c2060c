//! Zones, methods, tax rates and how prices are meant.

use serde_json::{Value, json};

use crate::shop::{Shop, cart, on_both};

const ZONES: &str = "/v1/admin/shipping-zones";
const METHODS: &str = "/v1/admin/shipping-methods";
const RATES: &str = "/v1/admin/tax-rates";
const PRICING: &str = "/v1/admin/pricing-settings";

fn money(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

#[tokio::test]
async fn a_shop_that_nobody_configured_ships_everywhere_for_a_flat_price() {
    on_both(async |shop: Shop| {
        let clerk = shop.staff(&["settings:read"]);
        let zones = clerk.get(ZONES).await.expect(200).body;
        assert_eq!(zones["items"][0]["countries"], json!([]));
        let methods = clerk.get(METHODS).await.expect(200).body;
        assert_eq!(methods["items"][0]["prices"][0]["flat"], money(490));
        assert_eq!(methods["items"][0]["prices"][0]["free_above"], money(5000));
        let countries = shop.guest().get("/v1/shipping-countries").await.expect(200).body;
        assert_eq!(countries, json!({"everywhere": true, "countries": []}));
        let pricing = clerk.get(PRICING).await.expect(200);
        assert_eq!(
            (pricing.version(), &pricing.body["prices_include_tax"]),
            (Some(1), &json!(true))
        );
    })
    .await;
}

#[tokio::test]
async fn a_zone_with_methods_by_weight_changes_what_a_cart_can_choose() {
    on_both(async |shop: Shop| {
        let clerk = shop.staff(&["settings:*"]);
        let zone = json!({"name": "Home", "countries": ["DE", "AT", "DE"]});
        let zone = clerk.post(ZONES, zone).await.expect(201).body;
        assert_eq!(zone["countries"], json!(["AT", "DE"]));
        let express = json!({"zone_id": zone["id"], "name": {"en": "Express", "de": "Eilig"},
            "prices": [{"currency": "EUR", "by_weight": [
                {"up_to_grams": 1000, "price": money(900)}, {"up_to_grams": 5000, "price": money(1900)}]}]});
        let express = clerk.post(METHODS, express).await.expect(201).body;
        let letter = json!({"zone_id": zone["id"], "name": {"en": "Letter"},
            "prices": [{"currency": "EUR", "flat": money(200)}]});
        let letter = clerk.post(METHODS, letter).await.expect(201).body;

        let opened = shop.guest_cart(&[(1, 3)]).await;
        assert_eq!(opened.body["shipping"]["status"], "undecided");
        let options = opened.client.with("accept-language", "de-AT, en;q=0.5");
        let options = options.get(&format!("{}/shipping-methods", opened.path())).await.expect(200);
        assert_eq!(options.body["items"], json!([
            {"id": express["id"], "name": "Eilig", "price": money(1900)},
            {"id": letter["id"], "name": "Letter", "price": money(200)}]));
        let refused = opened.complete("k", "tok_ok").await.expect(422);
        assert_eq!(refused.slug(), "shipping-method-missing");
        let choose = json!({"shipping_method_id": letter["id"]});
        let chosen = opened.client.patch(&opened.path(), choose).await.expect(200).body;
        assert_eq!(chosen["totals"]["total"], money(3200));

        clerk.delete(&format!("{ZONES}/{}", zone["id"].as_str().unwrap())).await.expect(409);
        clerk.delete(&format!("{METHODS}/{}", letter["id"].as_str().unwrap())).await.expect(204);
        let gone = opened.read().await.expect(200).body;
        assert_eq!(gone["shipping"]["status"], "unavailable");
    })
    .await;
}

#[tokio::test]
async fn tax_is_taken_by_country_and_region_and_kept_in_the_order() {
    on_both(async |shop: Shop| {
        let clerk = shop.staff(&["settings:*"]);
        let rate = |percent: &str| {
            json!({"name": "VAT", "country": "DE", "tax_class": "standard",
            "rate_percent": percent})
        };
        let created = clerk.post(RATES, rate("19")).await.expect(201);
        assert_eq!(clerk.post(RATES, rate("7")).await.expect(409).slug(), "tax-rate-exists");
        let opened = shop.guest_cart(&[(1, 1)]).await;
        assert_eq!(opened.body["lines"][0]["tax"], money(160));
        // 10.00 + 4.90 contain 1.60 + 0.78.
        assert_eq!(opened.body["totals"]["tax"], money(238));
        assert_eq!(opened.body["totals"]["total"], money(1490));
        let order = opened.complete("k", "tok_ok").await.expect(201).body;
        assert_eq!(order["totals"]["taxes"][0]["rate_percent"], "19");

        let settings = json!({"prices_include_tax": false, "rounding": "half_even",
            "shipping_tax_class": null});
        clerk.put(PRICING, settings.clone()).await.expect(200);
        clerk.with("if-match", "\"1\"").put(PRICING, settings).await.expect(412);
        let path = format!("{RATES}/{}", created.body["id"].as_str().unwrap());
        clerk.with("if-match", "\"1\"").put(&path, rate("8.875")).await.expect(200);
        clerk.with("if-match", "\"1\"").put(&path, rate("9")).await.expect(412);
        let opened = shop.open(&shop.guest(), cart(&[(1, 1)])).await;
        assert_eq!(opened.body["totals"]["tax"], money(89));
        assert_eq!(opened.body["totals"]["total"], money(1000 + 490 + 89));
    })
    .await;
}

#[tokio::test]
async fn settings_need_their_permission_and_the_same_key_creates_once() {
    on_both(async |shop: Shop| {
        for path in [ZONES, METHODS, RATES, PRICING] {
            shop.guest().get(path).await.expect(401);
            shop.customer(1).get(path).await.expect(403);
            shop.staff(&["orders:*"]).get(path).await.expect(403);
        }
        let zone = json!({"name": "Home", "countries": ["DE"]});
        shop.staff(&["settings:read"]).post(ZONES, zone.clone()).await.expect(403);
        let clerk = shop.staff(&["settings:*"]).with("idempotency-key", "z");
        let first = clerk.post(ZONES, zone.clone()).await.expect(201);
        let again = clerk.post(ZONES, zone).await.expect(201);
        assert_eq!(first.body, again.body);
        assert_eq!(clerk.get(ZONES).await.body["items"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn lists_of_settings_page_by_key() {
    on_both(async |shop: Shop| {
        let clerk = shop.staff(&["settings:*"]);
        for name in ["A", "B", "C", "D"] {
            clerk.post(ZONES, json!({"name": name})).await.expect(201);
        }
        let mut names = Vec::new();
        let mut path = format!("{ZONES}?limit=2");
        loop {
            let page = clerk.get(&path).await.expect(200).body;
            for zone in page["items"].as_array().unwrap() {
                names.push(zone["name"].as_str().unwrap().to_owned());
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("{ZONES}?limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(names, ["Everywhere", "A", "B", "C", "D"]);
        assert_eq!(clerk.get(&format!("{ZONES}?cursor=x")).await.expect(400).fields(), ["cursor"]);
    })
    .await;
}
