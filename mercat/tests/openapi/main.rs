//! The API as a file: `docs/openapi.json` is what the shop answers at `/openapi.json`, so that a
//! change of the API is seen in review, and `cargo xtask compat` can hold it against what was
//! released. `MERCAT_WRITE_OPENAPI=1 cargo test -p mercat --test openapi` writes it anew.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use testkit::{Shop, Start, Topology};

const WRITE: &str = "MERCAT_WRITE_OPENAPI";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_committed_document_is_what_the_shop_tells() {
    let shop = Shop::start(Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded)).await;
    let told = shop.client().get("/openapi.json").await.expect_status(200).body;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    if std::env::var_os(WRITE).is_some() {
        let text = serde_json::to_string_pretty(&sorted(&told)).unwrap();
        std::fs::write(&file, text + "\n").unwrap();
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let differ = differences("", &kept, &told);
    assert!(
        differ.is_empty(),
        "docs/openapi.json is not what the shop tells; look at the changes, then write it with \
         {WRITE}=1:\n{}",
        differ.join("\n")
    );
}

/// Where every service tells its own part, and the gateway puts them together.
#[cfg(feature = "servers")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_in_processes_tell_the_same_document() {
    if !testkit::servers::are_there(Topology::Kafka) {
        return;
    }
    let start = |topology| Start::new(env!("CARGO_BIN_EXE_mercat"), topology);
    let shop = Shop::start(start(Topology::Kafka)).await;
    let told = shop.client().get("/openapi.json").await.expect_status(200).body;
    drop(shop);
    let shop = Shop::start(start(Topology::Embedded)).await;
    let whole = shop.client().get("/openapi.json").await.expect_status(200).body;
    let differ = differences("", &whole, &told);
    assert!(
        differ.is_empty(),
        "one process on the left, several on the right:\n{}",
        differ.join("\n")
    );
}

/// Members by their names, so that a new field moves no other line of the file.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<&String, &Value> = members.iter().collect();
            let members = members.into_iter().map(|(name, value)| (name.clone(), sorted(value)));
            Value::Object(members.collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        plain => plain.clone(),
    }
}

/// Where two documents differ, as pointers; the order of members tells nothing.
fn differences(place: &str, one: &Value, other: &Value) -> Vec<String> {
    match (one, other) {
        (Value::Object(old), Value::Object(new)) => {
            let gone = old.keys().filter(|key| !new.contains_key(*key));
            let mut found: Vec<String> = gone.map(|key| format!("- {place}/{key}")).collect();
            for (key, value) in new {
                let place = format!("{place}/{key}");
                match old.get(key) {
                    None => found.push(format!("+ {place}")),
                    Some(before) => found.extend(differences(&place, before, value)),
                }
            }
            found
        }
        _ if one == other => Vec::new(),
        _ => vec![format!("~ {place}")],
    }
}

#[test]
fn a_difference_is_named_and_an_order_of_members_is_none() {
    let parse = |text| serde_json::from_str::<Value>(text).unwrap();
    let (one, same) = (parse(r#"{"a":1,"b":{"c":[1]}}"#), parse(r#"{"b":{"c":[1]},"a":1}"#));
    assert!(differences("", &one, &same).is_empty());
    let other = parse(r#"{"b":{"c":[2],"d":0}}"#);
    assert_eq!(differences("", &one, &other), ["- /a", "~ /b/c", "+ /b/d"]);
}
