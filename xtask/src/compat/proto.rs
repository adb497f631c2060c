//! What may not change in a contract. The rules are those of buf's categories FILE and WIRE, with
//! one difference: a field may go when its number and its name are reserved, since generated code is
//! ours on both sides and only the wire is foreign.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto,
};

/// One sentence for each broken rule.
pub fn breaking(old: &FileDescriptorSet, new: &FileDescriptorSet) -> Vec<String> {
    let mut broken = Vec::new();
    for file in own(old) {
        match own(new).find(|candidate| candidate.name() == file.name()) {
            None => broken.push(format!("proto/{} is gone", file.name())),
            Some(now) => same_file(file, now, &mut broken),
        }
    }
    broken
}

/// Everything that has a name: for telling what was added and what went.
pub fn elements(set: &FileDescriptorSet) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in own(set) {
        let package = file.package();
        for message in &file.message_type {
            message_elements(&format!("{package}.{}", message.name()), message, &mut names);
        }
        for list in &file.enum_type {
            enum_elements(&format!("{package}.{}", list.name()), list, &mut names);
        }
        for service in &file.service {
            let calls = service.method.iter();
            names.extend(
                calls.map(|call| format!("rpc {package}.{}.{}", service.name(), call.name())),
            );
        }
    }
    names
}

fn message_elements(path: &str, message: &DescriptorProto, names: &mut BTreeSet<String>) {
    names.insert(format!("message {path}"));
    for field in &message.field {
        names.insert(format!("field {path}.{} = {}", field.name(), field.number()));
    }
    for nested in &message.nested_type {
        message_elements(&format!("{path}.{}", nested.name()), nested, names);
    }
    for list in &message.enum_type {
        enum_elements(&format!("{path}.{}", list.name()), list, names);
    }
}

fn enum_elements(path: &str, list: &EnumDescriptorProto, names: &mut BTreeSet<String>) {
    names.extend(
        list.value
            .iter()
            .map(|value| format!("value {path}.{} = {}", value.name(), value.number())),
    );
}

/// Files that others wrote are theirs to keep.
fn own(set: &FileDescriptorSet) -> impl Iterator<Item = &FileDescriptorProto> {
    set.file.iter().filter(|file| !file.package().starts_with("google."))
}

fn same_file(old: &FileDescriptorProto, new: &FileDescriptorProto, broken: &mut Vec<String>) {
    let name = old.name();
    if old.package() != new.package() {
        broken.push(format!(
            "proto/{name}: its package was `{}` and is `{}`",
            old.package(),
            new.package()
        ));
        return;
    }
    if old.syntax() != new.syntax() {
        broken.push(format!(
            "proto/{name}: its syntax was `{}` and is `{}`",
            old.syntax(),
            new.syntax()
        ));
    }
    let package = old.package();
    for message in &old.message_type {
        let path = format!("{package}.{}", message.name());
        match new.message_type.iter().find(|now| now.name() == message.name()) {
            None => broken.push(format!("message {path} is gone from proto/{name}")),
            Some(now) => same_message(&path, message, now, broken),
        }
    }
    same_enums(package, &old.enum_type, &new.enum_type, broken);
    for service in &old.service {
        let path = format!("{package}.{}", service.name());
        match new.service.iter().find(|now| now.name() == service.name()) {
            None => broken.push(format!("service {path} is gone from proto/{name}")),
            Some(now) => same_service(&path, service, now, broken),
        }
    }
}

fn same_message(
    path: &str,
    old: &DescriptorProto,
    new: &DescriptorProto,
    broken: &mut Vec<String>,
) {
    for field in &old.field {
        let number = field.number();
        match new.field.iter().find(|now| now.number() == number) {
            Some(now) => same_field(path, (old, field), (new, now), broken),
            None if reserves(new, number, field.name()) => {}
            None => {
                let renumbered = new.field.iter().find(|now| now.name() == field.name());
                broken.push(match renumbered {
                    Some(now) => {
                        format!("field {path}.{} was {number} and is {}", field.name(), now.number())
                    }
                    None => format!(
                        "field {path}.{} = {number} is gone and its number and name are not reserved",
                        field.name()
                    ),
                });
            }
        }
    }
    for range in &old.reserved_range {
        let kept = |number| {
            new.reserved_range.iter().any(|now| now.start() <= number && number < now.end())
        };
        if !(kept(range.start()) && kept(range.end() - 1)) {
            broken.push(format!(
                "message {path} reserves {} to {} no longer",
                range.start(),
                range.end() - 1
            ));
        }
    }
    for name in old.reserved_name.iter().filter(|name| !new.reserved_name.contains(name)) {
        broken.push(format!("message {path} reserves the name `{name}` no longer"));
    }
    for nested in &old.nested_type {
        let path = format!("{path}.{}", nested.name());
        match new.nested_type.iter().find(|now| now.name() == nested.name()) {
            None => broken.push(format!("message {path} is gone")),
            Some(now) => same_message(&path, nested, now, broken),
        }
    }
    same_enums(path, &old.enum_type, &new.enum_type, broken);
}

fn reserves(message: &DescriptorProto, number: i32, name: &str) -> bool {
    let numbers = message.reserved_range.iter();
    let by_number =
        numbers.map(|range| range.start()..range.end()).any(|range| range.contains(&number));
    by_number && message.reserved_name.iter().any(|reserved| reserved == name)
}

type Field<'a> = (&'a DescriptorProto, &'a FieldDescriptorProto);

fn same_field(path: &str, old: Field<'_>, new: Field<'_>, broken: &mut Vec<String>) {
    let path = format!("field {path}.{} = {}", old.1.name(), old.1.number());
    let presence = |field: &FieldDescriptorProto| {
        let presence = if field.proto3_optional() { " with presence" } else { "" };
        format!("{:?}{presence}", field.label())
    };
    let choice = |(message, field): Field<'_>| {
        let at = usize::try_from(field.oneof_index?).ok()?;
        // The compiler wraps an optional field in a choice of its own.
        let real = !field.proto3_optional();
        real.then(|| message.oneof_decl.get(at).map(|one| one.name().to_owned()))?
    };
    let told = [
        ("name", old.1.name().to_owned(), new.1.name().to_owned()),
        ("JSON name", old.1.json_name().to_owned(), new.1.json_name().to_owned()),
        ("type", kind(old.1), kind(new.1)),
        ("cardinality", presence(old.1), presence(new.1)),
        ("oneof", choice(old).unwrap_or_default(), choice(new).unwrap_or_default()),
    ];
    for (what, before, now) in told.into_iter().filter(|(_, before, now)| before != now) {
        let [before, now] =
            [before, now].map(|text| if text.is_empty() { "none".to_owned() } else { text });
        broken.push(format!("{path}: its {what} was {before} and is {now}"));
    }
}

fn kind(field: &FieldDescriptorProto) -> String {
    match field.type_name() {
        "" => format!("{:?}", field.r#type()),
        name => name.trim_start_matches('.').to_owned(),
    }
}

fn same_enums(
    path: &str,
    old: &[EnumDescriptorProto],
    new: &[EnumDescriptorProto],
    broken: &mut Vec<String>,
) {
    for list in old {
        let path = format!("{path}.{}", list.name());
        let Some(now) = new.iter().find(|now| now.name() == list.name()) else {
            broken.push(format!("enum {path} is gone"));
            continue;
        };
        let values: BTreeMap<i32, &str> =
            now.value.iter().map(|value| (value.number(), value.name())).collect();
        for value in &list.value {
            let (name, number) = (value.name(), value.number());
            match values.get(&number) {
                Some(present) if *present == name => {}
                Some(present) => {
                    broken.push(format!("value {path} = {number} was {name} and is {present}"));
                }
                None => broken.push(format!("value {path}.{name} = {number} is gone")),
            }
        }
    }
}

fn same_service(
    path: &str,
    old: &ServiceDescriptorProto,
    new: &ServiceDescriptorProto,
    broken: &mut Vec<String>,
) {
    for call in &old.method {
        let path = format!("rpc {path}.{}", call.name());
        let Some(now) = new.method.iter().find(|now| now.name() == call.name()) else {
            broken.push(format!("{path} is gone"));
            continue;
        };
        let shape = |call: &MethodDescriptorProto| {
            let stream = |on| if on { "stream of " } else { "" };
            let taken = format!("{}{}", stream(call.client_streaming()), call.input_type());
            let given = format!("{}{}", stream(call.server_streaming()), call.output_type());
            let idempotency =
                call.options.as_ref().map_or(0, |options| options.idempotency_level.unwrap_or(0));
            [
                ("request", taken),
                ("response", given),
                ("idempotency level", idempotency.to_string()),
            ]
        };
        for ((what, before), (_, after)) in shape(call).into_iter().zip(shape(now)) {
            if before != after {
                broken.push(format!("{path}: its {what} was {before} and is {after}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"
        syntax = "proto3";
        package mercat.shelf.v1;
        service Shelf {
          rpc Put(PutRequest) returns (PutReply);
          rpc Look(PutRequest) returns (stream PutReply);
        }
        enum Side { SIDE_UNSPECIFIED = 0; SIDE_LEFT = 1; }
        message PutRequest {
          reserved 9; reserved "old_name";
          bytes id = 1;
          uint32 count = 2;
          optional string note = 3;
          repeated string tags = 4;
          oneof place { string box = 5; string wall = 6; }
          Side side = 7;
          map<string, int64> weights = 8;
          message Inner { string text = 1; }
          Inner inner = 10;
        }
        message PutReply { bool done = 1; }
    "#;

    fn compile(text: &str) -> FileDescriptorSet {
        compile_as("shelf.proto", text)
    }

    fn compile_as(name: &str, text: &str) -> FileDescriptorSet {
        let file = protox::file::File::from_source(name, text).unwrap();
        let mut resolver = protox::file::ChainFileResolver::new();
        resolver.add(Fixture(file.into()));
        resolver.add(protox::file::GoogleFileResolver::new());
        let mut compiler = protox::Compiler::with_file_resolver(resolver);
        compiler.include_imports(true).open_file(name).unwrap();
        compiler.file_descriptor_set()
    }

    /// The one file of a test.
    struct Fixture(FileDescriptorProto);

    impl protox::file::FileResolver for Fixture {
        fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
            if name == self.0.name() {
                Ok(self.0.clone().into())
            } else {
                Err(protox::Error::file_not_found(name))
            }
        }
    }

    /// What is said when `from` becomes `to`.
    fn change(from: &str, to: &str) -> Vec<String> {
        let after = BEFORE.replacen(from, to, 1);
        assert_ne!(after, BEFORE, "`{from}` is not there");
        breaking(&compile(BEFORE), &compile(&after))
    }

    #[test]
    fn each_broken_promise_is_named() {
        for (from, to, said) in [
            ("uint32 count = 2;", "", "count = 2 is gone"),
            ("uint32 count = 2;", "reserved 2;", "count = 2 is gone"),
            ("uint32 count = 2;", "uint32 count = 12;", "count was 2 and is 12"),
            ("uint32 count = 2;", "uint64 count = 2;", "type was Uint32 and is Uint64"),
            ("uint32 count = 2;", "uint32 number = 2;", "name was count and is number"),
            (
                "uint32 count = 2;",
                "repeated uint32 count = 2;",
                "cardinality was Optional and is Repeated",
            ),
            (
                "optional string note = 3;",
                "string note = 3;",
                "cardinality was Optional with presence",
            ),
            (
                "uint32 count = 2;",
                "uint32 count = 2 [json_name = \"n\"];",
                "JSON name was count and is n",
            ),
            (
                "oneof place { string box = 5; string wall = 6; }",
                "string box = 5; oneof place { string wall = 6; }",
                "oneof was place and is none",
            ),
            (
                "map<string, int64> weights = 8;",
                "map<string, int32> weights = 8;",
                "value = 2: its type was Int64",
            ),
            ("reserved 9;", "", "reserves 9 to 9 no longer"),
            ("reserved \"old_name\";", "", "reserves the name `old_name` no longer"),
            ("string text = 1;", "", "Inner.text = 1 is gone"),
            ("SIDE_LEFT = 1;", "", "SIDE_LEFT = 1 is gone"),
            ("SIDE_LEFT = 1;", "SIDE_RIGHT = 1;", "was SIDE_LEFT and is SIDE_RIGHT"),
            (
                "rpc Put(PutRequest) returns (PutReply);",
                "",
                "rpc mercat.shelf.v1.Shelf.Put is gone",
            ),
            ("rpc Put(PutRequest)", "rpc Put(PutReply)", "request was .mercat.shelf.v1.PutRequest"),
            (
                "returns (PutReply);",
                "returns (PutRequest);",
                "response was .mercat.shelf.v1.PutReply",
            ),
            ("returns (PutReply);", "returns (stream PutReply);", "is stream of"),
            ("rpc Look(PutRequest)", "rpc Look(stream PutRequest)", "is stream of"),
            (
                "returns (PutReply);",
                "returns (PutReply) { option idempotency_level = IDEMPOTENT; }",
                "idempotency level",
            ),
            ("service Shelf", "service Shelves", "service mercat.shelf.v1.Shelf is gone"),
            (
                "package mercat.shelf.v1;",
                "package mercat.shelf.v2;",
                "package was `mercat.shelf.v1`",
            ),
        ] {
            let broken = change(from, to);
            assert!(broken.iter().any(|one| one.contains(said)), "{from} → {to}: {broken:?}");
        }
    }

    #[test]
    fn whole_messages_enums_and_files_may_not_go() {
        let lists = |name: &str| format!("syntax = \"proto3\"; package mercat.shelf.v1; {name}");
        let before = compile(&lists("enum Side { NONE = 0; } message Held { message Nested {} }"));
        let after = compile(&lists("message Other {}"));
        let broken = breaking(&before, &after);
        assert_eq!(broken.len(), 2, "{broken:?}");
        let flat = compile(&lists("enum Side { NONE = 0; } message Held {}"));
        assert_eq!(breaking(&before, &flat), ["message mercat.shelf.v1.Held.Nested is gone"]);
        let moved = compile_as(
            "other.proto",
            &lists("enum Side { NONE = 0; } message Held { message Nested {} }"),
        );
        assert_eq!(breaking(&before, &moved), ["proto/shelf.proto is gone"]);
    }

    #[test]
    fn what_only_adds_breaks_nothing() {
        for (from, to) in [
            ("uint32 count = 2;", "uint32 count = 2; string more = 11;"),
            ("uint32 count = 2;", "reserved 2; reserved \"count\";"),
            ("reserved 9;", "reserved 9, 20 to 30;"),
            ("SIDE_LEFT = 1;", "SIDE_LEFT = 1; SIDE_RIGHT = 2;"),
            ("string wall = 6;", "string wall = 6; string floor = 12;"),
            ("message PutReply", "message More {} message PutReply"),
            ("service Shelf {", "service Shelf { rpc More(PutRequest) returns (PutReply);"),
        ] {
            assert_eq!(change(from, to), Vec::<String>::new(), "{from} → {to}");
        }
        assert!(breaking(&FileDescriptorSet::default(), &compile(BEFORE)).is_empty());
    }

    #[test]
    fn what_came_and_went_has_a_name() {
        let names = elements(&compile(BEFORE));
        for name in [
            "message mercat.shelf.v1.PutRequest",
            "message mercat.shelf.v1.PutRequest.Inner",
            "field mercat.shelf.v1.PutRequest.count = 2",
            "value mercat.shelf.v1.Side.SIDE_LEFT = 1",
            "rpc mercat.shelf.v1.Shelf.Put",
        ] {
            assert!(names.contains(name), "{name} in {names:?}");
        }
    }
}
