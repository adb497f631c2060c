//! Bytes of a message as JSON, read by the contract's descriptor alone: names, numbers and types of
//! fields, with none of the generated code.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use serde_json::{Map, Value, json};

pub struct Contracts(FileDescriptorSet);

impl Contracts {
    pub fn load() -> Self {
        let set = FileDescriptorSet::decode(contracts::DESCRIPTOR_SET);
        Self(set.expect("the committed descriptor set is whole"))
    }

    /// By its full name, such as `mercat.ordering.v1.OrderPlaced`.
    pub fn message(&self, name: &str) -> &DescriptorProto {
        let found = self.0.file.iter().find_map(|file| {
            let short = name.strip_prefix(file.package())?.strip_prefix('.')?;
            file.message_type.iter().find(|message| message.name() == short)
        });
        found.unwrap_or_else(|| panic!("no contract has a message {name}"))
    }

    pub fn describe(&self, message: &DescriptorProto, mut bytes: &[u8]) -> Value {
        let mut described = Map::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes);
            let number = i32::try_from(tag >> 3).expect("numbers of fields are small");
            let field = message.field.iter().find(|field| field.number() == number);
            let field = field.unwrap_or_else(|| panic!("{} has no {number}", message.name()));
            let value = self.value(field, tag & 7, &mut bytes);
            if field.label() == Label::Repeated {
                let list = described.entry(field.name()).or_insert_with(|| json!([]));
                list.as_array_mut().expect("it was made as one").push(value);
            } else {
                described.insert(field.name().to_owned(), value);
            }
        }
        Value::Object(described)
    }

    fn value(&self, field: &FieldDescriptorProto, wire_type: u64, bytes: &mut &[u8]) -> Value {
        let is_length_delimited =
            matches!(field.r#type(), Type::Bytes | Type::String | Type::Message);
        assert_eq!(wire_type, if is_length_delimited { 2 } else { 0 }, "{}", field.name());
        match field.r#type() {
            Type::Bool => json!(varint(bytes) == 1),
            Type::Int64 => json!(varint(bytes).cast_signed()),
            Type::Uint32 => json!(varint(bytes)),
            Type::Bytes => json!(super::hex(delimited(bytes))),
            Type::String => json!(std::str::from_utf8(delimited(bytes)).expect("texts are UTF-8")),
            Type::Message => {
                let message = self.message(field.type_name().trim_start_matches('.'));
                self.describe(message, delimited(bytes))
            }
            other => panic!("{other:?} is not told by any event yet: describe it here"),
        }
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().expect("a number ends");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
    }
    panic!("a number has at most ten bytes");
}

fn delimited<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let length = usize::try_from(varint(bytes)).expect("lengths are small");
    let (value, rest) = bytes.split_at(length);
    *bytes = rest;
    value
}
