//! The few questions that generators ask of descriptors: comments, names, who refers to whom.

use std::collections::BTreeSet;

use prost_types::{DescriptorProto, FileDescriptorProto};

use crate::Outcome;

/// Field numbers inside `FileDescriptorProto` and below, as source paths spell them.
pub const SERVICE_FIELD: i32 = 6;
pub const METHOD_FIELD: i32 = 2;

/// The comment before the thing at `path`, line by line, as Rust doc comments would hold it.
pub fn comment<'a>(file: &'a FileDescriptorProto, path: &[i32]) -> Vec<&'a str> {
    let Some(info) = &file.source_code_info else {
        return Vec::new();
    };
    info.location
        .iter()
        .find(|location| location.path == path)
        .map(|location| location.leading_comments().trim_end().lines().map(str::trim_end).collect())
        .unwrap_or_default()
}

/// The service and the version in `mercat.<service>.v<number>`.
pub fn service_and_version(package: &str) -> Outcome<(&str, &str)> {
    let mut parts = package.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("mercat"), Some(service), Some(version), None)
            if version.strip_prefix('v').is_some_and(|number| number.parse::<u32>().is_ok()) =>
        {
            Ok((service, version))
        }
        _ => Err(format!("package `{package}` is not named mercat.<service>.v<number>")),
    }
}

/// `GetOrder` → `get_order`. Runs of capitals are refused, since every generator splits them
/// differently; write `GetJwks`, not `GetJWKS`.
pub fn snake(name: &str) -> Outcome<String> {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut after_capital = false;
    for (index, letter) in name.chars().enumerate() {
        let capital = letter.is_ascii_uppercase();
        if !letter.is_ascii_alphanumeric() || (index == 0) != (index == 0 && capital) {
            return Err(format!("`{name}` is not in UpperCamelCase"));
        }
        if capital && after_capital {
            return Err(format!("`{name}` has two capitals in a row; write it as one word"));
        }
        if capital && index > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        after_capital = capital;
    }
    Ok(if KEYWORDS.contains(&snake.as_str()) { format!("r#{snake}") } else { snake })
}

/// Rust keywords that are plausible names of a call.
const KEYWORDS: [&str; 12] = [
    "move", "match", "return", "use", "yield", "try", "break", "continue", "loop", "ref", "type",
    "gen",
];

/// Top-level messages of the file that no other message of it holds, in the order of the file.
pub fn roots(file: &FileDescriptorProto) -> Vec<&str> {
    let mut held = BTreeSet::new();
    for message in &file.message_type {
        field_types(message, &mut held);
    }
    file.message_type
        .iter()
        .map(DescriptorProto::name)
        .filter(|name| !held.contains(format!(".{}.{name}", file.package()).as_str()))
        .collect()
}

fn field_types<'a>(message: &'a DescriptorProto, held: &mut BTreeSet<&'a str>) {
    held.extend(message.field.iter().map(prost_types::FieldDescriptorProto::type_name));
    for nested in &message.nested_type {
        field_types(nested, held);
    }
}

#[cfg(test)]
mod tests {
    use prost_types::FieldDescriptorProto;

    use super::*;

    #[test]
    fn names_of_calls_become_names_of_functions() {
        assert_eq!(snake("GetOrder").unwrap(), "get_order");
        assert_eq!(snake("Void").unwrap(), "void");
        assert_eq!(snake("Move").unwrap(), "r#move");
    }

    #[test]
    fn names_that_generators_would_split_differently_are_refused() {
        assert!(snake("GetJWKS").is_err());
        assert!(snake("getOrder").is_err());
        assert!(snake("Get_Order").is_err());
    }

    #[test]
    fn a_package_has_a_service_and_a_version() {
        assert_eq!(service_and_version("mercat.ordering.v1").unwrap(), ("ordering", "v1"));
        for wrong in
            ["mercat.ordering", "mercat.ordering.one", "other.ordering.v1", "mercat.a.b.v1"]
        {
            assert!(service_and_version(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_message_held_by_another_is_no_root() {
        let message = |name: &str, holds: Option<&str>| DescriptorProto {
            name: Some(name.to_owned()),
            field: holds
                .map(|held| FieldDescriptorProto {
                    type_name: Some(held.to_owned()),
                    ..FieldDescriptorProto::default()
                })
                .into_iter()
                .collect(),
            ..DescriptorProto::default()
        };
        let file = FileDescriptorProto {
            package: Some("mercat.ordering.v1".to_owned()),
            message_type: vec![
                message("OrderPlaced", Some(".mercat.ordering.v1.OrderLine")),
                message("OrderLine", None),
                message("OrderRejected", None),
            ],
            ..FileDescriptorProto::default()
        };
        assert_eq!(roots(&file), ["OrderPlaced", "OrderRejected"]);
    }
}
