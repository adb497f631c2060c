//! Products from files and back.

use std::fmt::Write as _;

use http::Method;
use serde_json::{Value, json};

use crate::Shop;
use crate::checkout::Cart;
use crate::client::Client;
use crate::people::unique;
use crate::shelf::{edit, until_level};

const HEADER: &str = "Handle,Title,Vendor,Status,Option1 Name,Option1 Value,Variant SKU,\
    Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,\
    Variant Price,Variant Requires Shipping,Image Src";
pub(super) const UPLOAD: &str = "/v1/admin/products/import";

/// Two products, the second with two variants.
pub(super) fn file(word: &str) -> String {
    let mut text = format!("{HEADER}\n");
    let _ = writeln!(
        text,
        "{word}-kettle,Kettle {word},Forge & Sons,active,Title,Default Title,{word}-K,900,shopify,7,deny,34.50,false,"
    );
    let _ = writeln!(
        text,
        "{word}-mug,\"Mug, {word}\",Forge & Sons,active,Size,Small,{word}-MS,300,shopify,4,deny,8.00,false,https://example.com/mug.png"
    );
    let _ = writeln!(text, "{word}-mug,,,,,Large,{word}-ML,400,shopify,2,deny,9.50,false,");
    text
}

async fn import(admin: &Client, text: &str, query: &str) -> Value {
    let path = format!("{UPLOAD}?currency=EUR{query}");
    let upload = admin.request(Method::POST, path).bytes("text/csv", text.to_owned());
    upload.send().await.expect_status(200).body
}

fn counts(report: &Value) -> (u64, u64, u64, u64) {
    let count = |name: &str| report["products"][name].as_u64().expect("a count");
    (count("created"), count("updated"), count("unchanged"), count("failed"))
}

pub async fn import_edit_import_again(shop: &Shop) {
    let admin = shop.admin().await;
    let word = unique("ware");
    let text = file(&word);

    let tried = import(&admin, &text, "&dry_run=true").await;
    assert_eq!(counts(&tried), (2, 0, 0, 0), "{tried}");
    assert!(product(&admin, &format!("{word}-mug")).await.is_none(), "a dry run writes nothing");
    let first = import(&admin, &text, "").await;
    assert_eq!(counts(&first), (2, 0, 0, 0), "{first}");
    assert_eq!((&first["errors_total"], &first["variants"]), (&json!(0), &json!(3)), "{first}");
    let again = import(&admin, &text, "").await;
    assert_eq!(counts(&again), (0, 0, 2, 0), "the same file changes nothing: {again}");
    assert_eq!(again["stock"]["changed"], 0, "{again}");

    let mug = product(&admin, &format!("{word}-mug")).await.expect("it was imported");
    let large = variant(&mug, &format!("{word}-ML"));
    until_level(&admin, &large, 2, 0).await;
    let order = Cart::open(&shop.client(), &[(&large, 1)]).await.buy().await;
    assert_eq!(order.total_minor(), 950);
    until_level(&admin, &large, 1, 0).await;

    // Staff edit; the file, imported again, says otherwise and wins; ids stay.
    let rename = |body: &mut Value| body["title"] = json!({ "en": "A mug by another name" });
    edit(&admin, mug["id"].as_str().expect("an id"), rename).await.expect_status(200);
    let third = import(&admin, &text, "").await;
    assert_eq!(counts(&third), (0, 1, 1, 0), "{third}");
    let mug = product(&admin, &format!("{word}-mug")).await.expect("it is still there");
    assert_eq!(variant(&mug, &format!("{word}-ML")), large);
    // Its stock figures are old news: what was sold stays sold. A new figure counts.
    until_level(&admin, &large, 1, 0).await;
    let counted = import(&admin, &text.replace(",2,deny,", ",9,deny,"), "").await;
    assert_eq!((counts(&counted), &counted["stock"]["changed"]), ((0, 0, 2, 0), &json!(1)));
    until_level(&admin, &large, 9, 0).await;
    Cart::open(&shop.client(), &[(&large, 3)]).await.buy().await;
    until_level(&admin, &large, 6, 0).await;

    // What is exported says what the shop knows.
    let exported = admin.get("/v1/admin/products/export").await.expect_status(200);
    let exported = String::from_utf8(exported.bytes.to_vec()).expect("exports are UTF-8");
    assert!(exported.contains(&format!("{word}-kettle")), "{exported}");
    let back = import(&admin, &exported, "").await;
    assert_eq!(counts(&back), (0, 0, 2, 0), "an export changes nothing: {back}");
    until_level(&admin, &large, 6, 0).await;
    by_command_line(shop, &admin, &word).await;
}

async fn by_command_line(shop: &Shop, admin: &Client, word: &str) {
    let path = shop.folder().join("more.csv");
    std::fs::write(&path, file(&format!("{word}-more"))).expect("the folder is writable");
    let path = path.to_str().expect("temporary folders have plain names");
    let address = shop.address();
    let token = admin.token().expect("the owner has a key");
    let remote = ["--server", &address, "--token", token];
    let printed = shop.run(&[&["import", path, "--currency", "EUR"], &remote[..]].concat()).await;
    assert!(printed.contains("2 products created"), "{printed}");
    let copy = shop.folder().join("copy.csv");
    let copy = copy.to_str().expect("temporary folders have plain names");
    shop.run(&[&["export", copy], &remote[..]].concat()).await;
    let printed = shop.run(&[&["import", copy, "--currency", "EUR"], &remote[..]].concat()).await;
    assert!(printed.contains("4 unchanged"), "{printed}");
}

pub async fn bad_rows_are_reported_and_good_products_go_in(shop: &Shop) {
    let admin = shop.admin().await;
    let word = unique("odd");
    let good =
        format!("{word}-good,Good,,active,Title,Default Title,{word}-G,1,,,deny,5.00,false,");
    let bad_price =
        format!("{word}-bad,Bad,,active,Title,Default Title,{word}-B,1,,,deny,five euros,false,");
    let bad_weight =
        format!("{word}-far,Far,,active,Title,Default Title,{word}-F,heavy,,,deny,5.00,false,");
    let text = format!("{HEADER}\n{bad_price}\n{good}\n{bad_weight}\n");
    let report = import(&admin, &text, "").await;
    assert_eq!(counts(&report), (1, 0, 0, 2), "{report}");
    let errors = report["errors"].as_array().expect("errors");
    let at: Vec<_> = errors.iter().map(|e| (&e["line"], &e["column"])).collect();
    assert!(at.contains(&(&json!(2), &json!("Variant Price"))), "{report}");
    assert!(at.contains(&(&json!(4), &json!("Variant Grams"))), "{report}");
    assert!(product(&admin, &format!("{word}-good")).await.is_some());
    assert!(product(&admin, &format!("{word}-bad")).await.is_none());

    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("no header of ours", b"a,b,c\n1,2,3\n".to_vec()),
        ("a picture", vec![0x89, b'P', b'N', b'G', 0, 1, 2, 3, 0xff, 0xfe]),
    ] {
        let upload = admin.request(Method::POST, UPLOAD).bytes("text/csv", bytes);
        let reply = upload.send().await;
        assert!(reply.status.is_client_error() && reply.is_problem(), "{what}: {reply}");
    }
}

/// The product of a handle, as staff see it.
pub(super) async fn product(admin: &Client, handle: &str) -> Option<Value> {
    let path = format!("/v1/admin/products?handle={handle}");
    admin.get(path).await.expect_status(200).body["items"].get(0).cloned()
}

pub(super) fn variant(product: &Value, sku: &str) -> String {
    let variants = product["variants"].as_array().expect("variants");
    let found = variants.iter().find(|variant| variant["sku"] == sku);
    let found = found.unwrap_or_else(|| panic!("no {sku} in {product}"));
    found["id"].as_str().expect("an id").to_owned()
}
