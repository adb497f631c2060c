//! The shop's OpenAPI document, read for what tests need of it.

use http::Method;
use serde_json::{Map, Value, json};

use crate::client::Client;

/// As deep as an example goes; deeper parts are left out.
const DEPTH: usize = 8;

/// Of routes that declare no `x-body-limit`.
const DEFAULT_BODY_LIMIT: u64 = 262_144;

pub struct Document {
    root: Value,
}

/// A method on a path template.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: Method,
    pub path: String,
    pub id: String,
    /// `x-permission`.
    pub permission: String,
    pub parameters: Vec<Parameter>,
    /// The schema of a JSON body.
    pub body: Option<Value>,
    /// It takes a body that is not JSON.
    pub takes_upload: bool,
    /// The largest body, in bytes.
    pub body_limit: usize,
    /// Without an `Idempotency-Key` it is refused.
    pub needs_key: bool,
}

#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    pub required: bool,
    pub schema: Value,
}

impl Document {
    pub async fn of(client: &Client) -> Self {
        Self { root: client.get("/openapi.json").await.expect_status(200).body }
    }

    /// Every operation, in the order of the document.
    pub fn operations(&self) -> Vec<Operation> {
        let paths = self.root["paths"].as_object().expect("a document has paths");
        let mut operations = Vec::new();
        for (path, item) in paths {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
                if operation.get("responses").is_some() {
                    operations.push(self.operation(method, path, operation));
                }
            }
        }
        assert!(operations.len() > 30, "a shop has more routes than {}", operations.len());
        operations
    }

    fn operation(&self, method: Method, path: &str, operation: &Value) -> Operation {
        let parameters: Vec<Parameter> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| self.parameter(parameter))
            .collect();
        let content = &operation["requestBody"]["content"];
        let needs_key =
            parameters.iter().any(|p| p.name.eq_ignore_ascii_case("idempotency-key") && p.required);
        let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
        Operation {
            id: text("operationId"),
            permission: text("x-permission"),
            body: content.pointer("/application~1json/schema").cloned(),
            takes_upload: content.is_object() && content.get("application/json").is_none(),
            method,
            path: path.to_owned(),
            parameters,
            body_limit: operation["x-body-limit"].as_u64().unwrap_or(DEFAULT_BODY_LIMIT) as usize,
            needs_key,
        }
    }

    fn parameter(&self, parameter: &Value) -> Parameter {
        let parameter = self.followed(parameter);
        let text = |name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
        Parameter {
            name: text("name"),
            place: text("in"),
            required: parameter["required"] == true,
            schema: parameter["schema"].clone(),
        }
    }

    fn followed<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        while let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.trim_start_matches('#');
            value = self.root.pointer(pointer).expect("references lead somewhere");
        }
        value
    }

    /// The schema without references and without its null, and whether null is allowed.
    pub fn resolved<'a>(&'a self, schema: &'a Value) -> (&'a Value, bool) {
        let schema = self.followed(schema);
        for choice in ["oneOf", "anyOf"] {
            let Some(options) = schema[choice].as_array() else { continue };
            let mut real = options.iter().filter(|option| option["type"] != "null");
            if let (Some(only), None) = (real.next(), real.next()) {
                return (self.resolved(only).0, options.len() > 1);
            }
        }
        if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
            return self.resolved(only);
        }
        let nullable =
            schema["type"].as_array().is_some_and(|types| types.contains(&json!("null")));
        (schema, nullable)
    }

    /// `string`, `integer`, `object` …; empty when the schema does not say.
    pub fn kind_of(schema: &Value) -> &str {
        let types = schema["type"].as_array();
        let first = types.and_then(|types| types.iter().find(|t| *t != "null"));
        first.unwrap_or(&schema["type"]).as_str().unwrap_or_default()
    }

    /// A value that the schema admits, with every property in it.
    pub fn example(&self, schema: &Value) -> Value {
        self.example_at(schema, DEPTH)
    }

    /// What of `value` the schema knows: what was read, as it may be written back.
    pub fn fitted(&self, schema: &Value, value: &Value) -> Value {
        let (schema, _) = self.resolved(schema);
        match value {
            Value::Object(given) => {
                let Some(known) = schema["properties"].as_object() else { return value.clone() };
                let kept = given.iter().filter_map(|(name, value)| {
                    let property = known.get(name).filter(|_| !value.is_null())?;
                    Some((name.clone(), self.fitted(property, value)))
                });
                Value::Object(kept.collect())
            }
            Value::Array(items) => {
                items.iter().map(|item| self.fitted(&schema["items"], item)).collect()
            }
            other => other.clone(),
        }
    }

    /// The operation of this id.
    pub fn operation_of(&self, id: &str) -> Operation {
        let found = self.operations().into_iter().find(|operation| operation.id == id);
        found.unwrap_or_else(|| panic!("there is no operation {id}"))
    }

    fn example_at(&self, schema: &Value, depth: usize) -> Value {
        let (schema, _) = self.resolved(schema);
        if let Some(given) = schema.get("example").or_else(|| schema["examples"].get(0)) {
            return given.clone();
        }
        if let Some(first) = schema["enum"].get(0).or_else(|| schema.get("const")) {
            return first.clone();
        }
        if let Some(first) = schema["oneOf"].get(0).or_else(|| schema["anyOf"].get(0)) {
            return self.example_at(first, depth);
        }
        match Self::kind_of(schema) {
            "object" if depth > 0 => self.example_object(schema, depth - 1),
            "array" if depth > 0 => json!([self.example_at(&schema["items"], depth - 1)]),
            "array" => json!([]),
            // One of it, where the bounds allow: amounts may be negative, but few mean it.
            "integer" | "number" => {
                let least = schema["minimum"].as_i64().unwrap_or(i64::MIN);
                let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
                json!(1.clamp(least, most))
            }
            "boolean" => json!(false),
            "string" if schema["format"] == "date-time" => json!("2030-01-02T03:04:05Z"),
            "string" => {
                let least = schema["minLength"].as_u64().unwrap_or(1).max(1) as usize;
                json!("a".repeat(least))
            }
            _ => json!({}),
        }
    }

    fn example_object(&self, schema: &Value, depth: usize) -> Value {
        let mut object = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            object.insert(name.clone(), self.example_at(property, depth));
        }
        Value::Object(object)
    }
}

impl Operation {
    /// The path with examples for its parameters: addresses of things that do not exist.
    pub fn address(&self, document: &Document) -> String {
        self.address_with(document, None)
    }

    /// [`Operation::address`] with one parameter spoiled.
    pub fn address_with(&self, document: &Document, spoiled: Option<(&str, &str)>) -> String {
        let mut path = self.path.clone();
        for parameter in self.parameters.iter().filter(|p| p.place == "path") {
            let example = document.example(&parameter.schema);
            let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            let value = match spoiled {
                Some((name, value)) if name == parameter.name => value,
                _ => &example,
            };
            path = path.replace(&format!("{{{}}}", parameter.name), value);
        }
        path
    }

    pub fn of_place<'a>(&'a self, place: &'a str) -> impl Iterator<Item = &'a Parameter> {
        self.parameters.iter().filter(move |parameter| parameter.place == place)
    }

    pub fn writes(&self) -> bool {
        !self.method.is_safe()
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
