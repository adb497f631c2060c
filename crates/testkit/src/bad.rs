//! Everything that can be wrong with a request, derived from the schemas of the document.

use serde_json::{Map, Value, json};

use crate::document::Document;

const DEPTH: usize = 5;

/// One way to spoil a body.
#[derive(Clone, Debug)]
pub struct Spoiled {
    /// What was done, for messages.
    pub what: String,
    /// The dotted path of the field at fault; empty when the body as a whole is.
    pub field: String,
    pub body: Value,
}

/// Each field of `good` spoiled in each way that `schema` forbids.
pub fn spoil(document: &Document, schema: &Value, good: &Value) -> Vec<Spoiled> {
    let mut all = Vec::new();
    let keep = &mut |field: &str, what: &str, body: Value| {
        all.push(Spoiled { what: what.to_owned(), field: field.to_owned(), body });
    };
    at(document, schema, good, "", DEPTH, keep);
    all
}

/// Bodies that are no JSON of the route's at all: a name, a media type and the bytes.
pub fn broken() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let json = "application/json";
    vec![
        ("cut off", json, br#"{"a": "#.to_vec()),
        ("empty", json, Vec::new()),
        ("not UTF-8", json, b"{\"email\": \"\xff\xfe\"}".to_vec()),
        ("UTF-16", json, "{}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("an array", json, b"[]".to_vec()),
        ("null", json, b"null".to_vec()),
        ("a number", json, b"17".to_vec()),
        ("a lone surrogate", json, br#"{"name": "\ud800"}"#.to_vec()),
        ("too deep", json, vec![b'['; 50_000]),
        ("a number out of this world", json, br#"{"a": 1e999999}"#.to_vec()),
        ("trailing words", json, b"{} {}".to_vec()),
        ("a form", "application/x-www-form-urlencoded", b"a=b".to_vec()),
        ("plain text", "text/plain", b"hello".to_vec()),
        ("another charset", "application/json; charset=utf-16", b"{}".to_vec()),
    ]
}

/// Query strings that no parameter of this schema allows.
pub fn spoiled_queries(document: &Document, schema: &Value) -> Vec<String> {
    let (schema, _) = document.resolved(schema);
    let mut values: Vec<String> = Vec::new();
    match Document::kind_of(schema) {
        "integer" => {
            values.extend(["x", "", "1.5", "99999999999999999999", "%00", "1e3"].map(Into::into));
            if let Some(least) = schema["minimum"].as_i64() {
                values.push((least - 1).to_string());
            }
            if let Some(most) = schema["maximum"].as_i64() {
                values.push((most + 1).to_string());
            }
        }
        "boolean" => values.extend(["maybe", "2", ""].map(Into::into)),
        "string" => {
            if let Some(most) = schema["maxLength"].as_u64() {
                values.push("a".repeat(most as usize + 1));
            }
            if schema.get("enum").is_some() || schema.get("pattern").is_some() {
                values.push("%01".to_owned());
            }
            if schema["minLength"].as_u64() > Some(0) {
                values.push(String::new());
            }
        }
        _ => {}
    }
    values
}

type Keep<'a> = &'a mut dyn FnMut(&str, &str, Value);

fn at(
    document: &Document,
    schema: &Value,
    good: &Value,
    field: &str,
    depth: usize,
    keep: Keep<'_>,
) {
    let (schema, nullable) = document.resolved(schema);
    if schema.get("oneOf").is_some() || schema.get("anyOf").is_some() || depth == 0 {
        return;
    }
    let kind = Document::kind_of(schema);
    for (name, value) in strangers(kind) {
        keep(field, &format!("{name} for {kind}"), value);
    }
    if !nullable && !kind.is_empty() {
        keep(field, "null", Value::Null);
    }
    match kind {
        "string" => string(schema, field, keep),
        "integer" | "number" => number(schema, field, keep),
        "array" => array(document, schema, good, field, depth, keep),
        "object" => object(document, schema, good, field, depth, keep),
        _ => {}
    }
}

/// Values of every other type.
fn strangers(kind: &str) -> Vec<(&'static str, Value)> {
    let all = [
        ("string", "text", json!("no such thing")),
        ("boolean", "a boolean", json!(true)),
        ("array", "an array", json!([[]])),
        ("object", "an object", json!({"no": "such"})),
        ("integer", "a fraction", json!(1.5)),
    ];
    if kind.is_empty() {
        return Vec::new();
    }
    let same = |of: &str| of == kind || (kind == "number" && of == "integer");
    let others = all.into_iter().filter(|(of, ..)| !same(of) || *of == "integer");
    let mut values: Vec<_> = others.map(|(_, name, value)| (name, value)).collect();
    if kind == "number" {
        values.retain(|(name, _)| *name != "a fraction");
    }
    values
}

fn string(schema: &Value, field: &str, keep: Keep<'_>) {
    if let Some(most) = schema["maxLength"].as_u64() {
        keep(field, "too long", json!("ä".repeat(most as usize + 1)));
    }
    if schema["minLength"].as_u64() > Some(0) {
        keep(field, "empty", json!(""));
    }
    if schema.get("enum").is_some() || schema.get("pattern").is_some() {
        keep(field, "not of its pattern", json!("\u{1}\u{0}"));
    }
    keep(field, "huge", json!("x".repeat(230_000)));
}

fn number(schema: &Value, field: &str, keep: Keep<'_>) {
    if let Some(least) = schema["minimum"].as_i64() {
        keep(field, "too small", json!(least - 1));
        if least > 0 {
            keep(field, "negative", json!(-least));
        }
        if least == 1 {
            keep(field, "zero", json!(0));
        }
    }
    if let Some(most) = schema["maximum"].as_i64() {
        keep(field, "too large", json!(most + 1));
    }
    keep(field, "beyond 64 bits", json!(1e30));
}

fn array(
    document: &Document,
    schema: &Value,
    good: &Value,
    field: &str,
    depth: usize,
    keep: Keep<'_>,
) {
    let example = good.get(0).cloned().unwrap_or_else(|| document.example(&schema["items"]));
    if let Some(most) = schema["maxItems"].as_u64() {
        keep(field, "too many", Value::Array(vec![example.clone(); most as usize + 1]));
    }
    if schema["minItems"].as_u64() > Some(0) {
        keep(field, "none", json!([]));
    }
    let inner = format!("{field}[0]");
    let wrap = &mut |path: &str, what: &str, value: Value| keep(path, what, json!([value]));
    at(document, &schema["items"], &example, &inner, depth - 1, wrap);
}

fn object(
    document: &Document,
    schema: &Value,
    good: &Value,
    field: &str,
    depth: usize,
    keep: Keep<'_>,
) {
    let empty = Map::new();
    let good = good.as_object().unwrap_or(&empty);
    let join = |name: &str| {
        if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") }
    };
    if schema["additionalProperties"] == false {
        let mut body = good.clone();
        body.insert("no_such_field".to_owned(), json!(1));
        keep(&join("no_such_field"), "an unknown field", Value::Object(body));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let mut body = good.clone();
        body.remove(name);
        keep(&join(name), "missing", Value::Object(body));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let example = good.get(name).cloned().unwrap_or_else(|| document.example(property));
        let wrap = &mut |path: &str, what: &str, value: Value| {
            let mut body = good.clone();
            body.insert(name.clone(), value);
            keep(path, what, Value::Object(body));
        };
        at(document, property, &example, &join(name), depth - 1, wrap);
    }
}
