//! Query and path parameters, spoiled one by one.

use testkit::Reply;
use testkit::bad::spoiled_queries;
use testkit::document::{Document, Operation};

use crate::actors::{self, Actors};
use crate::unchanged::holdings;

/// Segments that no id of ours is made of.
const SEGMENTS: [&str; 9] = [
    "x",
    "0",
    "-1",
    "null",
    "prod_",
    "ord_zzzzzzzzzzzzzzzzzzzzzzzzzz",
    "%F0%9F%90%A6",
    "%20",
    "99999999999999999999999999999999999999999999999999999999999999999999999999999999",
];

/// Segments that are never decoded twice, and never reach a route.
const FORBIDDEN: [&str; 4] = ["%2f", "%00", "%5c", ".."];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spoiled_query_parameter_is_refused_by_name() {
    let shop = actors::shop().await;
    let actors = Actors::of(&shop).await;
    let document = Document::of(&actors.nobody).await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for operation in document.operations().iter().filter(|operation| !operation.writes()) {
        let client = actors.allowed(operation);
        let address = operation.address(&document);
        for parameter in operation.of_place("query") {
            let name = &parameter.name;
            let path = with_required(&address, &document, operation, name);
            for value in spoiled_queries(&document, &parameter.schema) {
                tried += 1;
                let reply = client.get(format!("{path}&{name}={value}")).await;
                if !names(&reply, name) {
                    wrong.push(format!("{name}={value}: {reply}"));
                }
            }
            let twice = client.get(format!("{path}&{name}=1&{name}=2")).await;
            if twice.status.is_server_error() {
                wrong.push(format!("{name} twice: {twice}"));
            }
        }
        if operation.of_place("query").next().is_some() {
            let path = with_required(&address, &document, operation, "");
            let reply = client.get(format!("{path}&no_such_parameter=1")).await;
            if !names(&reply, "no_such_parameter") {
                wrong.push(format!("an unknown parameter: {reply}"));
            }
        }
        for odd in ["?%ff=1", "?=&&=", "?limit=%zz", "?limit[]=1"] {
            let reply = client.get(format!("{address}{odd}")).await;
            if reply.status.is_server_error() {
                wrong.push(format!("{odd}: {reply}"));
            }
        }
    }
    assert!(tried > 50, "only {tried} values were tried");
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spoiled_path_parameter_is_refused_and_changes_nothing() {
    let shop = actors::shop().await;
    let actors = Actors::of(&shop).await;
    let document = Document::of(&actors.nobody).await;
    let operations = document.operations();
    let before = holdings(&actors.owner, &document, &operations).await;
    let mut wrong = Vec::new();
    for operation in &operations {
        let client = actors.allowed(operation);
        for parameter in operation.of_place("path") {
            for segment in SEGMENTS.iter().chain(&FORBIDDEN) {
                let path = operation.address_with(&document, Some((&parameter.name, segment)));
                let mut request = client.request(operation.method.clone(), path);
                if operation.writes() {
                    request = request.key(&client.fresh_key());
                }
                if let Some(schema) = &operation.body {
                    request = request.json(&document.example(schema));
                }
                let reply = request.send().await;
                if !(reply.status.is_client_error() && reply.is_problem()) {
                    wrong.push(format!("{operation}: {}={segment}: {reply}", parameter.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(before, holdings(&actors.owner, &document, &operations).await);
}

/// The address with all required parameters but one.
fn with_required(address: &str, document: &Document, operation: &Operation, but: &str) -> String {
    let mut path = format!("{address}?");
    let required = operation.of_place("query").filter(|p| p.required && p.name != but);
    for parameter in required {
        let example = document.example(&parameter.schema);
        let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        path = format!("{path}&{}={example}", parameter.name);
    }
    path
}

fn names(reply: &Reply, parameter: &str) -> bool {
    let named = reply.fields();
    reply.status == 400
        && reply.is_problem()
        && named.iter().any(|field| field.starts_with(parameter))
}
