//! What an import does with good rows, bad rows, and rows that say something new.

use catalog::domain::Product;
use platform::store::Query;
use serde_json::json;

use crate::shop::{Shop, on_each};

const HEADER: &str = "Handle,Title,Body (HTML),Vendor,Tags,Published,Option1 Name,Option1 Value,\
Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,\
Variant Inventory Policy,Variant Price,Image Src\n";

async fn product(shop: &Shop, handle: &str) -> Product {
    let found = shop.executor.store().by::<Product>("handle", handle).await.unwrap();
    found.unwrap_or_else(|| panic!("no product {handle}")).state
}

#[tokio::test]
async fn bad_rows_are_told_and_good_products_go_in() {
    on_each(async |shop: Shop| {
        let file = format!(
            "{HEADER}mug,Mug,,,,true,,,M1,100,shopify,5,deny,9.99,\n\
             hat,Hat,,,,maybe,Size,S,H1,x,shopify,1.5,deny,ten,\n\
             hat,,,,,,,,H2,10,shopify,1,deny,5,\n\
             \n\
             cup,Cup,\"two\nlines\",,,true,,,C1,1,shopify,5,perhaps,-1,\n\
             pen,Pen,,,,true,,,P1,1,,,,1,\n"
        );
        let report = shop.import(file).await;
        assert_eq!((report.products.created, report.products.failed), (2, 2));
        assert_eq!(report.rows, 5);
        let told: Vec<(u64, &str)> =
            report.errors.iter().map(|e| (e.line, e.column.as_deref().unwrap_or(""))).collect();
        assert_eq!(
            told,
            [
                (3, "Published"),
                (3, "Variant Price"),
                (3, "Variant Grams"),
                (3, "Variant Inventory Qty"),
                (4, "Option1 Value"),
                (6, "Variant Price"),
                (6, "Variant Inventory Policy"),
            ]
        );
        assert_eq!(report.errors[1].value, "ten");
        assert!(shop.executor.store().by::<Product>("handle", "hat").await.unwrap().is_none());
        assert_eq!(product(&shop, "pen").await.variants[0].prices[0].amount_minor, 100);
    })
    .await;
}

#[tokio::test]
async fn an_edited_file_changes_only_what_it_says_and_ids_survive() {
    on_each(async |shop: Shop| {
        let first = format!(
            "{HEADER}tee,Tee,Soft,Acme,\"a, b\",true,Size,S,T-S,100,shopify,5,deny,10,t1.jpg\n\
             tee,,,,,,,M,T-M,100,shopify,6,deny,10,\n"
        );
        shop.import(first.clone()).await;
        let before = product(&shop, "tee").await;
        let events = shop.events().await.len();
        let edited = first.replace(",10,t1.jpg", ",12,t1.jpg").replace(",M,T-M", ",Medium,T-M");
        let report = shop.import(edited).await;
        assert_eq!((report.products.updated, report.stock.changed), (1, 0));
        let after = product(&shop, "tee").await;
        assert_eq!(after.variant_ids(), before.variant_ids());
        assert_eq!(after.variants[0].prices[0].amount_minor, 1200);
        assert_eq!(after.variants[1].options, ["Medium"]);
        assert_eq!(after.media, before.media);
        assert_eq!(shop.events().await.len(), events + 1, "one price changed");
    })
    .await;
}

#[tokio::test]
async fn columns_that_are_not_there_leave_things_as_they_are() {
    on_each(async |shop: Shop| {
        let file = format!("{HEADER}tee,Tee,Soft,Acme,\"a, b\",true,Size,S,T-S,100,,,,10,t1.jpg\n");
        shop.import(file).await;
        let report = shop.import("URL handle,Title,Tags\ntee,Tee,c\n").await;
        assert_eq!(report.products.updated, 1);
        let after = product(&shop, "tee").await;
        assert_eq!(after.tags, ["c"]);
        assert_eq!(after.vendor.as_deref(), Some("Acme"));
        assert_eq!(after.variants[0].sku.as_ref().map(kernel::Sku::as_str), Some("T-S"));
        let report = shop.import("Handle,Option1 Value,Variant Price\ntee,S,11\n").await;
        assert_eq!((report.products.updated, report.errors_total), (1, 0), "{report:?}");
        assert_eq!(product(&shop, "tee").await.variants[0].prices[0].amount_minor, 1100);
    })
    .await;
}

#[tokio::test]
async fn rows_of_a_product_further_down_join_it() {
    on_each(async |shop: Shop| {
        let file = format!(
            "{HEADER}tee,Tee,,,,true,Size,S,T-S,1,,,,10,1.jpg\n\
             mug,Mug,,,,true,,,M,1,,,,5,\n\
             tee,,,,,,,M,T-M,1,,,,10,2.jpg\n\
             ghost,,,,,,,M,G-M,1,,,,10,\n"
        );
        let report = shop.import(file.clone()).await;
        assert_eq!((report.products.created, report.products.updated), (2, 1));
        assert_eq!((report.products.failed, report.errors[0].line), (1, 5));
        let tee = product(&shop, "tee").await;
        assert_eq!((tee.variants.len(), tee.media.len()), (2, 2));
        let again = shop.import(file).await;
        assert_eq!((again.products.unchanged, again.products.updated), (3, 0));
        assert_eq!(product(&shop, "tee").await, tee);
    })
    .await;
}

#[tokio::test]
async fn newer_headers_bring_metafields_categories_markets_and_costs() {
    on_each(async |shop: Shop| {
        let file = "Title,URL handle,Description,Product category,Status,SKU,Option1 name,\
Option1 value,Option1 Linked To,Price,Price / USD,Price / International,Cost per item,Charge tax,\
Weight value (grams),Weight unit for display,Continue selling when out of stock,\
Inventory quantity,Product image URL,Image position,Gift card,\
Fabric (product.metafields.custom.fabric),Google Shopping / Age group,Supplier\n\
Tee,tee,Soft,Apparel > Shirts,Active,T1,Size,S,product.metafields.shopify.size,19.99,21,25,7.5,\
FALSE,120.5,oz,CONTINUE,4,https://x.test/2.jpg,2,FALSE,Cotton,Adult,Ann\n\
,tee,,,,T2,,M,,19.99,,,,TRUE,,,DENY,2,https://x.test/1.jpg,1,,,,Bob\n\
Plain Thing,,,,,,,,,,,,,,,,,,,,,,,\n\
Plain Thing,,,,,,,,,,,,,,,,,,,,,,,\n";
        let report = shop.import(file).await;
        assert_eq!(report.errors, []);
        assert_eq!(report.unknown_columns, ["Price / International", "Supplier"]);
        assert_eq!((report.products.created, report.categories_created), (3, 2));
        let tee = product(&shop, "tee").await;
        assert_eq!(tee.attributes["metafield.custom.fabric"], "Cotton");
        assert_eq!(tee.attributes["google_shopping.age_group"], "Adult");
        assert_eq!(tee.attributes["column.Supplier"], "Ann");
        assert_eq!(tee.variants[1].attributes["column.Supplier"], "Bob");
        let variant = &tee.variants[0];
        assert_eq!(variant.tax_class.as_str(), "none");
        assert_eq!(variant.attributes["cost"], "7.5");
        assert_eq!(variant.attributes["column.Price / International"], "25");
        assert_eq!(variant.price("USD".parse().unwrap()).unwrap().amount_minor, 2100);
        assert_eq!(
            (variant.weight_grams, variant.attributes["weight.exact"].as_str()),
            (121, "120.5")
        );
        assert_eq!(tee.media[0].url, "https://x.test/1.jpg");
        assert!(!product(&shop, "plain-thing-2").await.variants[0].gift_card);
        let tree = shop.anybody().get("/v1/categories").await;
        assert_eq!(tree.body["items"][0]["children"][0]["handle"], json!("shirts"));
        let again = shop.import(file).await;
        assert_eq!((again.products.unchanged, again.categories_created), (3, 0), "{again:?}");
        let export = shop.export().await;
        let again = shop.import(export).await;
        assert_eq!((again.products.unchanged, again.stock.changed), (3, 0), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_changes_nothing() {
    on_each(async |shop: Shop| {
        let file =
            format!("{HEADER}mug,Mug,,,,true,,,M1,100,shopify,5,deny,9.99,\nx,,,,,,,,,,,,,,\n");
        let mut options = shop.built.importer.options();
        options.dry_run = true;
        let reader = std::io::Cursor::new(file.clone());
        let context = shop.context();
        let dry = shop.built.importer.import(&context, reader, options, |_| ()).await.unwrap();
        assert_eq!((dry.products.created, dry.products.failed), (1, 1));
        assert!(shop.executor.store().list::<Product>(Query::new(1)).await.unwrap().is_empty());
        let wet = shop.import(file).await;
        assert_eq!(wet.products, dry.products);
        assert_eq!(wet.errors, dry.errors);
    })
    .await;
}

#[tokio::test]
async fn vendures_locales_facets_and_same_names_are_understood() {
    on_each(async |shop: Shop| {
        let file = "name:en,name:de,slug:en,slug:de,description:en,facets,optionGroups,\
optionValues,sku,price,taxCategory,stockOnHand,trackInventory,product:owner\n\
Laptop,Klapprechner,laptop,klapprechner,Fast,category:Computers|brand:Acme,RAM,8 GB,L8,899.00,\
Standard Tax,5,true,ann\n\
,,,,,,,16 GB,L16,1099.00,Standard Tax,,inherit,\n\
Cable,Kabel,,,,,,,C1,2.5,reduced,9,false,\n\
Cable,Kabel,,,,,,,C2,3.5,reduced,9,false,\n";
        let report = shop.import(file).await;
        assert_eq!(report.errors, []);
        assert_eq!((report.format.as_str(), report.products.created), ("vendure", 3));
        let laptop = product(&shop, "laptop").await;
        assert_eq!(laptop.title.0.values().collect::<Vec<_>>(), ["Klapprechner", "Laptop"]);
        assert_eq!(laptop.vendor.as_deref(), Some("Acme"));
        assert_eq!(laptop.attributes["slug:de"], "klapprechner");
        assert_eq!(laptop.variants[0].tax_class.as_str(), "standard-tax");
        assert_eq!(laptop.categories.len(), 1);
        assert_eq!(
            product(&shop, "cable-2").await.variants[0].sku.as_ref().unwrap().as_str(),
            "C2"
        );
        let again = shop.import(file).await;
        assert_eq!(again.products.unchanged, 3, "{again:?}");
        let again = shop.import(shop.export().await).await;
        assert_eq!((again.products.unchanged, again.stock.changed), (3, 0), "{again:?}");
        let german = shop.anybody().with("accept-language", "de").get("/v1/products/laptop").await;
        assert_eq!(german.body["title"], "Klapprechner");
    })
    .await;
}

#[tokio::test]
async fn files_of_other_kinds_are_refused_with_a_reason() {
    let shop = Shop::in_memory();
    let staff = shop.staff().with("content-type", "text/csv");
    for (body, reason) in [
        (&b""[..], "empty"),
        (b"a,b\n1,2\n", "neither"),
        (b"\xff\xfeT\0i\0", "UTF-16"),
        (b"Title,Caf\xe9\nx,y\n", "Windows-1252"),
    ] {
        let request = http::Request::post("/v1/admin/products/import")
            .body(axum::body::Body::from(body.to_vec()))
            .unwrap();
        let reply = staff.request(request).await;
        assert_eq!(reply.status, 400, "{:?}", reply.body);
        let detail = reply.body["errors"][0]["message"].as_str().unwrap();
        assert!(detail.contains(reason), "{detail}");
    }
    let request = http::Request::post("/v1/admin/products/import?dry_run=true&currency=JPY")
        .body(axum::body::Body::from("Title,Variant Price\nMug,500\nCup,1.5\n"))
        .unwrap();
    let reply = staff.request(request).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    assert_eq!(reply.body["products"]["created"], 1);
    assert_eq!(reply.body["errors"][0]["line"], 3);
    let nobody = shop.anybody().with("content-type", "text/csv");
    let request = http::Request::post("/v1/admin/products/import")
        .body(axum::body::Body::from("Title\nMug\n"))
        .unwrap();
    assert_eq!(nobody.request(request).await.status, 401);
}

#[tokio::test]
async fn cells_that_look_like_card_numbers_keep_their_product_out() {
    on_each(async |shop: Shop| {
        let file = "Handle,Title,Tags,Variant Barcode,Variant Price,Notes\n\
                    mug,Mug,kitchen,4111111111111111,9.99,\n\
                    cup,Cup,kitchen,,4111111111111111,\n\
                    pot,Pot,\"a, 4111 1111 1111 1111\",,1,\n\
                    pan,Pan,,,1,paid with 5555-5555-5555-4444\n\
                    lid,Lid,a\0b,,1,\n";
        let report = shop.import(file).await;
        assert_eq!((report.products.created, report.products.failed), (1, 4));
        let told: Vec<(u64, &str)> =
            report.errors.iter().map(|e| (e.line, e.column.as_deref().unwrap_or(""))).collect();
        assert_eq!(told, [(3, "Variant Price"), (4, "Tags"), (5, "Notes"), (6, "Tags")]);
        let told = serde_json::to_string(&report).unwrap();
        assert!(!told.contains("4111") && !told.contains("5555"), "{told}");
        assert_eq!(
            product(&shop, "mug").await.variants[0].barcode.as_deref(),
            Some("4111111111111111")
        );
    })
    .await;
    let shop = Shop::in_memory();
    let staff = shop.staff();
    let reply = shop.upload(&staff, "", "Title,4111111111111111\nMug,x\n").await;
    assert_eq!(reply.status, 400);
    assert!(!reply.body.to_string().contains("4111"), "{:?}", reply.body);
}

#[tokio::test]
async fn pictures_lead_over_http_or_to_the_shop_itself() {
    on_each(async |shop: Shop| {
        let file = "Handle,Title,Variant Price,Image Src,Variant Image\n\
                    mug,Mug,1,https://cdn.example.com/mug.jpg,/media/mug.svg\n\
                    cup,Cup,1,javascript:alert(1),\n\
                    pot,Pot,1,,data:image/png;base64,x\n";
        let report = shop.import(file.replace("base64,x", "base64")).await;
        let told: Vec<(u64, &str)> =
            report.errors.iter().map(|e| (e.line, e.column.as_deref().unwrap_or(""))).collect();
        assert_eq!(told, [(3, "Image Src"), (4, "Variant Image")]);
        assert_eq!(product(&shop, "mug").await.media.len(), 2);
        let vendure = "name,sku,price,assets,variantAssets\n\
                       Lamp,L,1,lamp.jpg|ftp://example.com/a.jpg,\n\
                       Lens,N,1,lens.jpg,vbscript:x\n";
        let report = shop.import(vendure).await;
        let told: Vec<&str> = report.errors.iter().filter_map(|e| e.column.as_deref()).collect();
        assert_eq!(told, ["assets", "variantAssets"]);
        let staff = shop.staff();
        let input = json!({"title": {"en": "Bag"}, "variants": [{}],
            "media": [{"url": "https://example.com/a.jpg"}, {"url": "data:text/html,x"}]});
        let reply = staff.post("/v1/admin/products", input).await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["media[1].url"]));
    })
    .await;
}
