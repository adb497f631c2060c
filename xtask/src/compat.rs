//! `cargo xtask compat`: nobody who speaks to the last release is left behind.
//!
//! Three promises are kept as files: the contracts (`proto/baseline.binpb`), the bytes of every
//! event (`proto/baseline-events.json`) and the shop's API (`docs/baseline/openapi.json`). They are
//! what was released; what is in the tree may add to them and may not break them. `--accept` makes
//! the tree the new baseline, and says what that changes: at a release, or when something broken was
//! never used.

mod openapi;
mod proto;
mod schema;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use prost_types::FileDescriptorSet;
use serde_json::Value;

use crate::{
    Outcome, codegen,
    project::{self, Project, has_extension},
    say,
};

const CONTRACTS: &str = "proto/baseline.binpb";
const EVENTS: &str = "proto/baseline-events.json";
const API: &str = "docs/baseline/openapi.json";
const PRESENT_API: &str = "docs/openapi.json";
const GOLDEN: &str = "crates/contracts/golden";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Check,
    Accept,
}

/// One thing that was promised, then and now.
struct Comparison {
    /// The file of the baseline.
    file: &'static str,
    /// Each a sentence: what breaks whom.
    broken: Vec<String>,
    added: Vec<String>,
    gone: Vec<String>,
    /// What the baseline becomes when this is accepted.
    content: Vec<u8>,
}

pub fn run(project: &Project, mode: Mode) -> Outcome {
    let comparisons = [contracts(project, mode)?, events(project, mode)?, api(project, mode)?];
    for comparison in &comparisons {
        tell(comparison, mode);
        if mode == Mode::Accept {
            let path = project.path(comparison.file);
            if std::fs::read(&path).ok().as_ref() != Some(&comparison.content) {
                project::write(&path, &comparison.content)?;
            }
        }
    }
    let broken: Vec<&String> = comparisons.iter().flat_map(|one| &one.broken).collect();
    if broken.is_empty() || mode == Mode::Accept {
        return Ok(());
    }
    let list: Vec<String> = broken.iter().map(|one| format!("  {one}")).collect();
    Err(format!(
        "{} changes break whoever speaks to the last release:\n{}\nadd beside the old, or reserve \
         what goes; `cargo xtask compat --accept` gives the promise up",
        broken.len(),
        list.join("\n")
    ))
}

fn tell(comparison: &Comparison, mode: Mode) {
    let Comparison { file, broken, added, gone, .. } = comparison;
    let counts = format!("{} added, {} gone, {} broken", added.len(), gone.len(), broken.len());
    say::line(&format!("compat: {file}: {counts}"));
    if mode == Mode::Accept {
        for (sign, names) in [('-', gone), ('+', added), ('!', broken)] {
            for name in names {
                say::line(&format!("  {sign} {name}"));
            }
        }
    }
}

fn contracts(project: &Project, mode: Mode) -> Outcome<Comparison> {
    let present = codegen::descriptors(project)?;
    let old = match baseline(project, CONTRACTS, mode)? {
        Some(bytes) => FileDescriptorSet::decode(bytes.as_slice())
            .map_err(|error| format!("{CONTRACTS} cannot be read: {error}"))?,
        None => FileDescriptorSet::default(),
    };
    let (before, now) = (proto::elements(&old), proto::elements(&present));
    Ok(Comparison {
        file: CONTRACTS,
        broken: proto::breaking(&old, &present),
        added: difference(&now, &before),
        gone: difference(&before, &now),
        content: present.encode_to_vec(),
    })
}

fn events(project: &Project, mode: Mode) -> Outcome<Comparison> {
    let mut present = BTreeMap::new();
    for path in project.files(GOLDEN)?.iter().filter(|path| has_extension(path, "json")) {
        let name = path[GOLDEN.len() + 1..].trim_end_matches(".json");
        present.insert(name.to_owned(), json(path, &project.read(path)?)?["data"].clone());
    }
    let old: BTreeMap<String, Value> = match baseline(project, EVENTS, mode)? {
        Some(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| format!("{EVENTS}: {error}"))?
        }
        None => BTreeMap::new(),
    };
    let (before, now) = (old.keys().cloned().collect(), present.keys().cloned().collect());
    let mut content = serde_json::to_string_pretty(&present).map_err(|error| error.to_string())?;
    content.push('\n');
    Ok(Comparison {
        file: EVENTS,
        broken: broken_events(&old, &present),
        added: difference(&now, &before),
        gone: difference(&before, &now),
        content: content.into_bytes(),
    })
}

/// Bytes that were once sent are in some topic or outbox: their file stays as it is.
fn broken_events(old: &BTreeMap<String, Value>, new: &BTreeMap<String, Value>) -> Vec<String> {
    old.iter()
        .filter_map(|(name, data)| match new.get(name) {
            None => Some(format!("{GOLDEN}/{name}.json is gone: events like it were sent")),
            Some(now) if now != data => {
                Some(format!("{GOLDEN}/{name}.json has other bytes than the release sent"))
            }
            Some(_) => None,
        })
        .collect()
}

fn api(project: &Project, mode: Mode) -> Outcome<Comparison> {
    let text = project.read(PRESENT_API)?;
    let present = json(PRESENT_API, &text)?;
    let old = match baseline(project, API, mode)? {
        Some(bytes) => json(API, &String::from_utf8_lossy(&bytes))?,
        None => Value::Null,
    };
    let (before, now) = (openapi::elements(&old), openapi::elements(&present));
    Ok(Comparison {
        file: API,
        broken: openapi::breaking(&old, &present),
        added: difference(&now, &before),
        gone: difference(&before, &now),
        content: text.into_bytes(),
    })
}

/// The promise as it was written down. Only whoever accepts may begin without one.
fn baseline(project: &Project, file: &str, mode: Mode) -> Outcome<Option<Vec<u8>>> {
    match project::read_bytes(&project.path(file)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(_) if mode == Mode::Accept => Ok(None),
        Err(error) => Err(error),
    }
}

fn json(path: &str, text: &str) -> Outcome<Value> {
    serde_json::from_str(text).map_err(|error| format!("{path}: {error}"))
}

fn difference(one: &BTreeSet<String>, other: &BTreeSet<String>) -> Vec<String> {
    one.difference(other).cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_of_an_event_stay_and_new_ones_may_come() {
        let of = |names: &[(&str, &str)]| -> BTreeMap<String, Value> {
            names.iter().map(|(name, data)| ((*name).to_owned(), json!(data))).collect()
        };
        let old = of(&[("a.A.v1", "0a01"), ("a.B.v1", "0a02")]);
        assert!(
            broken_events(&old, &of(&[("a.A.v1", "0a01"), ("a.B.v1", "0a02"), ("c", "")]))
                .is_empty()
        );
        let broken = broken_events(&old, &of(&[("a.A.v1", "0a09")]));
        assert_eq!(broken.len(), 2, "{broken:?}");
        assert!(broken[0].contains("a.A.v1") && broken[0].contains("other bytes"));
        assert!(broken[1].contains("a.B.v1") && broken[1].contains("gone"));
    }

    #[test]
    fn this_tree_breaks_no_promise() {
        run(&Project::find().unwrap(), Mode::Check).unwrap();
    }
}
