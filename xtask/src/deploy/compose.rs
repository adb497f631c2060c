//! What a composed shop must be, beyond being valid: closed, bounded, and complete.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The one that the world may reach.
const PUBLISHED: &str = "gateway";
/// Where compose puts secrets.
const SECRETS: &str = "/run/secrets/";

/// Ends of names of variables whose values are secrets, or hold one.
const SECRET_NAMES: [&str; 5] = ["PASSWORD", "SECRET", "TOKEN", "KEY", "URL"];

/// What compose makes of `extends`: maps are put together, lists joined, the rest replaced.
pub fn extended(base: &Value, own: &Value) -> Value {
    match (base, own) {
        (Value::Object(base), Value::Object(own)) => {
            let mut both: Map<String, Value> = base.clone();
            for (key, value) in own.iter().filter(|(key, _)| *key != "extends") {
                let merged =
                    both.get(key).map_or_else(|| value.clone(), |old| extended(old, value));
                both.insert(key.clone(), merged);
            }
            Value::Object(both)
        }
        (Value::Array(base), Value::Array(own)) => base.iter().chain(own).cloned().collect(),
        _ => own.clone(),
    }
}

/// One sentence for each broken rule. `ours` are the services of this project.
pub fn findings(document: &Value, ours: &BTreeSet<String>) -> Vec<String> {
    let none = Map::new();
    let services = document["services"].as_object().unwrap_or(&none);
    let mut found = Vec::new();
    for name in ours.iter().filter(|name| !services.contains_key(*name)) {
        found.push(format!("the service {name} is missing"));
    }
    for (name, service) in services {
        let mut said = any_service(name, service, document);
        if ours.contains(name) {
            said.extend(our_service(name, service));
        }
        found.extend(said.into_iter().map(|one| format!("{name}: {one}")));
    }
    let images: BTreeSet<&str> = services
        .iter()
        .filter(|(name, _)| ours.contains(*name))
        .filter_map(|(_, service)| service["image"].as_str())
        .collect();
    if images.len() > 1 {
        found.push(format!("the services are of different images: {images:?}"));
    }
    found
}

/// What holds for other people's servers too.
fn any_service(name: &str, service: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if service.get("ports").is_some() && name != PUBLISHED {
        found.push("only the gateway is published".to_owned());
    }
    let image = service["image"].as_str().unwrap_or_default();
    if !image.rsplit('/').next().unwrap_or_default().contains(':') || image.ends_with(":latest") {
        found.push(format!("its image `{image}` names no version"));
    }
    for key in ["healthcheck", "mem_limit", "restart"] {
        if service.get(key).is_none() {
            found.push(format!("it has no {key}"));
        }
    }
    if !list(&service["security_opt"]).any(|one| one == "no-new-privileges:true") {
        found.push("its processes may gain privileges".to_owned());
    }
    if service["privileged"] == true || service["network_mode"] == "host" {
        found.push("it is not apart from its host".to_owned());
    }
    for (dependency, terms) in service["depends_on"].as_object().into_iter().flatten() {
        if document["services"].get(dependency).is_none() {
            found.push(format!("it depends on {dependency}, which is not there"));
        }
        if terms["condition"] != "service_healthy" {
            found.push(format!("it does not wait until {dependency} is healthy"));
        }
    }
    found.extend(secrets(service, document));
    found
}

/// Secrets come as files, from a secret that the document knows.
fn secrets(service: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut files = BTreeSet::new();
    for secret in service["secrets"].as_array().into_iter().flatten() {
        let source = secret["source"].as_str().or(secret.as_str()).unwrap_or_default();
        if document["secrets"][source]["file"].as_str().is_none() {
            found.push(format!("its secret {source} comes from no file"));
        }
        let target = secret["target"].as_str().unwrap_or(source);
        files.insert(if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("{SECRETS}{target}")
        });
    }
    for (name, value) in service["environment"].as_object().into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        if SECRET_NAMES.iter().any(|end| name.ends_with(end)) {
            found.push(format!("the variable {name} holds a secret: name a file with {name}_FILE"));
        }
        if name.ends_with("_FILE") && text.starts_with(SECRETS) && !files.contains(text) {
            found.push(format!("the variable {name} names {text}, which is not among its secrets"));
        }
    }
    found
}

fn our_service(name: &str, service: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let user = service["user"].as_str().unwrap_or_default();
    if user.is_empty() || user.starts_with("root") || user.split(':').next() == Some("0") {
        found.push("it runs as root".to_owned());
    }
    if service["read_only"] != true {
        found.push("its root folder can be written".to_owned());
    }
    if service["cap_drop"] != json!(["ALL"]) || service.get("cap_add").is_some() {
        found.push("it keeps capabilities".to_owned());
    }
    let command: Vec<&str> = list(&service["command"]).collect();
    if !command.starts_with(&["serve", name]) {
        found.push(format!("it does not serve {name}: {command:?}"));
    }
    let published = service["ports"].as_array().into_iter().flatten();
    for port in
        published.filter(|port| !port.as_str().is_some_and(|one| one.starts_with("127.0.0.1:")))
    {
        found.push(format!("{port} is published beyond the loopback interface"));
    }
    if name != PUBLISHED && service["environment"].get("MERCAT_DATABASE__URL_FILE").is_none() {
        found.push("it has no database".to_owned());
    }
    found
}

fn list(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        let service = |name: &str| {
            json!({
                "image": "mercat:1", "user": "65532:65532", "read_only": true, "cap_drop": ["ALL"],
                "security_opt": ["no-new-privileges:true"], "mem_limit": "1g", "restart": "always",
                "healthcheck": {}, "command": ["serve", name], "depends_on": { "postgres": { "condition": "service_healthy" } },
                "secrets": [{ "source": "a", "target": "database" }],
                "environment": { "MERCAT_DATABASE__URL_FILE": "/run/secrets/database" }
            })
        };
        let mut gateway = service("gateway");
        gateway["ports"] = json!(["127.0.0.1:8080:8080"]);
        json!({
            "services": {
                "catalog": service("catalog"),
                "gateway": gateway,
                "postgres": {
                    "image": "postgres:17.5", "security_opt": ["no-new-privileges:true"],
                    "mem_limit": "1g", "restart": "always", "healthcheck": {}
                }
            },
            "secrets": { "a": { "file": "./a" } }
        })
    }

    fn ours() -> BTreeSet<String> {
        ["catalog", "gateway"].map(str::to_owned).into()
    }

    #[test]
    fn a_closed_and_complete_shop_is_fine() {
        assert_eq!(findings(&document(), &ours()), Vec::<String>::new());
    }

    #[test]
    fn each_broken_rule_is_named() {
        for (pointer, to, said) in [
            ("/services/catalog", Value::Null, "it runs as root"),
            ("/services/catalog/ports", json!(["127.0.0.1:1:1"]), "only the gateway is published"),
            ("/services/gateway/ports", json!(["8080:8080"]), "beyond the loopback"),
            ("/services/catalog/image", json!("mercat"), "names no version"),
            ("/services/catalog/image", json!("mercat:latest"), "names no version"),
            ("/services/catalog/image", json!("mercat:2"), "different images"),
            ("/services/postgres/healthcheck", Value::Null, "it has no healthcheck"),
            ("/services/postgres/mem_limit", Value::Null, "it has no mem_limit"),
            ("/services/postgres/security_opt", json!([]), "may gain privileges"),
            ("/services/postgres/network_mode", json!("host"), "apart from its host"),
            (
                "/services/catalog/depends_on/postgres/condition",
                json!("service_started"),
                "until postgres is healthy",
            ),
            (
                "/services/catalog/depends_on/kafka",
                json!({ "condition": "service_healthy" }),
                "which is not there",
            ),
            ("/services/catalog/secrets", json!(["b"]), "comes from no file"),
            ("/services/catalog/secrets", json!([]), "not among its secrets"),
            (
                "/services/postgres/environment",
                json!({ "POSTGRES_PASSWORD": "x" }),
                "holds a secret",
            ),
            ("/services/catalog/user", json!("0:0"), "it runs as root"),
            ("/services/catalog/read_only", json!(false), "can be written"),
            ("/services/catalog/cap_add", json!(["SYS_ADMIN"]), "keeps capabilities"),
            ("/services/catalog/command", json!(["serve", "gateway"]), "does not serve catalog"),
            ("/services/catalog/environment", json!({}), "has no database"),
        ] {
            let mut broken = document();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let parent = broken.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            if to.is_null() && pointer.matches('/').count() > 2 {
                parent.remove(key);
            } else {
                parent.insert(key.to_owned(), to);
            }
            let found = findings(&broken, &ours());
            assert!(found.iter().any(|one| one.contains(said)), "{pointer}: {found:?}");
        }
        let mut ours = ours();
        ours.insert("payment".to_owned());
        assert_eq!(findings(&document(), &ours), ["the service payment is missing"]);
    }

    #[test]
    fn what_is_taken_over_is_put_together_as_compose_does() {
        let base = json!({ "image": "a", "secrets": ["x"], "environment": { "A": "1", "B": "1" } });
        let own =
            json!({ "extends": { "file": "f" }, "secrets": ["y"], "environment": { "B": "2" } });
        let whole =
            json!({ "image": "a", "secrets": ["x", "y"], "environment": { "A": "1", "B": "2" } });
        assert_eq!(extended(&base, &own), whole);
    }
}
