//! Every event that was ever shipped, as bytes in `golden/`: consumers decode all of them, and what
//! is encoded today is the same bytes. A golden file is never changed and never deleted; while it is
//! there, so is the event. `MERCAT_WRITE_GOLDEN=1 cargo test -p contracts --test golden` writes those
//! that are missing.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may stop at the first surprise, as tests do"
)]

mod describe;
mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use contracts::{catalog, identity, inventory, ordering, payment};
use describe::Contracts;
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// The golden files by name.
fn golden() -> BTreeMap<String, Value> {
    let mut golden = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = name.strip_suffix(".json").unwrap_or_else(|| panic!("{name} is not JSON"));
        let text = std::fs::read_to_string(&path).unwrap();
        golden.insert(name.to_owned(), serde_json::from_str(&text).unwrap());
    }
    golden
}

/// `mercat.ordering.OrderPlaced.v1` is the message `mercat.ordering.v1.OrderPlaced`.
fn message_of(event_type: &str) -> String {
    let parts: Vec<&str> = event_type.split('.').collect();
    let [mercat, service, event, version] = parts[..] else { panic!("{event_type}") };
    format!("{mercat}.{service}.{version}.{event}")
}

#[test]
fn every_event_has_a_golden_file_and_every_golden_file_an_event() {
    let samples = samples::all();
    if std::env::var_os("MERCAT_WRITE_GOLDEN").is_some() {
        let contracts = Contracts::load();
        for sample in &samples {
            let message = contracts.message(&message_of(sample.event_type));
            let content = json!({
                "type": sample.event_type,
                "data": hex(&sample.bytes),
                "description": contracts.describe(message, &sample.bytes),
            });
            let path = folder().join(format!("{}.json", sample.name));
            if !path.exists() {
                let text = serde_json::to_string_pretty(&content).unwrap();
                std::fs::write(path, text + "\n").unwrap();
            }
        }
    }
    let named: BTreeSet<String> = samples.iter().map(|sample| sample.name.clone()).collect();
    let kept: BTreeSet<String> = golden().into_keys().collect();
    assert_eq!(named, kept, "samples.rs on the left, golden/ on the right");
    let told: BTreeSet<&str> = samples.iter().map(|sample| sample.event_type).collect();
    let events =
        [catalog::EVENTS, identity::EVENTS, inventory::EVENTS, ordering::EVENTS, payment::EVENTS];
    let events: BTreeSet<&str> = events.into_iter().flatten().copied().collect();
    assert_eq!(events, told, "events of proto/ on the left, samples.rs on the right");
}

#[test]
fn golden_events_are_decoded_and_are_encoded_to_the_same_bytes_today() {
    let golden = golden();
    for sample in samples::all() {
        let kept = golden.get(&sample.name);
        let kept = kept.unwrap_or_else(|| panic!("{} has no golden file", sample.name));
        assert_eq!(kept["type"], sample.event_type);
        let data = kept["data"].as_str().unwrap();
        assert_eq!(hex(&sample.bytes), data, "{}: encoded otherwise than it was", sample.name);
        let again = (sample.round_trip)(&unhex(data)).unwrap();
        assert_eq!(hex(&again), data, "{}: a field was lost by decoding", sample.name);
    }
}

#[test]
fn the_contract_reads_a_golden_event_as_its_description_says() {
    let contracts = Contracts::load();
    for (name, kept) in golden() {
        let message = contracts.message(&message_of(kept["type"].as_str().unwrap()));
        let described = contracts.describe(message, &unhex(kept["data"].as_str().unwrap()));
        assert_eq!(described, kept["description"], "{name}");
    }
}

#[test]
fn golden_events_of_a_type_show_each_of_its_fields() {
    let contracts = Contracts::load();
    let mut shown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for kept in golden().into_values() {
        let fields = kept["description"].as_object().unwrap().keys().cloned();
        shown.entry(kept["type"].as_str().unwrap().to_owned()).or_default().extend(fields);
    }
    for (event_type, shown) in shown {
        let message = contracts.message(&message_of(&event_type));
        let fields = message.field.iter().map(|field| field.name().to_owned()).collect();
        assert_eq!(shown, fields, "{event_type}: a new field wants a further sample");
    }
}
