//! A message with every field set to something that is not its default, made from its descriptor.

use prost_reflect::{
    Cardinality, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};

/// Messages that hold themselves end here.
const DEPTH: usize = 6;

/// How many messages it takes to set each member of each `oneof` once.
pub fn choices(message: &MessageDescriptor) -> usize {
    let inside = message.fields().filter_map(|field| match field.kind() {
        Kind::Message(inner) if inner != *message => Some(choices_of(&inner, DEPTH)),
        _ => None,
    });
    inside.chain([choices_of(message, DEPTH)]).max().unwrap_or(1)
}

fn choices_of(message: &MessageDescriptor, depth: usize) -> usize {
    let own = message.oneofs().map(|one| one.fields().count()).max().unwrap_or(1);
    if depth == 0 {
        return own;
    }
    let inside = message.fields().filter_map(|field| match field.kind() {
        Kind::Message(inner) => Some(choices_of(&inner, depth - 1)),
        _ => None,
    });
    inside.chain([own]).max().unwrap_or(1)
}

/// Of each `oneof` it sets the member number `choice`, counted round.
pub fn filled(message: MessageDescriptor, choice: usize) -> DynamicMessage {
    fill(message, choice, DEPTH)
}

fn fill(message: MessageDescriptor, choice: usize, depth: usize) -> DynamicMessage {
    let mut filled = DynamicMessage::new(message.clone());
    for field in message.fields() {
        if let Some(one) = field.containing_oneof() {
            let members: Vec<FieldDescriptor> = one.fields().collect();
            if members[choice % members.len()] != field {
                continue;
            }
        }
        if let Some(value) = value(&field, choice, depth) {
            filled.set_field(&field, value);
        }
    }
    filled
}

fn value(field: &FieldDescriptor, choice: usize, depth: usize) -> Option<Value> {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else { return None };
        let key = match single(&entry.map_entry_key_field(), choice, depth)? {
            Value::String(text) => MapKey::String(text),
            Value::I32(number) => MapKey::I32(number),
            Value::I64(number) => MapKey::I64(number),
            Value::U32(number) => MapKey::U32(number),
            Value::U64(number) => MapKey::U64(number),
            Value::Bool(yes) => MapKey::Bool(yes),
            _ => return None,
        };
        let inner = single(&entry.map_entry_value_field(), choice, depth)?;
        return Some(Value::Map([(key, inner)].into()));
    }
    let one = single(field, choice, depth)?;
    if field.cardinality() == Cardinality::Repeated {
        return Some(Value::List(vec![one.clone(), one]));
    }
    Some(one)
}

/// Values that use all bytes of their type, so that a narrower one cannot hold them.
fn single(field: &FieldDescriptor, choice: usize, depth: usize) -> Option<Value> {
    Some(match field.kind() {
        Kind::Double => Value::F64(-1.5e300),
        Kind::Float => Value::F32(-1.5e30),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(i32::MIN + 7),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(i64::MIN + 7),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(u32::MAX - 7),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::MAX - 7),
        Kind::Bool => Value::Bool(true),
        Kind::String => Value::String(format!("{} – ü", field.name())),
        Kind::Bytes => Value::Bytes(vec![0, 255, 128, field.number().to_le_bytes()[0]].into()),
        Kind::Enum(list) => Value::EnumNumber(list.values().map(|one| one.number()).max()?),
        Kind::Message(_) if depth == 0 => return None,
        Kind::Message(inner) => Value::Message(fill(inner, choice, depth - 1)),
    })
}
