//! Two versions of one JSON schema. What a request may hold must not shrink; what an answer may hold
//! must not grow. A new value of an enumeration in an answer is no breach: clients are told to expect
//! values that they do not know.

use std::collections::BTreeSet;

use serde_json::Value;

use super::shape::{BOUNDS, Shape, reference};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    Request,
    Response,
}

/// The two documents, and what was found in them.
pub struct Schemas<'a> {
    old: &'a Value,
    new: &'a Value,
    /// Pairs of named schemas that were compared, in which direction: each is told once.
    seen: BTreeSet<(String, String, Direction)>,
    pub broken: Vec<String>,
}

impl<'a> Schemas<'a> {
    pub fn new(old: &'a Value, new: &'a Value) -> Self {
        Self { old, new, seen: BTreeSet::new(), broken: Vec::new() }
    }

    pub fn finish(mut self) -> Vec<String> {
        let mut told = BTreeSet::new();
        self.broken.retain(|one| told.insert(one.clone()));
        self.broken
    }

    pub fn same(&mut self, place: &str, direction: Direction, old: &Value, new: &Value) {
        let mut place = place.to_owned();
        if let (Some(before), Some(now)) = (reference(old), reference(new)) {
            let (before, now) = (before.to_owned(), now.to_owned());
            let short = before.rsplit('/').next().unwrap_or_default();
            place = match direction {
                Direction::Request => format!("schema {short} in requests"),
                Direction::Response => format!("schema {short} in responses"),
            };
            if !self.seen.insert((before, now, direction)) {
                return;
            }
        }
        let before = Shape::of(self.old, old);
        let now = Shape::of(self.new, new);
        match direction {
            Direction::Request => self.takes_as_much(&place, &before, &now),
            Direction::Response => self.gives_no_more(&place, &before, &now),
        }
        self.same_fields(&place, direction, &before, &now);
        let inner = [("items", before.items, now.items), ("values", before.rest, now.rest)];
        for (what, old, new) in inner {
            if let (Some(old), Some(new)) = (old, new) {
                self.same(&format!("{place}: {what}"), direction, old, new);
            }
        }
        self.same_alternatives(&place, direction, &before, &now);
    }

    fn takes_as_much(&mut self, place: &str, old: &Shape<'_>, new: &Shape<'_>) {
        let refused = old.types.iter().filter(|kind| !new.covers(kind));
        let widened = old.types.is_empty() && !new.types.is_empty();
        let mut refused: Vec<&str> = refused.copied().collect();
        if widened {
            refused.push("anything else");
        }
        if !refused.is_empty() {
            let (refused, taken) = (refused.join(", "), new.kinds());
            self.broken.push(format!("{place}: took {refused}, takes {taken}"));
        }
        if old.is_nullable && !new.is_nullable && !new.types.is_empty() {
            self.broken.push(format!("{place}: null is refused now"));
        }
        if new.is_closed && !old.is_closed {
            self.broken.push(format!("{place}: fields that it does not know are refused now"));
        }
        self.same_values(place, old, new);
        if old.values.is_empty() && !new.values.is_empty() {
            self.broken.push(format!("{place}: only some values are taken now"));
        }
        for (bound, larger_takes_more) in BOUNDS {
            let number = |shape: &Shape<'_>| shape.limits.get(bound).and_then(|one| one.as_f64());
            let none = if larger_takes_more { f64::INFINITY } else { f64::NEG_INFINITY };
            // A length is never negative, so that a least length of zero bounds nothing.
            let none = if bound.starts_with("min") && bound != "minimum" { 0.0 } else { none };
            let (before, now) = (number(old).unwrap_or(none), number(new).unwrap_or(none));
            let narrower = if larger_takes_more { now < before } else { now > before };
            if narrower {
                let before = number(old).map_or_else(|| "none".to_owned(), |one| one.to_string());
                self.broken.push(format!("{place}: its {bound} was {before} and is {now}"));
            }
        }
        for key in ["pattern", "format", "multipleOf", "uniqueItems"] {
            if let Some(now) = new.limits.get(key)
                && old.limits.get(key) != Some(now)
            {
                let before =
                    old.limits.get(key).map_or_else(|| "none".to_owned(), ToString::to_string);
                self.broken.push(format!("{place}: its {key} was {before} and is {now}"));
            }
        }
    }

    fn gives_no_more(&mut self, place: &str, old: &Shape<'_>, new: &Shape<'_>) {
        let known = |kind: &&&str| old.covers(kind);
        let surprising: Vec<&str> = new.types.iter().filter(|kind| !known(kind)).copied().collect();
        let anything = new.types.is_empty() && !old.types.is_empty() && new.alternatives.is_empty();
        if !surprising.is_empty() && !old.types.is_empty() || anything {
            self.broken.push(format!("{place}: was {}, is {}", old.kinds(), new.kinds()));
        }
        if new.is_nullable && !old.is_nullable && !old.types.is_empty() {
            self.broken.push(format!("{place}: it may be null now"));
        }
        self.same_values(place, old, new);
        let format = |shape: &Shape<'_>| shape.limits.get("format").map(ToString::to_string);
        if let (Some(before), now) = (format(old), format(new))
            && Some(&before) != now.as_ref()
        {
            let now = now.unwrap_or_else(|| "none".to_owned());
            self.broken.push(format!("{place}: its format was {before} and is {now}"));
        }
    }

    /// In an answer too: generated clients have a name for each value.
    fn same_values(&mut self, place: &str, old: &Shape<'_>, new: &Shape<'_>) {
        if new.values.is_empty() {
            return;
        }
        for value in old.values.iter().filter(|value| !new.values.contains(value)) {
            self.broken.push(format!("{place}: the value {value} is gone"));
        }
    }

    fn same_fields(&mut self, place: &str, direction: Direction, old: &Shape<'_>, new: &Shape<'_>) {
        for (name, field) in &old.fields {
            match new.fields.get(name) {
                None => self.broken.push(format!("{place}: field `{name}` is gone")),
                Some(now) => self.same(&format!("{place}: field `{name}`"), direction, field, now),
            }
        }
        match direction {
            Direction::Request => {
                for name in new.required.iter().filter(|name| !old.required.contains(*name)) {
                    let how = if old.fields.contains_key(name) {
                        "required now"
                    } else {
                        "new and required"
                    };
                    self.broken.push(format!("{place}: field `{name}` is {how}"));
                }
            }
            Direction::Response => {
                let kept = |name: &&&str| {
                    new.fields.contains_key(**name) && !new.required.contains(**name)
                };
                for name in old.required.iter().filter(kept) {
                    self.broken.push(format!("{place}: field `{name}` may be absent now"));
                }
            }
        }
    }

    /// By name where they have one, and by their order where not.
    fn same_alternatives(
        &mut self,
        place: &str,
        direction: Direction,
        old: &Shape<'_>,
        new: &Shape<'_>,
    ) {
        if old.alternatives.is_empty() && new.alternatives.is_empty() {
            return;
        }
        if old.alternatives.is_empty() || new.alternatives.is_empty() {
            let wider = if direction == Direction::Request { new } else { old };
            if !wider.is_anything() {
                self.broken.push(format!("{place}: it is made of other alternatives"));
            }
            return;
        }
        let (names, numbers): (Vec<&Value>, Vec<&Value>) =
            old.alternatives.iter().partition(|one| reference(one).is_some());
        let unnamed: Vec<&Value> =
            new.alternatives.iter().copied().filter(|one| reference(one).is_none()).collect();
        let by_name = names.into_iter().map(|one| {
            let same = |now: &&&Value| reference(now) == reference(one);
            (one, new.alternatives.iter().find(same).copied())
        });
        let by_number =
            numbers.into_iter().enumerate().map(|(at, one)| (one, unnamed.get(at).copied()));
        let pairs: Vec<(&Value, Option<&Value>)> = by_name.chain(by_number).collect();
        for (at, (one, now)) in pairs.into_iter().enumerate() {
            match now {
                Some(now) => {
                    self.same(&format!("{place}: alternative {}", at + 1), direction, one, now);
                }
                None if direction == Direction::Request => {
                    let name = reference(one).and_then(|name| name.rsplit('/').next());
                    let name = name.map_or_else(|| (at + 1).to_string(), str::to_owned);
                    self.broken.push(format!("{place}: alternative {name} is gone"));
                }
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compare(direction: Direction, old: &Value, new: &Value) -> Vec<String> {
        let nothing = Value::Null;
        let mut schemas = Schemas::new(&nothing, &nothing);
        schemas.same("it", direction, old, new);
        schemas.finish()
    }

    fn request(old: Value, new: Value) -> Vec<String> {
        compare(Direction::Request, &old, &new)
    }

    fn response(old: Value, new: Value) -> Vec<String> {
        compare(Direction::Response, &old, &new)
    }

    fn refused(cases: &[(&str, &str, &str)]) {
        for (old, new, said) in cases {
            let parse = |text| serde_json::from_str(text).unwrap();
            let broken = request(parse(old), parse(new));
            assert!(broken.iter().any(|one| one.contains(said)), "{old} → {new}: {broken:?}");
        }
    }

    #[test]
    fn a_value_that_was_taken_and_is_refused_is_named() {
        refused(&[
            (r#"{"type":"string"}"#, r#"{"type":"integer"}"#, "took string, takes integer"),
            (r#"{"type":"number"}"#, r#"{"type":"integer"}"#, "took number, takes integer"),
            ("{}", r#"{"type":"integer"}"#, "took anything else"),
            (r#"{"type":["string","null"]}"#, r#"{"type":"string"}"#, "null is refused"),
            (r#"{"enum":["a","b"]}"#, r#"{"enum":["a"]}"#, "the value \"b\" is gone"),
            (r#"{"type":"string"}"#, r#"{"type":"string","const":"a"}"#, "only some values"),
            (r#"{"maxLength":9}"#, r#"{"maxLength":8}"#, "maxLength was 9 and is 8"),
            ("{}", r#"{"minLength":1}"#, "minLength was none and is 1"),
            (r#"{"minimum":1}"#, r#"{"minimum":2}"#, "minimum was 1 and is 2"),
            ("{}", r#"{"pattern":"^a"}"#, "pattern was none"),
            (r#"{"format":"uuid"}"#, r#"{"format":"email"}"#, "format was \"uuid\""),
            ("{}", r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#, "other alternatives"),
            (
                r#"{"oneOf":[{"type":"string"},{"type":"integer"},{"type":"boolean"}]}"#,
                r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#,
                "alternative 3 is gone",
            ),
            (
                r##"{"oneOf":[{"$ref":"#/a"},{"$ref":"#/b"}]}"##,
                r##"{"oneOf":[{"$ref":"#/b"},{"$ref":"#/c"}]}"##,
                "alternative a is gone",
            ),
        ]);
    }

    #[test]
    fn an_object_that_was_taken_and_is_refused_is_named() {
        let old = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
        refused(&[
            (old, r#"{"required":["a"],"properties":{"a":{}}}"#, "field `a` is required now"),
            (old, r#"{"required":["b"],"properties":{"b":{}}}"#, "field `b` is new and required"),
            (old, r#"{"additionalProperties":false}"#, "does not know are refused"),
            (old, r#"{"type":"object"}"#, "field `a` is gone"),
            (old, r#"{"properties":{"a":{"type":"integer"}}}"#, "field `a`: took string"),
            (
                r#"{"items":{"type":"string"}}"#,
                r#"{"items":{"type":"integer"}}"#,
                "items: took string",
            ),
            (
                r#"{"additionalProperties":{"type":"string"}}"#,
                r#"{"additionalProperties":{"type":"integer"}}"#,
                "values: took string",
            ),
        ]);
    }

    #[test]
    fn an_answer_that_surprises_is_named() {
        let fields = |required: Value| json!({ "type": "object", "required": required, "properties": { "a": { "type": "string" } } });
        for (old, new, said) in [
            (json!({ "type": "integer" }), json!({ "type": "number" }), "was integer, is number"),
            (json!({ "type": "integer" }), json!({}), "was integer, is anything"),
            (json!({ "type": "string" }), json!({ "type": ["string", "null"] }), "may be null"),
            (
                json!({ "type": "string", "enum": ["a", "b"] }),
                json!({ "type": "string", "enum": ["a"] }),
                "the value \"b\" is gone",
            ),
            (
                json!({ "type": "integer", "format": "int32" }),
                json!({ "type": "integer", "format": "int64" }),
                "format was \"int32\"",
            ),
            (fields(json!(["a"])), fields(json!([])), "field `a` may be absent"),
            (fields(json!([])), json!({ "type": "object" }), "field `a` is gone"),
        ] {
            let broken = response(old.clone(), new.clone());
            assert!(broken.iter().any(|one| one.contains(said)), "{old} → {new}: {broken:?}");
        }
    }

    #[test]
    fn what_takes_more_and_gives_less_breaks_nothing() {
        for (old, new) in [
            (json!({ "type": "integer" }), json!({ "type": ["number", "null"] })),
            (json!({ "type": "string", "maxLength": 9 }), json!({ "type": "string" })),
            (json!({ "type": "string" }), json!({ "type": "string", "minLength": 0 })),
            (
                json!({ "type": "string", "enum": ["a"] }),
                json!({ "type": "string", "enum": ["a", "b"] }),
            ),
            (
                json!({ "type": "object", "required": ["a"], "properties": { "a": {} } }),
                json!({ "type": "object", "properties": { "a": {}, "b": {} } }),
            ),
        ] {
            assert_eq!(request(old.clone(), new.clone()), Vec::<String>::new(), "{old} → {new}");
        }
        for (old, new) in [
            (json!({ "type": ["number", "null"] }), json!({ "type": "integer" })),
            (
                json!({ "type": "string", "enum": ["a"] }),
                json!({ "type": "string", "enum": ["a", "b"] }),
            ),
            (json!({ "type": "string" }), json!({ "type": "string", "maxLength": 3 })),
            (
                json!({ "type": "object", "properties": { "a": {} } }),
                json!({ "type": "object", "required": ["a", "b"], "properties": { "a": {}, "b": {} } }),
            ),
        ] {
            assert_eq!(response(old.clone(), new.clone()), Vec::<String>::new(), "{old} → {new}");
        }
    }

    #[test]
    fn a_schema_that_holds_itself_is_compared_once() {
        let tree = |kind: &str| json!({ "defs": { "Tree": { "type": "object", "properties": { "name": { "type": kind }, "below": { "type": "array", "items": { "$ref": "#/defs/Tree" } } } } } });
        let (old, new) = (tree("string"), tree("integer"));
        let mut schemas = Schemas::new(&old, &new);
        let reference = json!({ "$ref": "#/defs/Tree" });
        schemas.same("GET /v1/tree", Direction::Response, &reference, &reference);
        let broken = schemas.finish();
        assert_eq!(broken, ["schema Tree in responses: field `name`: was string, is integer"]);
    }
}
