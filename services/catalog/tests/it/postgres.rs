//! Limits of the projections where PostgreSQL has its own: long words, long texts, large batches,
//! too many matches, a full vocabulary.

use platform::store::postgres::sqlx::{self, AssertSqlSafe, PgConnection, Row as _};
use platform::store::{Position, Value};
use serde_json::json;

use crate::server::with_place;
use crate::shop::{Shop, handles, on_each};

async fn count(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query(sql).fetch_one(connection).await.unwrap().get(0)
}

#[tokio::test]
async fn words_and_texts_of_any_length_are_indexed_as_far_as_they_fit() {
    on_each(async |shop: Shop| {
        let long = "x".repeat(5_000);
        // Each description is looked at up to its limit; all together are more than a vector holds.
        let description: serde_json::Map<String, serde_json::Value> = (0..50_u32)
            .map(|n| {
                let first = if n < 25 { 'a' } else { 'b' };
                let locale = format!("{first}{}", char::from_u32(97 + n % 25).unwrap());
                let words = (0..1_400).map(|word| format!("w{n}e{word}")).collect::<Vec<_>>();
                (locale, json!(words.join(" ")))
            })
            .collect();
        let tags = (0..250).map(|n| format!("{n}{}", "ü".repeat(250))).collect::<Vec<_>>();
        let input = json!({"title": {"en": format!("Mug {}", "y".repeat(250))},
            "description": description, "tags": tags, "status": "published",
            "variants": [{"sku": "M-00001", "barcode": "9".repeat(12)}]});
        let staff = shop.staff();
        staff.post("/v1/admin/products", input).await.expect(201);
        let blob = json!({"title": {"en": "Blob"}, "status": "published", "variants": [{}],
            "description": {"en": format!("{long} kettle")}});
        staff.post("/v1/admin/products", blob).await.expect(201);
        for (query, found) in [
            ("mug", "mug"),
            ("yyyyyyyyyy", "mug"),
            ("00001", "mug"),
            ("w3e17", "mug"),
            ("xxxxxxxxxxx", "blob"),
            ("kettle", "blob"),
        ] {
            let reply = shop.anybody().get(&format!("/v1/search?q={query}")).await;
            let first = handles(&reply).into_iter().next().unwrap_or_default();
            assert!(first.starts_with(found), "{query}: {first}");
        }
        let list = format!("/v1/products?tag=17{}", "%C3%9C".repeat(250));
        assert_eq!(handles(&shop.anybody().get(&list).await).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_cursor_that_no_text_of_the_database_can_hold_finds_nothing() {
    on_each(async |shop: Shop| {
        shop.import("Handle,Title,Product Category\nmug,Mug,Kitchen\n").await;
        let id = kernel::id::Uuid::from_u128(1);
        for (path, text) in [
            ("/v1/products?sort=title", "zzz\0"),
            ("/v1/products?sort=price_asc", "zzz\0"),
            ("/v1/search?q=mug&sort=title", "zzz\0"),
            ("/v1/categories?limit=5", "9 zzz\0"),
            ("/v1/categories?limit=5", "\0"),
        ] {
            let cursor = Position { value: Value::Text(text.to_owned()), id }.encode();
            let reply = shop.anybody().get(&format!("{path}&cursor={cursor}")).await;
            assert_eq!(handles(&reply), Vec::<String>::new(), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn batches_with_very_many_variants_are_written_whole() {
    with_place(async |place| {
        let shop = Shop::in_postgres(place).await;
        let rows = |price: u32| {
            let head = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n";
            let rows = (0..4 * 2_000).map(|n| {
                let product = n / 2_000;
                let title = if n % 2_000 == 0 { "Many" } else { "" };
                format!("many-{product},{title},No,V{n},M-{n:05},{price}\n")
            });
            [head.to_owned()].into_iter().chain(rows).collect::<String>()
        };
        let mut connection = place.connect().await;
        for (price, changed) in [(5, 0), (6, 8_000), (6, 8_000)] {
            assert_eq!(shop.import(rows(price)).await.errors, []);
            let all = "SELECT count(*) FROM variant_listing";
            assert_eq!(count(&mut connection, all).await, 8_000);
            let dearer = "SELECT count(*) FROM variant_listing WHERE offer LIKE '%\"amount\":600%'";
            assert_eq!(count(&mut connection, dearer).await, changed);
        }
        let numbers = "SELECT count(*) FROM product_term";
        assert_eq!(count(&mut connection, numbers).await, 8_000);
        assert_eq!(handles(&shop.anybody().get("/v1/search?q=07999").await), ["many-3"]);
        let few = shop.anybody().get("/v1/search?q=0799").await;
        assert_eq!(handles(&few), ["many-3"]);
    })
    .await;
}

#[tokio::test]
async fn more_matches_than_are_looked_at_are_told_and_titles_go_first() {
    with_place(async |place| {
        let shop = Shop::in_postgres(place).await;
        let mut connection = place.connect().await;
        shop.import("Handle,Title,Vendor\nmug,Mug,Acme\n").await;
        // At first so many that they are listed; then so many that only the newest are walked through.
        for (vendor, more) in [("Old", 5_010), ("New", 45_500)] {
            let others = format!(
                "INSERT INTO product_listing (product_id, title_key, available, words, labels) \
                 SELECT md5('{vendor}' || n)::uuid, 'cup', 1, 0, E'v{vendor}\\n' \
                 FROM generate_series(1, {more}) n; \
                 INSERT INTO product_search (row, title, words) \
                 SELECT row, 'cup'::tsvector, 'cup mug'::tsvector FROM product_listing \
                 WHERE title_key = 'cup' ON CONFLICT DO NOTHING"
            );
            sqlx::raw_sql(AssertSqlSafe(others)).execute(&mut connection).await.unwrap();
            let reply = shop.anybody().get("/v1/search?q=mug").await;
            // Only the one with the word in its title is a product that can be shown.
            assert_eq!(handles(&reply), ["mug"]);
            let vendors = &reply.body["facets"]["vendors"];
            let expected =
                json!([{"value": vendor, "count": 4_999}, {"value": "Acme", "count": 1}]);
            assert_eq!(*vendors, expected, "the newest ones");
            assert_eq!(reply.body["facets_exact"], json!(false));
        }
    })
    .await;
}

#[tokio::test]
async fn a_full_vocabulary_learns_nothing_more_and_right_words_are_found() {
    with_place(async |place| {
        let shop = Shop::in_postgres(place).await;
        let mut connection = place.connect().await;
        shop.import("Handle,Title\na,Lantern\n").await;
        let full = "INSERT INTO search_word (id, word) VALUES (49999, 'almost')";
        sqlx::raw_sql(full).execute(&mut connection).await.unwrap();
        shop.import("Handle,Title\nb,Kettle blanket\nc,Teapot\n").await;
        shop.import("Handle,Title\nd,Basket\n").await;
        let words = "SELECT count(*) FROM search_word";
        assert_eq!(count(&mut connection, words).await, 3, "lantern, almost, and one more");
        for (query, found) in [("lantren", "a"), ("basket", "d"), ("teapot", "c")] {
            let reply = shop.anybody().get(&format!("/v1/search?q={query}")).await;
            assert_eq!(handles(&reply), [found], "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_is_refused_leaves_nothing_in_the_projections() {
    on_each(async |shop: Shop| {
        let staff = shop.staff();
        let input = |handle: &str, title: &str| {
            json!({"handle": handle, "title": {"en": title}, "status": "published",
                "variants": [{}]})
        };
        staff.post("/v1/admin/products", input("one", "Lantern")).await.expect(201);
        staff.post("/v1/admin/products", input("one", "Blanket")).await.expect(409);
        staff.post("/v1/admin/products", input("two", "Blanket")).await.expect(201);
        let found = async |query: &str| {
            handles(&shop.anybody().get(&format!("/v1/search?q={query}")).await)
        };
        assert_eq!(found("blanket").await, ["two"]);
        assert_eq!(found("blankte").await, ["two"], "its words are learned when it is stored");
        assert_eq!(found("lantern").await, ["one"]);
    })
    .await;
}
