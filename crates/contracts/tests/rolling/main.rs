//! Two releases side by side on one topic and one network: what the last release sent is understood
//! today, and what is sent today is understood by the last release, as far as it knows it.
//!
//! The last release is what `cargo xtask compat --accept` wrote down: its contracts as descriptors,
//! and the bytes of its events.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may stop at the first surprise, as tests do"
)]

#[path = "../golden/samples.rs"]
mod samples;

mod filled;

use std::collections::BTreeMap;
use std::path::Path;

use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _, Value,
};

use filled::filled;

fn baseline(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto").join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn last_release() -> DescriptorPool {
    DescriptorPool::decode(baseline("baseline.binpb").as_slice()).unwrap()
}

fn today() -> DescriptorPool {
    DescriptorPool::decode(contracts::DESCRIPTOR_SET).unwrap()
}

/// The events that the last release sent, by the name of their golden file.
fn sent_events() -> BTreeMap<String, Vec<u8>> {
    let texts: BTreeMap<String, String> =
        serde_json::from_slice(&baseline("baseline-events.json")).unwrap();
    let byte = |text: &str, at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    let bytes = |text: &String| (0..text.len()).step_by(2).map(|at| byte(text, at)).collect();
    texts.iter().map(|(name, text)| (name.clone(), bytes(text))).collect()
}

/// `mercat.ordering.OrderPlaced.v1`, or `….v1.with-channel`, is `mercat.ordering.v1.OrderPlaced`.
fn message_of(event: &str) -> String {
    let parts: Vec<&str> = event.split('.').collect();
    let [mercat, service, name, version, ..] = parts[..] else { panic!("{event}") };
    format!("{mercat}.{service}.{version}.{name}")
}

/// Messages of calls and events, without those that the compiler makes for maps.
fn messages(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    let own = |message: &MessageDescriptor| {
        message.full_name().starts_with("mercat.") && !message.is_map_entry()
    };
    pool.all_messages().filter(own).collect()
}

/// Everything that `reader` knows of the message has the value that `writer` gave it.
fn understood(writer: &DynamicMessage, reader: &DynamicMessage) -> Result<(), String> {
    for (field, value) in reader.fields() {
        let name = field.full_name().to_owned();
        let written = writer.descriptor().get_field(field.number());
        let written = written.ok_or_else(|| format!("{name} was never written"))?;
        same(&name, writer.get_field(&written).as_ref(), value)?;
    }
    for (field, _) in writer.fields() {
        if let Some(known) = reader.descriptor().get_field(field.number())
            && !reader.has_field(&known)
        {
            return Err(format!("{} was written and is not read", field.full_name()));
        }
    }
    Ok(())
}

fn same(name: &str, written: &Value, read: &Value) -> Result<(), String> {
    match (written, read) {
        (Value::Message(written), Value::Message(read)) => understood(written, read),
        (Value::List(written), Value::List(read)) if written.len() == read.len() => {
            written.iter().zip(read).try_for_each(|(written, read)| same(name, written, read))
        }
        (Value::Map(written), Value::Map(read)) if written.len() == read.len() => {
            let mut pairs = written.iter().map(|(key, value)| (value, read.get(key)));
            pairs.try_for_each(|(written, read)| match read {
                Some(read) => same(name, written, read),
                None => Err(format!("{name}: a key is lost")),
            })
        }
        _ if written == read => Ok(()),
        _ => Err(format!("{name}: {written:?} was written, {read:?} is read")),
    }
}

fn read_as(message: MessageDescriptor, bytes: &[u8]) -> DynamicMessage {
    let name = message.full_name().to_owned();
    DynamicMessage::decode(message, bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn events_of_the_last_release_are_understood_by_todays_consumers() {
    let (last, now) = (last_release(), today());
    let samples: BTreeMap<String, samples::Sample> =
        samples::all().into_iter().map(|sample| (sample.name.clone(), sample)).collect();
    let sent = sent_events();
    assert!(!sent.is_empty(), "nothing was released");
    for (name, bytes) in sent {
        let message = message_of(&name);
        let written = read_as(last.get_message_by_name(&message).unwrap(), &bytes);
        let read = now.get_message_by_name(&message);
        let read = read_as(read.unwrap_or_else(|| panic!("{message} is gone")), &bytes);
        understood(&written, &read).unwrap();
        // With the types that consumers use: nothing is refused, nothing is lost on the way.
        let sample = samples.get(&name).unwrap_or_else(|| panic!("{name} has no sample"));
        let again = (sample.round_trip)(&bytes).unwrap();
        understood(&written, &read_as(read.descriptor(), &again)).unwrap();
    }
}

#[test]
fn events_of_today_are_understood_by_the_last_release() {
    let (last, now) = (last_release(), today());
    let mut understood_by_it = 0;
    for sample in samples::all() {
        let message = message_of(sample.event_type);
        // What it has never heard of, no consumer of it listens to.
        let Some(known) = last.get_message_by_name(&message) else { continue };
        let written = read_as(now.get_message_by_name(&message).unwrap(), &sample.bytes);
        let read = read_as(known, &sample.bytes);
        understood(&written, &read).unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        understood_by_it += 1;
    }
    assert!(understood_by_it >= sent_events().len());
}

#[test]
fn every_message_with_every_field_set_is_understood_both_ways() {
    let (last, now) = (last_release(), today());
    let mut compared = 0;
    for message in messages(&last) {
        let name = message.full_name().to_owned();
        let present = now.get_message_by_name(&name);
        let present = present.unwrap_or_else(|| panic!("{name} is gone"));
        for (writer, reader) in [(message.clone(), present.clone()), (present, message)] {
            for choice in 0..filled::choices(&writer) {
                let written = filled(writer.clone(), choice);
                let read = read_as(reader.clone(), &written.encode_to_vec());
                understood(&written, &read).unwrap_or_else(|error| panic!("{name}: {error}"));
                compared += 1;
            }
        }
    }
    assert!(compared >= 2 * messages(&last).len());
}

#[test]
fn what_a_relay_does_not_know_it_hands_on() {
    let (last, now) = (last_release(), today());
    for message in messages(&now) {
        let Some(known) = last.get_message_by_name(message.full_name()) else { continue };
        let written = filled(message.clone(), 0);
        let through = read_as(known, &written.encode_to_vec()).encode_to_vec();
        understood(&written, &read_as(message, &through)).unwrap();
    }
}

/// The comparison itself must see what a careless change does.
#[test]
fn a_field_that_changed_its_number_or_its_meaning_is_seen() {
    let pool = |fields: &[(&str, i32)]| {
        let fields = fields.iter().map(|(name, number)| prost_types::FieldDescriptorProto {
            name: Some((*name).to_owned()),
            number: Some(*number),
            r#type: Some(prost_types::field_descriptor_proto::Type::Uint64.into()),
            label: Some(prost_types::field_descriptor_proto::Label::Optional.into()),
            ..Default::default()
        });
        let message = prost_types::DescriptorProto {
            name: Some("Moved".to_owned()),
            field: fields.collect(),
            ..Default::default()
        };
        let file = prost_types::FileDescriptorProto {
            name: Some("moved.proto".to_owned()),
            package: Some("mercat.moved.v1".to_owned()),
            syntax: Some("proto3".to_owned()),
            message_type: vec![message],
            ..Default::default()
        };
        let set = prost_types::FileDescriptorSet { file: vec![file] };
        let pool = DescriptorPool::from_file_descriptor_set(set).unwrap();
        pool.get_message_by_name("mercat.moved.v1.Moved").unwrap()
    };
    let before = pool(&[("units", 1), ("amount", 2)]);
    let written = filled(before.clone(), 0);
    assert!(understood(&written, &read_as(before, &written.encode_to_vec())).is_ok());
    let mut changed = written.clone();
    changed.set_field_by_name("units", Value::U64(7));
    assert!(understood(&written, &changed).unwrap_err().contains("units"));
    let mut lost = written.clone();
    lost.clear_field_by_name("amount");
    assert!(understood(&written, &lost).unwrap_err().contains("is not read"));
    let moved = pool(&[("units", 3), ("amount", 2)]);
    assert!(understood(&filled(moved.clone(), 0), &written).unwrap_err().contains("never written"));
}
