//! Every JSON body of the document, spoiled field by field.

use serde_json::{Value, json};
use testkit::bad::{broken, spoil};
use testkit::document::{Document, Operation};
use testkit::{Client, Reply};

use crate::actors::{self, Actors};
use crate::unchanged::holdings;

const JSON: &str = "application/json";

/// Examples where the schema alone does not tell enough: by operation, what to lay over the one
/// that the schema gives.
fn known(operation: &str) -> Value {
    match operation {
        "register" => json!({ "password": testkit::people::PASSWORD }),
        "create_shipping_method" | "update_shipping_method" => {
            let flat = json!({ "amount": 590, "currency": "EUR" });
            json!({ "prices": [{ "currency": "EUR", "flat": flat }] })
        }
        _ => json!({}),
    }
}

fn good(document: &Document, operation: &Operation, schema: &Value) -> Value {
    let mut body = document.example(schema);
    if let (Some(body), Some(known)) = (body.as_object_mut(), known(&operation.id).as_object()) {
        body.extend(known.clone());
    }
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spoiled_field_is_refused_by_name_and_changes_nothing() {
    let shop = actors::shop().await;
    let actors = Actors::of(&shop).await;
    let document = Document::of(&actors.nobody).await;
    let operations = document.operations();
    let before = holdings(&actors.owner, &document, &operations).await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for operation in &operations {
        let Some(schema) = &operation.body else { continue };
        let client = actors.allowed(operation);
        let good = good(&document, operation, schema);
        for spoiled in spoil(&document, schema, &good) {
            tried += 1;
            let body = spoiled.body.to_string();
            let reply = send(client, &document, operation, JSON, body.into()).await;
            let Some(reply) = reply else { continue };
            if let Some(fault) = fault_of(&reply, Some(&spoiled.field)) {
                wrong.push(format!(
                    "{operation}: {} {}: {fault}: {reply}",
                    spoiled.field, spoiled.what
                ));
            }
        }
    }
    assert!(tried > 300, "only {tried} bodies were tried");
    report(&wrong);
    assert_eq!(before, holdings(&actors.owner, &document, &operations).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_body_is_refused_and_changes_nothing() {
    let shop = actors::shop().await;
    let actors = Actors::of(&shop).await;
    let document = Document::of(&actors.nobody).await;
    let operations = document.operations();
    let before = holdings(&actors.owner, &document, &operations).await;
    let mut wrong = Vec::new();
    for operation in operations.iter().filter(|operation| operation.body.is_some()) {
        let client = actors.allowed(operation);
        for (what, media_type, bytes) in broken() {
            let reply = send(client, &document, operation, media_type, bytes).await;
            let Some(reply) = reply else { continue };
            if let Some(fault) = fault_of(&reply, None) {
                wrong.push(format!("{operation}: {what}: {fault}: {reply}"));
            }
        }
        let huge = format!("{{\"padding\": \"{}\"}}", "x".repeat(operation.body_limit));
        let reply = send(client, &document, operation, JSON, huge.into()).await;
        if let Some(reply) = reply.filter(|reply| reply.status != 413 || !reply.is_problem()) {
            wrong.push(format!("{operation}: too large: {reply}"));
        }
    }
    report(&wrong);
    assert_eq!(before, holdings(&actors.owner, &document, &operations).await);
}

/// The answer. A body that is too large may find the connection closed before all of it was sent:
/// then there is none. It has a connection of its own, which nobody uses afterwards.
async fn send(
    client: &Client,
    document: &Document,
    operation: &Operation,
    media_type: &str,
    body: Vec<u8>,
) -> Option<Reply> {
    let too_large = body.len() > operation.body_limit;
    let client = if too_large { client.apart() } else { client.clone() };
    let request = client.request(operation.method.clone(), operation.address(document));
    let mut request = request.key(&client.fresh_key()).bytes(media_type, body);
    if operation.of_place("header").any(|header| header.name.eq_ignore_ascii_case("if-match")) {
        request = request.header("if-match", "\"1\"");
    }
    if too_large { request.try_send().await.ok() } else { Some(request.send().await) }
}

/// What is wrong with a refusal; nothing when it is a good one.
fn fault_of(reply: &Reply, field: Option<&str>) -> Option<String> {
    if !reply.status.is_client_error() {
        return Some("not a refusal".to_owned());
    }
    if !reply.is_problem() {
        return Some("not a problem".to_owned());
    }
    // Larger than the route takes: there is no field to speak of.
    if reply.status == 413 {
        return None;
    }
    let field = field?;
    // Of two fields that exclude each other, the first is named.
    let other = &field.replace(".by_weight", ".flat");
    let named = reply.fields();
    let fits = |name: &&str| {
        [field, other].iter().any(|field| name.starts_with(*field) || field.starts_with(*name))
    };
    if named.iter().any(fits) {
        return None;
    }
    Some(format!("names {named:?}"))
}

fn report(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
