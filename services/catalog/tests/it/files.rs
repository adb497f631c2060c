//! The three files of real shops: every cell that is not empty is found again.

use std::collections::BTreeSet;

use catalog::domain::Product;
use catalog::domain::import::rows::Rows;
use platform::store::{Query, Versioned};

use crate::shop::{Shop, data, has_data, on_each};

const FILES: [(&str, u64, u64); 3] = [
    // File, products, variants.
    ("shopify-apparel.csv", 20, 22),
    ("shopify-jewelery.csv", 20, 23),
    ("vendure-import.csv", 4, 11),
];

/// Everything that is stored of a shop as plain words.
async fn stored(shop: &Shop) -> BTreeSet<String> {
    let products: Vec<Versioned<Product>> =
        shop.executor.store().list(Query::new(1_000)).await.unwrap();
    let mut words = BTreeSet::new();
    let mut add = |text: &str| {
        words.insert(text.trim().to_owned());
    };
    for product in products.iter().map(|p| &p.state) {
        add(product.handle.as_str());
        let texts = [&product.title, &product.description, &product.seo.title];
        for text in texts.iter().flat_map(|text| text.0.values()) {
            add(text);
        }
        for text in [&product.vendor, &product.product_type].into_iter().flatten() {
            add(text);
        }
        add(&product.tags.join(", "));
        for option in &product.options {
            add(&option.name);
        }
        add(&product.options.iter().map(|o| o.name.as_str()).collect::<Vec<_>>().join("|"));
        add(if product.is_published() { "true" } else { "false" });
        let facets: Vec<String> = product
            .attributes
            .iter()
            .filter_map(|(k, v)| Some(format!("{}:{v}", k.strip_prefix("facet.")?)))
            .collect();
        for order in [facets.join("|"), facets.iter().rev().cloned().collect::<Vec<_>>().join("|")]
        {
            add(&order);
        }
        product.attributes.values().for_each(|value| add(value));
        for (index, media) in product.media.iter().enumerate() {
            add(&media.url);
            add(&(index + 1).to_string());
        }
        add(&product.media.iter().map(|m| m.url.as_str()).collect::<Vec<_>>().join("|"));
        for variant in &product.variants {
            add(variant.sku.as_ref().map_or("", |s| s.as_str()));
            variant.options.iter().for_each(|value| add(value));
            add(&variant.options.join("|"));
            add(&variant.weight_grams.to_string());
            add(variant.weight_unit.map_or("", |unit| unit.code()));
            add(variant.tax_class.as_str());
            add(if variant.gift_card { "true" } else { "false" });
            for price in &variant.prices {
                for money in [Some(price.money()), price.compare_at()].into_iter().flatten() {
                    let text = money.to_decimal();
                    add(&text);
                    add(text.trim_end_matches('0').trim_end_matches('.'));
                }
            }
            let facets: Vec<String> = variant
                .attributes
                .iter()
                .filter_map(|(k, v)| Some(format!("{}:{v}", k.strip_prefix("facet.")?)))
                .collect();
            add(&facets.join("|"));
            variant.attributes.values().for_each(|value| add(value));
        }
    }
    for count in shop.inventory.counts.lock().unwrap().values() {
        add(&count.on_hand.to_string());
        add(if count.backorder { "continue" } else { "deny" });
        add(if count.tracked { "true" } else { "false" });
    }
    words
}

#[tokio::test]
async fn no_cell_of_the_three_files_is_lost() {
    if !has_data() {
        return;
    }
    for (file, products, variants) in FILES {
        let shop = Shop::in_sqlite();
        let report = shop.import(data(file)).await;
        assert_eq!(report.errors, [], "{file}");
        assert_eq!((report.products.created, report.variants), (products, variants), "{file}");
        assert_eq!(report.unknown_columns, Vec::<String>::new(), "{file}");
        let words = stored(&shop).await;
        let file_bytes = data(file);
        let mut rows = Rows::new(&file_bytes[..]).unwrap();
        let header = rows.next_record().unwrap().unwrap();
        let mut cells = 0;
        while let Some(row) = rows.next_record().unwrap() {
            for (index, cell) in row.cells().enumerate() {
                let cell = cell.trim();
                let plain = cell.is_empty()
                    // How Shopify writes that there are no options.
                    || (header.cell(index).contains("Option1") && matches!(cell, "Title" | "Default Title"));
                if plain {
                    continue;
                }
                cells += 1;
                let name = header.cell(index).trim();
                assert!(words.contains(cell), "{file}, line {}, {name}: {cell}", row.line);
            }
        }
        assert!(cells > 80, "{file}");
    }
}

#[tokio::test]
async fn importing_a_file_again_changes_nothing() {
    if !has_data() {
        return;
    }
    on_each(async |shop: Shop| {
        for (file, products, _) in FILES {
            shop.import(data(file)).await;
            let before = (shop.export().await, shop.events().await.len());
            let again = shop.import(data(file)).await;
            assert_eq!(again.products.unchanged, products, "{file}");
            assert_eq!(again.products.created + again.products.updated, 0, "{file}");
            assert_eq!(again.stock.changed, 0, "{file}");
            assert_eq!((shop.export().await, shop.events().await.len()), before, "{file}");
        }
    })
    .await;
}

#[tokio::test]
async fn importing_an_export_changes_nothing() {
    if !has_data() {
        return;
    }
    on_each(async |shop: Shop| {
        let mut products = 0;
        for (file, count, _) in FILES {
            shop.import(data(file)).await;
            products += count;
        }
        let export = shop.export().await;
        let again = shop.import(export.clone()).await;
        assert_eq!(again.errors, []);
        assert_eq!(again.products.unchanged, products);
        assert_eq!(again.stock.changed, 0);
        assert_eq!(shop.export().await, export);
        // An empty shop becomes the same shop.
        let other = Shop::in_memory();
        let report = other.import(export.clone()).await;
        assert_eq!((report.products.created, report.errors_total), (products, 0));
        assert_eq!(other.export().await, export);
    })
    .await;
}

#[tokio::test]
async fn vendures_twins_and_negative_stock_are_kept_and_told() {
    if !has_data() {
        return;
    }
    let shop = Shop::in_sqlite();
    let report = shop.import(data("vendure-import.csv")).await;
    let messages: Vec<&str> = report.warnings.iter().map(|w| w.message.as_str()).collect();
    assert!(messages.iter().any(|m| m.contains("below zero")), "{messages:?}");
    assert!(messages.iter().any(|m| m.contains("same options")), "{messages:?}");
    let counts = shop.inventory.counts.lock().unwrap();
    assert!(counts.values().any(|c| c.on_hand == -10 && !c.tracked && c.sku == "PPSF"));
}
