//! What a shop holds, to be compared before and after.

use std::collections::BTreeMap;

use http::Method;
use serde_json::Value;
use testkit::Client;
use testkit::document::{Document, Operation};

/// Every list that staff can read, by path.
pub type Holdings = BTreeMap<String, Value>;

pub async fn holdings(owner: &Client, document: &Document, operations: &[Operation]) -> Holdings {
    let mut all = Holdings::new();
    let lists = operations.iter().filter(|operation| {
        operation.method == Method::GET
            && operation.path.starts_with("/v1/")
            && operation.permission != "customer"
            && operation.of_place("path").next().is_none()
            && !operation.of_place("query").any(|parameter| parameter.required)
    });
    for list in lists {
        let reply = owner.get(list.address(document)).await;
        if reply.status == 200 && reply.body["items"].is_array() {
            all.insert(list.path.clone(), reply.body);
        }
    }
    assert!(all.len() >= 8, "staff can list more than {:?}", all.keys());
    all
}
