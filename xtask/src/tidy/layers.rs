//! Who may use whom inside one service: `adapters` → `application` → `ports` → `domain`.
//!
//! The first room of a path in `src/` is its layer. A file of a layer may name the rooms and the
//! crates listed for that layer and nothing else; what is not a dependency in the manifest cannot
//! be named at all, so only names from there are looked at.

use super::{Finding, paths, source::Source};

/// Pure crates that a domain may use, each with the reason.
const DOMAIN_CRATES: [(&str, &str); 17] = [
    ("kernel", "the shared vocabulary"),
    ("std", "the language's own"),
    ("core", "the language's own"),
    ("alloc", "the language's own"),
    ("serde", "aggregates are stored as documents"),
    ("serde_json", "free attributes of a document are any JSON"),
    ("utoipa", "an enum that is shown as it is describes its own words"),
    ("thiserror", "rejections are errors with a text"),
    ("rust_decimal", "rates and percentages; money itself stays integer"),
    ("jiff", "calendar arithmetic on a time that was handed in"),
    ("csv", "the import format is a rule of the catalog; it reads bytes, not files"),
    ("ahash", "sets over a million rows of an import"),
    ("base64", "the text form of secrets and keys"),
    ("sha2", "a secret is stored as its hash"),
    ("hmac", "a secret is stored as its keyed hash"),
    ("subtle", "secrets are compared in constant time"),
    ("zeroize", "secrets are wiped when dropped"),
];

/// What ports may use besides: their functions are asynchronous and dynamic.
const PORT_CRATES: [(&str, &str); 3] = [
    ("async_trait", "ports are `Arc<dyn …>`"),
    ("bytes", "a body handed on without a copy"),
    ("platform", "only PORT_ROOMS"),
];

/// What use cases may use besides.
const APPLICATION_CRATES: [(&str, &str); 5] = [
    ("contracts", "only events: what a use case publishes"),
    ("tracing", "a use case may say what it did"),
    ("futures_util", "streams of rows and joined reads"),
    ("tokio", "bounds shared by requests, and blocking work; clippy bans spawning"),
    ("arc_swap", "what is remembered and read by every request"),
];

/// What a port may say of the platform: who asks until when, what a decision works on, and where a
/// page of a projection begins.
const PORT_ROOMS: &[&str] = &["context", "executor", "idempotency", "store"];

/// The part of the technical floor that a use case stands on. Transports and engines are not in it.
const APPLICATION_ROOMS: &[&str] = &[
    "bug",
    "context",
    "crash",
    "env",
    "event",
    "executor",
    "idempotency",
    "recent",
    "sometimes",
    "store",
];

/// Modules of `platform::store` that are one database and not the store.
const ENGINES: [&str; 3] = ["sqlite", "postgres", "memory"];

/// What a use case must not take from `contracts`: calls belong to adapters, behind a port.
const CALL_SUFFIXES: [&str; 6] = ["Api", "Direct", "Client", "Server", "Request", "Reply"];

/// The manifest that says which crates the file can name; `None` outside services.
pub fn manifest_of(path: &str) -> Option<String> {
    let mut parts = path.split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("services"), Some(service), Some("src")) => {
            Some(format!("services/{service}/Cargo.toml"))
        }
        _ => None,
    }
}

struct Layer {
    name: &'static str,
    rooms: &'static [&'static str],
    crates: Vec<&'static str>,
}

fn layer(name: &str) -> Option<Layer> {
    let names =
        |list: &[(&'static str, &'static str)]| list.iter().map(|(name, _)| *name).collect();
    let domain: Vec<&'static str> = names(&DOMAIN_CRATES);
    let ports: Vec<&'static str> = [domain.clone(), names(&PORT_CRATES)].concat();
    match name {
        "domain" => Some(Layer { name: "domain", rooms: &["domain"], crates: domain }),
        "ports" => Some(Layer { name: "ports", rooms: &["ports", "domain"], crates: ports }),
        "application" => Some(Layer {
            name: "application",
            rooms: &["application", "ports", "domain"],
            crates: [ports, names(&APPLICATION_CRATES)].concat(),
        }),
        _ => None,
    }
}

/// What belongs to the root of a service though it has a file of its own: the configuration names
/// what the adapters can be told.
const ROOT_ROOMS: [&str; 1] = ["config"];

/// `services/ordering/src/domain/order.rs` → `["domain", "order"]`.
fn module_of(path: &str) -> Vec<String> {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    let mut module: Vec<String> =
        inside.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// Where a path leads: into our own crate, or to the crate it names first.
enum Target {
    Own(Vec<String>),
    Crate(Vec<String>),
}

fn resolve(module: &[String], segments: &[String]) -> Target {
    let mut here = module.to_vec();
    let mut rest = segments;
    match segments[0].as_str() {
        "crate" => return Target::Own(segments[1..].to_vec()),
        "self" => rest = &segments[1..],
        "super" => {
            while rest.first().is_some_and(|segment| segment == "super") {
                here.pop();
                rest = &rest[1..];
            }
        }
        _ => return Target::Crate(segments.to_vec()),
    }
    here.extend(rest.iter().cloned());
    Target::Own(here)
}

/// Findings of one file of a service. `known` are the crates of its manifest, as code spells them.
pub fn directions(path: &str, source: &Source, known: &[String]) -> Vec<Finding> {
    let module = module_of(path);
    let room = module.first().map_or("", String::as_str);
    if room == "adapters" || module.is_empty() || ROOT_ROOMS.contains(&room) {
        return Vec::new();
    }
    let layer = layer(room);
    paths::named(&source.production)
        .into_iter()
        .filter_map(|named| {
            let message = match resolve(&module, &named.segments) {
                Target::Own(own) => own_rule(layer.as_ref(), &own),
                Target::Crate(segments) if known.contains(&segments[0]) => {
                    layer.as_ref().and_then(|layer| crate_rule(layer, &segments))
                }
                Target::Crate(_) => None,
            };
            message.map(|message| Finding::new(path, named.line, message))
        })
        .collect()
}

fn own_rule(layer: Option<&Layer>, own: &[String]) -> Option<String> {
    let room = own.first().map_or("", String::as_str);
    match layer {
        Some(_) if room.is_empty() || room == "self" => None,
        Some(layer) if !layer.rooms.contains(&room) => Some(format!(
            "`{}` uses `{}`; it may use only {}",
            layer.name,
            own.join("::"),
            layer.rooms.join(", ")
        )),
        None if room == "adapters" => {
            Some("only lib.rs, main.rs and the adapters themselves use `adapters`".to_owned())
        }
        _ => None,
    }
}

fn crate_rule(layer: &Layer, segments: &[String]) -> Option<String> {
    let name = segments[0].as_str();
    if !layer.crates.contains(&name) {
        return Some(format!(
            "`{}` uses the crate `{name}`; what it may use is listed, with reasons, in \
             xtask/src/tidy/layers.rs",
            layer.name
        ));
    }
    let second = segments.get(1).map_or("", String::as_str);
    // A type re-exported at the crate's root (`platform::Context`) is part of the floor's face.
    let is_room = second.starts_with(|letter: char| letter.is_lowercase());
    let rooms = match name {
        "platform" if layer.name == "ports" => PORT_ROOMS,
        "platform" => APPLICATION_ROOMS,
        "tokio" => &["sync", "task"],
        _ => &[],
    };
    if !rooms.is_empty() && is_room && !rooms.contains(&second) {
        return Some(format!(
            "`{}` uses `{name}::{second}`; it may use only {}",
            layer.name,
            rooms.join(", ")
        ));
    }
    let third = segments.get(2).map_or("", String::as_str);
    if name == "platform" && second == "store" && ENGINES.contains(&third) {
        return Some(format!(
            "`{}` names the engine `{third}`; which database runs is not its business",
            layer.name
        ));
    }
    let last = segments.last().map_or("", String::as_str);
    if name == "contracts" && CALL_SUFFIXES.iter().any(|suffix| last.ends_with(suffix)) {
        return Some(format!(
            "a use case names `{last}`; calls belong to an adapter behind a port, a use case takes only events"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let known: Vec<String> = [
            "platform",
            "contracts",
            "rusqlite",
            "tokio",
            "serde",
            "axum",
            "kernel",
            "async_trait",
        ]
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
        directions(path, &Source::parse(text), &known)
            .into_iter()
            .map(|finding| finding.to_string())
            .collect()
    }

    #[test]
    fn a_domain_that_uses_the_platform_is_caught_with_its_line() {
        let found =
            findings("services/a/src/domain/order.rs", "use kernel::Money;\nuse platform::Env;");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("services/a/src/domain/order.rs:2: `domain` uses"),
            "{found:?}"
        );
    }

    #[test]
    fn a_domain_that_reaches_up_by_super_is_caught() {
        for text in [
            "use super::super::ports::Stock;",
            "use crate::application::place_order;",
            "fn a() -> crate::Error { todo }",
            "use crate::{domain::Order, adapters::store};",
        ] {
            assert_eq!(findings("services/a/src/domain/order.rs", text).len(), 1, "{text}");
        }
        assert!(findings("services/a/src/domain/order.rs", "use super::cart::Cart;").is_empty());
        assert!(findings("services/a/src/domain/mod.rs", "use self::cart::Cart;").is_empty());
    }

    #[test]
    fn ports_may_be_asynchronous_and_know_the_domain_only() {
        let path = "services/a/src/ports.rs";
        assert!(
            findings(path, "use async_trait::async_trait; use crate::domain::Order;").is_empty()
        );
        assert_eq!(findings(path, "use crate::application::x; use axum::Router;").len(), 2);
        assert!(findings(path, "use platform::{Context, executor::States};").is_empty());
        assert_eq!(findings(path, "use platform::rpc::CallError;").len(), 1);
    }

    #[test]
    fn a_use_case_stands_on_the_executor_but_on_no_transport() {
        let path = "services/a/src/application/place_order.rs";
        assert!(
            findings(
                path,
                "use platform::{Context, executor::Executor}; use contracts::ordering::v1::OrderPlaced; use crate::ports::Stock;"
            )
            .is_empty()
        );
        for text in [
            "use platform::http::Problem;",
            "use platform::store::{Query, sqlite::SqliteReader};",
            "async fn a() { tokio::time::timeout(x, y).await }",
            "use contracts::inventory::InventoryClient;",
            "use contracts::inventory::v1::ReserveRequest;",
            "fn a() { rusqlite::Connection::open_in_memory() }",
            "use axum::Json;",
            "use super::super::adapters::http;",
        ] {
            assert_eq!(findings(path, text).len(), 1, "{text}");
        }
    }

    #[test]
    fn only_the_root_uses_adapters() {
        let text = "use crate::adapters::http;";
        assert!(findings("services/a/src/lib.rs", text).is_empty());
        assert!(findings("services/a/src/main.rs", text).is_empty());
        assert!(findings("services/a/src/config.rs", text).is_empty());
        assert!(findings("services/a/src/adapters/grpc.rs", text).is_empty());
        assert_eq!(findings("services/a/src/worker.rs", text).len(), 1);
    }

    #[test]
    fn tests_and_comments_may_name_anything() {
        let text = "// use platform::Env;\n#[cfg(test)]\nmod tests { use platform::Env; }";
        assert!(findings("services/a/src/domain/order.rs", text).is_empty());
    }
}
