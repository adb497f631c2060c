//! A JSON schema as it is compared: plain, whatever it was put together from.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Bounds of a request's values, and whether a larger number takes more.
pub const BOUNDS: [(&str, bool); 10] = [
    ("maxLength", true),
    ("minLength", false),
    ("maximum", true),
    ("minimum", false),
    ("exclusiveMaximum", true),
    ("exclusiveMinimum", false),
    ("maxItems", true),
    ("minItems", false),
    ("maxProperties", true),
    ("minProperties", false),
];

/// Deeper than any reference in a document that a person wrote.
const DEPTH: usize = 32;

/// A schema with its references followed and its parts put together.
#[derive(Default)]
pub struct Shape<'a> {
    /// Without `null`; empty is any.
    pub types: BTreeSet<&'a str>,
    pub is_nullable: bool,
    pub fields: BTreeMap<&'a str, &'a Value>,
    pub required: BTreeSet<&'a str>,
    /// Unknown fields are refused.
    pub is_closed: bool,
    /// What unknown fields hold.
    pub rest: Option<&'a Value>,
    pub items: Option<&'a Value>,
    pub values: Vec<&'a Value>,
    pub limits: BTreeMap<&'a str, &'a Value>,
    pub alternatives: Vec<&'a Value>,
}

impl<'a> Shape<'a> {
    pub fn of(root: &'a Value, schema: &'a Value) -> Self {
        let mut shape = Self::default();
        shape.absorb(root, schema, DEPTH);
        shape
    }

    fn absorb(&mut self, root: &'a Value, schema: &'a Value, depth: usize) {
        if depth == 0 {
            return;
        }
        let schema = resolve(root, schema);
        match &schema["type"] {
            Value::String(one) => self.add_type(one),
            Value::Array(several) => {
                several.iter().filter_map(Value::as_str).for_each(|one| self.add_type(one));
            }
            _ => {}
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            self.fields.insert(name, field);
        }
        let required = schema["required"].as_array().into_iter().flatten();
        self.required.extend(required.filter_map(Value::as_str));
        match &schema["additionalProperties"] {
            Value::Bool(false) => self.is_closed = true,
            rest @ Value::Object(_) => self.rest = Some(rest),
            _ => {}
        }
        self.items = schema.get("items").or(self.items);
        self.values.extend(schema["enum"].as_array().into_iter().flatten());
        self.values.extend(schema.get("const"));
        let limits = BOUNDS.iter().map(|(bound, _)| *bound);
        for key in limits.chain(["pattern", "format", "multipleOf", "uniqueItems"]) {
            if let Some(limit) = schema.get(key) {
                self.limits.insert(key, limit);
            }
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.absorb(root, part, depth - 1);
        }
        for list in ["oneOf", "anyOf"].into_iter().filter_map(|key| schema[key].as_array()) {
            let (nulls, others): (Vec<&Value>, Vec<&Value>) =
                list.iter().partition(|one| one["type"] == "null");
            self.is_nullable |= !nulls.is_empty();
            match others[..] {
                [one] => self.absorb(root, one, depth - 1),
                _ => self.alternatives.extend(others),
            }
        }
    }

    fn add_type(&mut self, name: &'a str) {
        if name == "null" {
            self.is_nullable = true;
        } else {
            self.types.insert(name);
        }
    }

    pub fn covers(&self, kind: &str) -> bool {
        let types = &self.types;
        types.is_empty() || types.contains(kind) || (kind == "integer" && types.contains("number"))
    }

    pub fn is_anything(&self) -> bool {
        self.types.is_empty() && self.fields.is_empty() && self.alternatives.is_empty()
    }

    pub fn kinds(&self) -> String {
        if self.types.is_empty() {
            return "anything".to_owned();
        }
        self.types.iter().copied().collect::<Vec<_>>().join(" or ")
    }
}

pub fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()
}

/// Follows references inside the document; one that leads nowhere is left as it is.
pub fn resolve<'a>(root: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    for _ in 0..DEPTH {
        let target = reference(value).and_then(|name| root.pointer(name.strip_prefix('#')?));
        match target {
            Some(next) => value = next,
            None => break,
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_beside_one_reference_and_parts_put_together_are_the_plain_shape() {
        let root = json!({ "defs": { "Id": { "type": "string" }, "Base": { "type": "object", "required": ["id"], "properties": { "id": { "$ref": "#/defs/Id" } } } } });
        let nullable = json!({ "oneOf": [{ "type": "null" }, { "$ref": "#/defs/Id" }] });
        let whole = json!({ "allOf": [{ "$ref": "#/defs/Base" }, { "type": "object", "properties": { "more": {} } }] });
        let shape = Shape::of(&root, &nullable);
        assert!(shape.is_nullable && shape.types.contains("string"));
        let shape = Shape::of(&root, &whole);
        assert!(shape.fields.contains_key("id") && shape.fields.contains_key("more"));
        assert!(shape.required.contains("id"));
    }
}
