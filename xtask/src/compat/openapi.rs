//! What may not change in the shop's API: whoever calls it as the released document says goes on
//! being understood, and goes on understanding the answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    schema::{Direction, Schemas},
    shape::resolve,
};

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];

/// One sentence for each broken rule. Two empty documents agree.
pub fn breaking(old: &Value, new: &Value) -> Vec<String> {
    let mut schemas = Schemas::new(old, new);
    for (path, item) in members(&old["paths"]) {
        let now = &new["paths"][path.as_str()];
        for (method, operation) in operations(item) {
            let name = format!("{} {path}", method.to_uppercase());
            match now.get(method) {
                None => schemas.broken.push(format!("{name} is gone")),
                Some(present) => {
                    let old = Operation { root: old, item, own: operation };
                    let new = Operation { root: new, item: now, own: present };
                    same_operation(&name, &old, &new, &mut schemas);
                }
            }
        }
    }
    schemas.finish()
}

/// Everything that has a name: for telling what was added and what went.
pub fn elements(document: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (path, item) in members(&document["paths"]) {
        names.extend(
            operations(item).map(|(method, _)| format!("{} {path}", method.to_uppercase())),
        );
    }
    for (name, schema) in members(&document["components"]["schemas"]) {
        names.insert(format!("schema {name}"));
        names.extend(
            members(&schema["properties"]).map(|(field, _)| format!("field {name}.{field}")),
        );
        let values = schema["enum"].as_array().into_iter().flatten();
        names.extend(values.map(|value| format!("value {name}: {value}")));
    }
    names
}

struct Operation<'a> {
    root: &'a Value,
    /// The path's own entry: parameters may stand there for all methods.
    item: &'a Value,
    own: &'a Value,
}

impl<'a> Operation<'a> {
    /// By place and name; names of headers are the same in any case.
    fn parameters(&self) -> BTreeMap<String, &'a Value> {
        let lists = [&self.item["parameters"], &self.own["parameters"]];
        let all = lists.into_iter().filter_map(Value::as_array).flatten();
        all.map(|parameter| {
            let parameter = resolve(self.root, parameter);
            let [place, name] =
                ["in", "name"].map(|key| parameter[key].as_str().unwrap_or_default());
            let name = if place == "header" { name.to_lowercase() } else { name.to_owned() };
            (format!("{place} parameter `{name}`"), parameter)
        })
        .collect()
    }

    fn responses(&self) -> BTreeMap<&'a str, &'a Value> {
        let responses = members(&self.own["responses"]);
        responses.map(|(status, one)| (status.as_str(), resolve(self.root, one))).collect()
    }

    fn body(&self) -> &'a Value {
        self.own.get("requestBody").map_or(&Value::Null, |body| resolve(self.root, body))
    }
}

fn same_operation(name: &str, old: &Operation<'_>, new: &Operation<'_>, schemas: &mut Schemas<'_>) {
    same_terms(name, old.own, new.own, schemas);
    same_parameters(name, old, new, schemas);
    let (before, now) = (old.body(), new.body());
    if !is_required(before) && is_required(now) {
        schemas.broken.push(format!("{name}: its body is required now"));
    }
    same_contents(&format!("{name}: request"), Direction::Request, before, now, schemas);
    let present = new.responses();
    for (status, response) in old.responses() {
        let place = format!("{name}: response {status}");
        match present.get(status) {
            Some(now) => {
                same_contents(&place, Direction::Response, response, now, schemas);
                for (header, _) in members(&response["headers"]) {
                    if now["headers"].get(header).is_none() {
                        schemas.broken.push(format!("{place}: its header `{header}` is gone"));
                    }
                }
            }
            // Whoever calls must be ready for any error; success is what was promised.
            None if status.starts_with('2') => schemas.broken.push(format!("{place} is gone")),
            None => {}
        }
    }
}

/// What stands beside the shapes: the name, who may call, and on which conditions.
fn same_terms(name: &str, old: &Value, new: &Value, schemas: &mut Schemas<'_>) {
    for (key, what) in [("operationId", "operation id"), ("x-permission", "permission")] {
        if old[key] != new[key] && !(key == "x-permission" && new[key] == "public") {
            schemas.broken.push(format!("{name}: its {what} was {} and is {}", old[key], new[key]));
        }
    }
    let open = |operation: &Value| match operation["security"].as_array() {
        None => true,
        Some(ways) => ways.is_empty() || ways.iter().any(|way| way == &Value::Object(Map::new())),
    };
    if open(old) && !open(new) {
        schemas.broken.push(format!("{name}: it wants a token now"));
    }
    let key = "x-idempotency";
    if old[key] != "required" && new[key] == "required" {
        schemas.broken.push(format!("{name}: it wants an idempotency key now"));
    }
    let limit = |operation: &Value| operation["x-body-limit"].as_u64();
    if let (Some(before), Some(now)) = (limit(old), limit(new))
        && now < before
    {
        schemas.broken.push(format!("{name}: bodies of {before} bytes were taken, now of {now}"));
    }
}

fn same_parameters(
    name: &str,
    old: &Operation<'_>,
    new: &Operation<'_>,
    schemas: &mut Schemas<'_>,
) {
    let (before, now) = (old.parameters(), new.parameters());
    for (parameter, one) in &before {
        let place = format!("{name}: {parameter}");
        let Some(present) = now.get(parameter) else {
            schemas.broken.push(format!("{place} is gone"));
            continue;
        };
        if !is_required(one) && is_required(present) {
            schemas.broken.push(format!("{place} is required now"));
        }
        schemas.same(&place, Direction::Request, &one["schema"], &present["schema"]);
    }
    for (parameter, one) in now {
        if !before.contains_key(&parameter) && is_required(one) {
            schemas.broken.push(format!("{name}: {parameter} is new and required"));
        }
    }
}

fn same_contents(
    place: &str,
    direction: Direction,
    old: &Value,
    new: &Value,
    schemas: &mut Schemas<'_>,
) {
    for (media, content) in members(&old["content"]) {
        match new["content"].get(media) {
            None => schemas.broken.push(format!("{place}: `{media}` is gone")),
            Some(now) => schemas.same(place, direction, &content["schema"], &now["schema"]),
        }
    }
}

fn is_required(value: &Value) -> bool {
    value["required"] == true
}

fn operations(item: &Value) -> impl Iterator<Item = (&str, &Value)> {
    members(item)
        .map(|(method, operation)| (method.as_str(), operation))
        .filter(|(method, _)| METHODS.contains(method))
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "paths": { "/v1/carts/{id}": {
                "parameters": [{ "in": "path", "name": "id", "required": true, "schema": { "type": "string" } }],
                "put": {
                    "operationId": "change_cart",
                    "x-permission": "public",
                    "x-body-limit": 1000,
                    "security": [{}, { "bearer": [] }],
                    "parameters": [
                        { "in": "query", "name": "limit", "schema": { "type": "integer", "maximum": 100 } },
                        { "in": "header", "name": "Cart-Secret", "schema": { "type": "string" } }
                    ],
                    "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Change" } } } },
                    "responses": {
                        "200": { "headers": { "ETag": {} }, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Cart" } } } },
                        "404": { "$ref": "#/components/responses/Problem" }
                    }
                }
            } },
            "components": {
                "responses": { "Problem": { "content": { "application/problem+json": { "schema": { "type": "object", "properties": { "type": { "type": "string" } } } } } } },
                "schemas": {
                    "Change": { "type": "object", "additionalProperties": false, "properties": { "note": { "type": "string" } } },
                    "Cart": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string" }, "status": { "type": "string", "enum": ["open", "ordered"] } } }
                }
            }
        })
    }

    /// What is said when the value at the pointer becomes another, or goes.
    fn change(pointer: &str, to: Option<Value>) -> Vec<String> {
        let mut after = document();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/");
        match after.pointer_mut(parent).unwrap() {
            Value::Object(object) => match to {
                Some(to) => drop(object.insert(key, to)),
                None => drop(object.remove(&key).unwrap()),
            },
            Value::Array(list) => match to {
                Some(to) => list.push(to),
                None => drop(list.remove(key.parse().unwrap())),
            },
            other => panic!("{other} has no members"),
        }
        assert_ne!(after, document());
        breaking(&document(), &after)
    }

    const PUT: &str = "/paths/~1v1~1carts~1{id}/put";

    #[test]
    fn each_broken_promise_is_named() {
        let at = |rest: &str| format!("{PUT}{rest}");
        let required = json!({ "in": "query", "name": "shop", "required": true, "schema": {} });
        for (pointer, to, said) in [
            ("/paths/~1v1~1carts~1{id}".to_owned(), None, "PUT /v1/carts/{id} is gone"),
            (at(""), None, "PUT /v1/carts/{id} is gone"),
            (at("/operationId"), Some(json!("put_cart")), "operation id was \"change_cart\""),
            (at("/x-permission"), Some(json!("orders:write")), "permission was \"public\""),
            (at("/x-idempotency"), Some(json!("required")), "wants an idempotency key"),
            (at("/x-body-limit"), Some(json!(10)), "bodies of 1000 bytes"),
            (at("/security"), Some(json!([{ "bearer": [] }])), "wants a token now"),
            (at("/parameters/0"), None, "query parameter `limit` is gone"),
            (at("/parameters/-"), Some(required), "query parameter `shop` is new and required"),
            (at("/parameters/0/required"), Some(json!(true)), "query parameter `limit` is required now"),
            (at("/parameters/0/schema/maximum"), Some(json!(10)), "query parameter `limit`: its maximum was 100 and is 10"),
            (at("/requestBody/required"), Some(json!(true)), "its body is required now"),
            (at("/requestBody/content/application~1json"), None, "request: `application/json` is gone"),
            (at("/responses/200"), None, "response 200 is gone"),
            (at("/responses/200/headers/ETag"), None, "header `ETag` is gone"),
            (at("/responses/200/content/application~1json"), None, "response 200: `application/json` is gone"),
            ("/components/schemas/Cart/properties/status".to_owned(), None, "field `status` is gone"),
            ("/components/schemas/Change/properties/note".to_owned(), None, "field `note` is gone"),
            ("/components/schemas/Change/required".to_owned(), Some(json!(["note"])), "field `note` is required now"),
            ("/components/responses/Problem/content/application~1problem+json/schema/properties/type/type".to_owned(), Some(json!("integer")), "response 404"),
        ] {
            let broken = change(&pointer, to);
            assert!(broken.iter().any(|one| one.contains(said)), "{pointer}: {broken:?}");
        }
    }

    #[test]
    fn what_only_adds_breaks_nothing() {
        let at = |rest: &str| format!("{PUT}{rest}");
        let optional = json!({ "in": "query", "name": "shop", "schema": {} });
        for (pointer, to) in [
            ("/paths/~1v1~1orders".to_owned(), Some(json!({ "get": {} }))),
            (at("/parameters/-"), Some(optional)),
            (at("/parameters/1/name"), Some(json!("cart-secret"))),
            (at("/responses/404"), None),
            (at("/responses/409"), Some(json!({}))),
            (at("/x-body-limit"), Some(json!(2000))),
            (at("/security"), Some(json!([]))),
            (
                "/components/schemas/Cart/properties/new".to_owned(),
                Some(json!({ "type": "string" })),
            ),
            (
                "/components/schemas/Change/properties/new".to_owned(),
                Some(json!({ "type": "string" })),
            ),
            (
                "/components/schemas/Cart/properties/status/description".to_owned(),
                Some(json!("words")),
            ),
        ] {
            assert_eq!(change(&pointer, to), Vec::<String>::new(), "{pointer}");
        }
        assert!(breaking(&Value::Null, &document()).is_empty());
    }

    #[test]
    fn what_came_and_went_has_a_name() {
        let names = elements(&document());
        for name in ["PUT /v1/carts/{id}", "schema Cart", "field Cart.id", "field Change.note"] {
            assert!(names.contains(name), "{name} in {names:?}");
        }
    }
}
