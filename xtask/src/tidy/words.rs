//! Words that may stand in some places only.

use super::{Finding, source::Source};

/// The platform carries any business; these are words of this one. Words with a technical meaning
/// besides (`line`, `capture`, `variant`, `charge`) are left out, and so is `customer`: a kind of
/// principal.
const SHOP_WORDS: [&str; 24] = [
    "order",
    "orders",
    "cart",
    "carts",
    "product",
    "products",
    "sku",
    "skus",
    "payment",
    "payments",
    "price",
    "prices",
    "stock",
    "checkout",
    "catalog",
    "inventory",
    "refund",
    "refunds",
    "shop",
    "shopper",
    "buyer",
    "reservation",
    "reservations",
    "shipping",
];

/// Identifiers that mean something else in one place.
const HOMONYMS: [(&str, &str); 1] = [
    // What a list is sorted by, as in `ORDER BY`.
    ("crates/platform/src/store/", "order"),
];

const TOPOLOGIES: [&str; 4] = ["embedded", "loopback", "kafka", "rabbitmq"];

/// Words inside identifiers that say which topology runs, or which broker carries events.
const BROKER_WORDS: [&str; 7] =
    ["topology", "topologies", "kafka", "rdkafka", "rabbit", "rabbitmq", "lapin"];

/// Where events are carried, parts are wired, and shops are started.
const BROKER_HOMES: [&str; 7] = [
    "crates/platform/",
    "mercat/",
    "crates/testkit/",
    "crates/faults/",
    "crates/simulation/",
    "bench/",
    "xtask/",
];

/// The start page shows what the wiring called itself, and decides nothing by it.
const TOPOLOGY_SHOWN: (&str, &str) = ("services/gateway/", "topology");

/// Crates that speak to a broker.
const BROKER_LIBRARIES: [&str; 2] = ["rdkafka", "lapin"];

const DATABASE_LIBRARIES: [&str; 3] = ["rusqlite", "sqlx", "tokio_postgres"];

/// Besides the platform and the adapters: the checker, which must share no code with the services
/// and so reads the databases by itself; tests that look past the program at what it stored; and the
/// benchmark that holds a transaction of somebody else open.
const CHECKERS: [&str; 4] =
    ["crates/testkit/", "crates/checker/", "mercat/tests/", "bench/src/outbox/"];

pub fn shop_words(path: &str, source: &Source) -> Vec<Finding> {
    if !path.starts_with("crates/platform/src/") {
        return Vec::new();
    }
    each_word(&source.production, |word| SHOP_WORDS.contains(&word))
        .into_iter()
        .filter(|(_, identifier, _)| {
            let here = |(place, name): &(&str, &str)| path.starts_with(place) && identifier == name;
            !HOMONYMS.iter().any(here)
        })
        .map(|(line, identifier, word)| {
            Finding::new(
                path,
                line,
                format!("the platform knows no shop word, and `{identifier}` says `{word}`"),
            )
        })
        .collect()
}

/// Which topology runs is decided where the parts are wired; a service that asks behaves
/// differently in one of them.
pub fn topologies(path: &str, source: &Source) -> Vec<Finding> {
    let confined = ["services/", "crates/kernel/", "crates/contracts/"];
    if !confined.iter().any(|folder| path.starts_with(folder)) || !path.contains("/src/") {
        return Vec::new();
    }
    source
        .literals
        .iter()
        .filter(|literal| !literal.in_test && TOPOLOGIES.contains(&literal.text.as_str()))
        .map(|literal| {
            let name = &literal.text;
            Finding::new(path, literal.line, format!("only the wiring knows the topology `{name}`"))
        })
        .collect()
}

/// The same for identifiers, in tests too: a service is written, and tested, for any broker.
pub fn brokers(path: &str, source: &Source) -> Vec<Finding> {
    let service_adapter = path.starts_with("services/") && path.contains("/src/adapters");
    if service_adapter || BROKER_HOMES.iter().any(|place| path.starts_with(place)) {
        return Vec::new();
    }
    let (place, shown) = TOPOLOGY_SHOWN;
    each_word(&source.code, |word| BROKER_WORDS.contains(&word))
        .into_iter()
        .filter(|(_, identifier, _)| !(path.starts_with(place) && identifier == shown))
        .map(|(line, identifier, word)| {
            let rule = "only the platform and the wiring know the topology and its broker";
            Finding::new(path, line, format!("{rule}, and `{identifier}` says `{word}`"))
        })
        .collect()
}

/// A manifest that brings a broker's library to where no broker is known.
pub fn broker_libraries(path: &str, manifest: &str) -> Vec<Finding> {
    // The faults send what no adapter would.
    let homes = ["crates/platform/", "crates/faults/"];
    if path == "Cargo.toml" || homes.iter().any(|home| path.starts_with(home)) {
        return Vec::new();
    }
    let libraries = super::crates::names(manifest).into_iter();
    libraries
        .filter(|name| BROKER_LIBRARIES.contains(&name.as_str()))
        .map(|name| Finding::new(path, 1, format!("`{name}` stays in the platform")))
        .collect()
}

pub fn database_libraries(path: &str, source: &Source) -> Vec<Finding> {
    // An adapter's tests make the database that it is tested on.
    let service_adapter = path.starts_with("services/")
        && (path.contains("/src/adapters") || path.contains("/tests/"));
    let at_home = path.starts_with("crates/platform/")
        || service_adapter
        || CHECKERS.iter().any(|place| path.starts_with(place));
    if at_home {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (number, line) in source.code.lines().enumerate() {
        for identifier in identifiers(line) {
            if DATABASE_LIBRARIES.contains(&identifier) {
                found.push(Finding::new(
                    path,
                    number + 1,
                    format!("`{identifier}` stays in the platform and in the adapters of services"),
                ));
            }
        }
    }
    found
}

fn identifiers(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
        .filter(|identifier| !identifier.is_empty())
}

/// Line, identifier and word, for each word inside an identifier that `wanted` picks.
fn each_word(code: &str, wanted: impl Fn(&str) -> bool) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for identifier in identifiers(line) {
            for word in words(identifier) {
                if wanted(&word) {
                    found.push((number + 1, identifier.to_owned(), word));
                }
            }
        }
    }
    found
}

/// `place_order`, `PlaceOrder` and `PLACE_ORDER` are `place` and `order`; `Ordering` is itself.
fn words(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for letter in identifier.chars() {
        if letter == '_' || (letter.is_uppercase() && after_small) {
            words.push(String::new());
        }
        if letter != '_' {
            words.last_mut().expect("never empty").extend(letter.to_lowercase());
        }
        after_small = letter.is_lowercase() || letter.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(findings: Vec<Finding>) -> Vec<usize> {
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn the_platform_is_caught_with_a_shop_word_in_any_spelling() {
        let source = Source::parse(
            "fn a() {}\nfn place_order() {}\nstruct CartState;\nconst MAX_SKU: u8 = 1;",
        );
        assert_eq!(lines(shop_words("crates/platform/src/a.rs", &source)), [2, 3, 4]);
        assert!(shop_words("services/ordering/src/a.rs", &source).is_empty());
    }

    #[test]
    fn a_homonym_is_free_in_its_place_and_only_by_itself() {
        let source = Source::parse("fn order() {}\nfn place_order() {}");
        assert_eq!(lines(shop_words("crates/platform/src/store/query.rs", &source)), [2]);
        assert_eq!(lines(shop_words("crates/platform/src/bus/relay.rs", &source)), [1, 2]);
    }

    #[test]
    fn parts_of_other_words_comments_literals_and_tests_say_nothing() {
        let source = Source::parse(
            "use std::cmp::Ordering; // an order\nlet reorder = \"order\";\n#[cfg(test)]\nmod tests { struct Order; }",
        );
        assert!(shop_words("crates/platform/src/a.rs", &source).is_empty());
    }

    #[test]
    fn a_service_that_asks_for_the_topology_is_caught() {
        let source =
            Source::parse("\nif topology == \"kafka\" {}\nlet text = \"embedded newline\";");
        assert_eq!(lines(topologies("services/catalog/src/lib.rs", &source)), [2]);
        assert!(topologies("mercat/src/main.rs", &source).is_empty());
    }

    #[test]
    fn whoever_names_the_topology_or_a_broker_outside_their_homes_is_caught() {
        let source = Source::parse(
            "use x::RabbitMq;\nfn a(topology: Topology) {}\nlet b = kafka_topic;\nuse lapin::Channel;\n\
             #[cfg(test)]\nmod tests { struct KafkaDouble; }\n// Kafka\nlet c = \"kafka\";",
        );
        for place in
            ["services/a/src/lib.rs", "services/a/tests/it/main.rs", "crates/kernel/src/a.rs"]
        {
            let mut lines = lines(brokers(place, &source));
            lines.dedup();
            assert_eq!(lines, [1, 2, 3, 4, 6], "{place}");
        }
        for home in [
            "crates/platform/src/bus/kafka/mod.rs",
            "services/a/src/adapters/events.rs",
            "mercat/src/shop/mod.rs",
            "crates/testkit/src/shop.rs",
            "bench/src/shop.rs",
        ] {
            assert!(brokers(home, &source).is_empty(), "{home}");
        }
    }

    #[test]
    fn the_page_that_shows_the_topology_may_only_show_it() {
        let source =
            Source::parse("let shown = about.topology;\nif about.topology == Topology::A {}");
        assert_eq!(lines(brokers("services/gateway/src/pages.rs", &source)), [2]);
        assert_eq!(lines(brokers("services/catalog/src/lib.rs", &source)).len(), 3);
    }

    #[test]
    fn a_manifest_with_a_brokers_library_is_caught() {
        let manifest = "[dependencies]\nrdkafka.workspace = true\nserde = \"1\"\n";
        assert_eq!(broker_libraries("services/a/Cargo.toml", manifest).len(), 1);
        assert!(broker_libraries("crates/platform/Cargo.toml", manifest).is_empty());
        assert!(
            broker_libraries("services/a/Cargo.toml", "[dependencies]\nserde = \"1\"").is_empty()
        );
    }

    #[test]
    fn a_database_library_outside_its_homes_is_caught() {
        let source = Source::parse("use rusqlite::Connection;");
        assert_eq!(lines(database_libraries("services/a/src/application/b.rs", &source)), [1]);
        assert_eq!(lines(database_libraries("crates/kernel/src/b.rs", &source)), [1]);
        for home in [
            "crates/platform/src/store/sqlite.rs",
            "services/a/src/adapters/queries/search.rs",
            "services/a/tests/it/server.rs",
            "crates/testkit/src/checker.rs",
        ] {
            assert!(database_libraries(home, &source).is_empty(), "{home}");
        }
    }
}
