//! Whatever staff may store, an export brings it back unchanged.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::shop::Shop;

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Zäé'=+@\"\n, ;|>/-]{0,12}"
}

fn word() -> impl Strategy<Value = String> {
    "[a-z=+@'-][a-zA-Zä'\" -]{0,8}[a-z]"
}

prop_compose! {
    fn variant(options: usize)(
        sku in prop::option::of("[A-Z0-9=-]{1,6}"),
        values in prop::collection::vec(word(), options),
        prices in prop::collection::btree_map(prop::sample::select(vec!["EUR", "USD", "JPY"]), (0i64..100_000, prop::option::of(0i64..100_000)), 0..3),
        grams in 0u32..5_000,
        tax in prop::sample::select(vec!["standard", "none", "reduced"]),
        shipping: bool,
        gift: bool,
        attributes in prop::collection::btree_map(word(), text(), 0..3),
        barcode in prop::option::of(word()),
    ) -> Value {
        let prices: Vec<Value> = prices.into_iter().map(|(currency, (amount, compare))| {
            let mut price = json!({"price": {"amount": amount, "currency": currency}});
            if let Some(amount) = compare {
                price["compare_at"] = json!({"amount": amount, "currency": currency});
            }
            price
        }).collect();
        let mut variant = json!({"options": values, "prices": prices, "weight_grams": grams,
            "tax_class": tax, "requires_shipping": shipping, "gift_card": gift,
            "attributes": attributes});
        if let Some(sku) = sku { variant["sku"] = json!(sku); }
        if let Some(barcode) = barcode { variant["barcode"] = json!(barcode); }
        variant
    }
}

prop_compose! {
    fn product()(options in 0usize..3)(
        title in word(),
        description in text(),
        german in text(),
        vendor in text(),
        tags in prop::collection::vec("[a-z=+'-]{1,6}", 0..3),
        names in prop::collection::btree_set("[A-Z][a-z]{2,5}", options),
        variants in prop::collection::vec(variant(options), 1..if options == 0 { 2 } else { 4 }),
        attributes in prop::collection::btree_map(word(), text(), 0..3),
        status in prop::sample::select(vec!["draft", "published", "archived"]),
        urls in prop::collection::btree_set("[a-z=]{1,5}\\.jpg", 0..3),
        alt in text(),
    ) -> Value {
        let media: Vec<Value> = urls
            .iter()
            .map(|url| json!({"url": url, "alt": {"en": alt, "de": "Bild"}}))
            .collect();
        json!({"title": {"en": title, "de": german}, "description": {"en": description},
            "vendor": vendor, "tags": tags, "options": names, "variants": variants,
            "attributes": attributes, "status": status, "media": media, "seo_title": {"en": alt}})
    }
}

#[test]
fn an_export_is_a_file_whose_import_changes_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let products = prop::collection::vec(product(), 1..5);
    runner
        .run(&products, |products| {
            runtime.block_on(async {
                let shop = Shop::in_memory();
                let mut stored = 0;
                for (number, mut product) in products.into_iter().enumerate() {
                    product["handle"] = json!(format!("p{number}"));
                    let reply = shop.staff().post("/v1/admin/products", product).await;
                    assert!(reply.status.as_u16() < 500, "{:?}", reply.body);
                    stored += u64::from(reply.status == 201);
                }
                let export = shop.export().await;
                let report = shop.import(export.clone()).await;
                assert_eq!(report.errors, [], "{export}");
                assert_eq!(report.products.unchanged, stored, "{export}");
                assert_eq!(shop.export().await, export);
            });
            Ok(())
        })
        .unwrap();
}
