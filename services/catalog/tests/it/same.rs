//! Whatever a shop goes through, every engine shows the same afterwards.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use contracts::catalog::v1;
use serde_json::{Value, json};

use crate::search::{Dice, QUERIES, WORDS, plain};
use crate::shop::{Shop, handles, on_all};

/// What happens to a shop. Nothing in it depends on ids, which differ.
#[derive(Clone, Debug)]
enum Step {
    Import(String),
    /// Of a product: `publish`, `unpublish` or `archive`.
    Act(usize, &'static str),
    Delete(usize),
    /// How many of a product's first variant are at a location.
    Stock(usize, u128, i64),
    /// Of a category: to the top, under another name.
    Move(usize, String),
    DeleteCategory(usize),
}

fn handle(product: usize) -> String {
    format!("p{product}")
}

const CATEGORIES: [&str; 6] = ["amber", "kettle", "kettles", "lantern", "lamp", "lamps"];

/// A few rows of products, old and new ones; each with one to three variants.
fn file(dice: &mut Dice) -> String {
    let mut file = "Handle,Title,Title / de,Body (HTML),Vendor,Tags,Product Category,Status,\
                    Option1 Name,Option1 Value,Variant SKU,Variant Price,Price / USD\n"
        .to_owned();
    for _ in 0..=dice.below(12) {
        let mut word = || WORDS[dice.below(WORDS.len())];
        let (title, german, body) = (format!("{} {}", word(), word()), word(), word());
        let (vendor, tags) = (word(), format!("{}, {}", word(), word().to_uppercase()));
        let name = handle(dice.below(40));
        let path = format!("{} > {}", CATEGORIES[dice.below(3)], CATEGORIES[3 + dice.below(3)]);
        let status = ["active", "active", "active", "draft", "archived"][dice.below(5)];
        for variant in 0..=dice.below(3) {
            let sku = format!("{}-{:04}", WORDS[dice.below(WORDS.len())], dice.below(60) + 1_990);
            let dollars = ["", "3", "7.5"][dice.below(3)];
            let price = dice.below(9);
            if variant == 0 {
                write!(file, "{name},{title},{german},{body} {sku}9,{vendor},\"{tags}\",{path},")
            } else {
                write!(file, "{name},,,,,,,")
            }
            .unwrap();
            writeln!(file, "{status},Size,S{variant},{sku},{price},{dollars}").unwrap();
        }
    }
    file
}

fn step(dice: &mut Dice) -> Step {
    let product = dice.below(40);
    match dice.below(20) {
        0..=5 => Step::Import(file(dice)),
        6..=9 => Step::Act(product, ["publish", "unpublish", "archive"][dice.below(3)]),
        10 => Step::Delete(product),
        11..=17 => Step::Stock(product, dice.below(2) as u128, dice.below(2) as i64),
        18 => Step::Move(dice.below(6), format!("Shelf {}", dice.below(3))),
        _ => Step::DeleteCategory(dice.below(6)),
    }
}

/// Does it, and answers what the shop said: the same on every engine.
async fn walk(shop: &Shop, step: &Step) -> String {
    let staff = shop.staff();
    let product = async |product: &usize| {
        let found = staff.get(&format!("/v1/admin/products?handle={}", handle(*product))).await;
        found.body["items"][0].clone()
    };
    let path = |kind: &str, found: &Value| {
        format!("/v1/admin/{kind}/{}", found["id"].as_str().unwrap_or("none"))
    };
    let category = async |nth: &usize| {
        let found = staff.get(&format!("/v1/categories/{}", CATEGORIES[*nth])).await;
        let path = path("categories", &found.body);
        let version = staff.get(&path).await.version().unwrap_or(1);
        (staff.with("if-match", &format!("\"{version}\"")), path)
    };
    match step {
        Step::Import(file) => format!("{:?}", shop.import(file.clone()).await),
        Step::Act(nth, action) => {
            let path = path("products", &product(nth).await);
            let reply = staff.post(&format!("{path}/{action}"), json!({})).await;
            reply.status.to_string()
        }
        Step::Delete(nth) => {
            let path = path("products", &product(nth).await);
            let version = staff.get(&path).await.version().unwrap_or(1);
            let reply = staff.with("if-match", &format!("\"{version}\"")).delete(&path).await;
            reply.status.to_string()
        }
        Step::Stock(nth, location, on_hand) => {
            let id = product(nth).await["variants"][0]["id"].clone();
            let Some(id) = id.as_str() else { return "none".to_owned() };
            let variant = kernel::id::decode("var", id).unwrap();
            shop.stock_changes(variant, *location, *on_hand).await;
            "told".to_owned()
        }
        Step::Move(nth, title) => {
            let (staff, path) = category(nth).await;
            let input = json!({"title": {"en": title}, "handle": CATEGORIES[*nth]});
            staff.put(&path, input).await.status.to_string()
        }
        Step::DeleteCategory(nth) => {
            let (staff, path) = category(nth).await;
            staff.delete(&path).await.status.to_string()
        }
    }
}

const FILTERS: [&str; 10] = [
    "",
    "&available=true",
    "&tag=MUG",
    "&vendor=tea&available=true",
    "&category=amber",
    "&category=lamp&tag=lamp",
    "&min_price=100&max_price=500",
    "&currency=USD&min_price=300",
    "&min_price=300&max_price=300",
    "&category=kettle&available=true&max_price=600",
];

/// All pages of a list, with what is told of each product.
async fn pages(shop: &Shop, path: &str) -> Vec<(String, Value, Value)> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let reply = shop.anybody().get(&format!("{path}{cursor}")).await;
        assert_eq!(reply.status, 200, "{path}: {:?}", reply.body);
        for item in reply.body["items"].as_array().unwrap() {
            let handle = item["handle"].as_str().unwrap().to_owned();
            all.push((handle, item["available"].clone(), item["prices"].clone()));
        }
        match reply.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// A tree without ids.
fn tree(nodes: &Value) -> Value {
    let nodes = nodes.as_array().into_iter().flatten();
    let plain = nodes.map(|node| json!([node["handle"], node["title"], tree(&node["children"])]));
    Value::Array(plain.collect())
}

/// What carts are told of every variant that staff sees.
async fn quotes(shop: &Shop) -> BTreeMap<String, String> {
    let list = shop.staff().get("/v1/admin/products?limit=100").await;
    let mut quotes = BTreeMap::new();
    for product in list.body["items"].as_array().unwrap() {
        let ids = product["variants"].as_array().unwrap().iter().map(|variant| {
            let id = kernel::id::decode("var", variant["id"].as_str().unwrap()).unwrap();
            id.as_bytes().to_vec()
        });
        let (currency, locale) = ("USD".to_owned(), "de".to_owned());
        let request = v1::QuoteVariantsRequest { variant_ids: ids.collect(), currency, locale };
        let mut reply = shop.built.api.quote_variants(shop.context(), request).await.unwrap();
        for quote in &mut reply.variants {
            quote.variant_id.clear();
            quote.product_id.clear();
        }
        quotes.insert(product["handle"].to_string(), format!("{:?}", reply.variants));
    }
    quotes
}

/// Everything that anybody can see, by what was asked.
async fn look(shop: &Shop, limit: usize) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    for sort in ["newest", "title", "price_asc", "price_desc"] {
        for filter in FILTERS {
            let path = format!("/v1/products?sort={sort}&limit={limit}{filter}");
            let found = pages(shop, &path).await;
            seen.insert(path, format!("{found:?}"));
        }
    }
    for (nth, query) in QUERIES.iter().enumerate() {
        let sort = ["relevance", "newest", "title", "price_asc", "price_desc"][nth % 5];
        let filter = if query.contains('&') { "" } else { FILTERS[nth % FILTERS.len()] };
        let path = format!("/v1/search?q={query}&sort={sort}&limit={limit}{filter}");
        let found = pages(shop, &path).await;
        let first = shop.anybody().get(&path).await;
        let facets = plain(&first.body["facets"]);
        seen.insert(path, format!("{found:?} {facets} {}", first.body["facets_exact"]));
    }
    for number in ["mug-1", "1999", "200", "lamp-20", "tea-2000%209", "0199"] {
        let path = format!("/v1/search?q={number}&limit=100");
        seen.insert(path.clone(), format!("{:?}", handles(&shop.anybody().get(&path).await)));
    }
    let categories = shop.anybody().get("/v1/categories").await;
    seen.insert("categories".to_owned(), tree(&categories.body["items"]).to_string());
    seen.insert("quotes".to_owned(), format!("{:?}", quotes(shop).await));
    seen
}

async fn live_alike(seed: u64) {
    on_all(async |shops: Vec<(&str, Shop)>| {
        let mut dice = Dice(seed);
        let mut done = Vec::new();
        for round in 0..6 {
            for _ in 0..8 {
                let step =
                    if done.is_empty() { Step::Import(file(&mut dice)) } else { step(&mut dice) };
                done.push(step.clone());
                let mut said = Vec::new();
                for (engine, shop) in &shops {
                    said.push((walk(shop, &step).await, engine));
                }
                let first = &said[0].0;
                for (other, engine) in &said {
                    assert_eq!(other, first, "{engine} after {done:#?}");
                }
            }
            let limit = [3, 7, 100][round % 3];
            let expected = look(&shops[0].1, limit).await;
            for (engine, shop) in &shops[1..] {
                for (path, seen) in look(shop, limit).await {
                    assert_eq!(seen, expected[&path], "{engine}: {path} after {done:#?}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn shops_that_live_alike_show_alike() {
    live_alike(1).await;
}

/// `MERCAT_TEST_SEED` names another life.
#[tokio::test]
async fn and_so_do_others() {
    let seed = std::env::var("MERCAT_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    live_alike(seed.unwrap_or(20_261_123)).await;
}

/// So many products have each label that none is rare; thirty have both.
#[tokio::test]
async fn labels_of_very_many_products_are_walked_through_alike() {
    on_all(async |shops: Vec<(&str, Shop)>| {
        let rows = (0..4_370).map(|n| {
            let tag = if n < 2_200 { "Left" } else { "None" };
            let vendor = if n < 2_170 { "Other" } else { "Right" };
            format!("p{n},T{:04},{vendor},{tag},{}\n", n * 7 % 4_370, n * 31 % 97 + 1)
        });
        let head = "Handle,Title,Vendor,Tags,Variant Price\n".to_owned();
        let file: String = [head].into_iter().chain(rows).collect();
        for (_, shop) in &shops {
            assert_eq!(shop.import(file.clone()).await.errors, []);
        }
        let both = "tag=left&vendor=RIGHT";
        for sort in ["newest", "title", "price_asc", "price_desc"] {
            for (filter, least) in [
                (both.to_owned(), 30),
                (format!("{both}&available=true&min_price=200"), 20),
                (format!("{both}&min_price=1000&max_price=9000"), 20),
                (format!("{both}&min_price=9000"), 1),
                ("min_price=4200&max_price=4200".to_owned(), 40),
                ("tag=left&min_price=4200&max_price=4200".to_owned(), 20),
                ("vendor=other&min_price=5&max_price=1".to_owned(), 0),
            ] {
                let path = format!("/v1/products?sort={sort}&limit=12&{filter}");
                let expected = pages(&shops[0].1, &path).await;
                assert!(expected.len() >= least, "{path}: {}", expected.len());
                for (engine, shop) in &shops[1..] {
                    assert_eq!(pages(shop, &path).await, expected, "{engine}: {path}");
                }
            }
        }
    })
    .await;
}
