//! Keys and values from all sources, and where each came from.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::ConfigError;
use super::error::{is_secret, nearest};

const MAX_SECRET_BYTES: u64 = 64 * 1024;

#[derive(Clone, Debug)]
pub(super) enum Origin {
    File(String),
    Variable(String),
    Override,
}

impl Origin {
    fn is_alike(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) => write!(f, "file {name}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Override => f.write_str("command line"),
        }
    }
}

pub(super) struct Tree {
    /// What `T::default()` holds: tells of which type a key is.
    defaults: Value,
    values: Map<String, Value>,
    origins: BTreeMap<String, Origin>,
    /// Texts whose type the defaults could not tell, as they were given.
    guessed: BTreeMap<String, String>,
}

impl Tree {
    pub(super) fn new(defaults: Value) -> Self {
        Self { defaults, values: Map::new(), origins: BTreeMap::new(), guessed: BTreeMap::new() }
    }

    pub(super) fn knows_at_top(&self, key: &str) -> bool {
        let known = |key: &str| self.defaults.get(key).is_some_and(|value| !value.is_object());
        known(key) || key.strip_suffix("_file").is_some_and(known)
    }

    /// Lays a file's table over what is there.
    pub(super) fn add_table(&mut self, table: Value, origin: &Origin) -> Result<(), ConfigError> {
        self.lay(&mut Vec::new(), table, origin)
    }

    fn lay(
        &mut self,
        path: &mut Vec<String>,
        value: Value,
        origin: &Origin,
    ) -> Result<(), ConfigError> {
        match value {
            Value::Object(fields) if !fields.is_empty() || path.is_empty() => {
                for (key, value) in fields {
                    path.push(key);
                    self.lay(path, value, origin)?;
                    path.pop();
                }
                Ok(())
            }
            value => self.put(path, value, origin),
        }
    }

    /// Sets one key from a text; the defaults tell what kind of value it is.
    pub(super) fn set(
        &mut self,
        path: &[&str],
        text: &str,
        origin: &Origin,
    ) -> Result<(), ConfigError> {
        let default = path.iter().try_fold(&self.defaults, |at, key| at.get(key));
        let value = match default {
            Some(Value::String(_)) => Value::String(text.to_owned()),
            Some(Value::Array(_)) if !text.trim_start().starts_with('[') => {
                text.split(',').map(|part| Value::String(part.trim().to_owned())).collect()
            }
            Some(Value::Bool(_) | Value::Number(_)) => {
                literal(text).unwrap_or_else(|| Value::String(text.to_owned()))
            }
            _ => {
                self.guessed.insert(path.join("."), text.to_owned());
                literal(text).unwrap_or_else(|| Value::String(text.to_owned()))
            }
        };
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        self.put(&path, value, origin)
    }

    fn put(&mut self, path: &[String], value: Value, origin: &Origin) -> Result<(), ConfigError> {
        let name = path.join(".");
        let refused = |fault: &str| Err(ConfigError::plain(&name, &origin.to_string(), fault));
        let Some((last, sections)) = path.split_last().filter(|(last, _)| !last.is_empty()) else {
            return refused("names no key");
        };
        let mut at = &mut self.values;
        for section in sections {
            let entry = at.entry(section.clone()).or_insert_with(|| Value::Object(Map::new()));
            match entry {
                Value::Object(fields) => at = fields,
                _ => return refused("lies inside of a key that holds a value, not a section"),
            }
        }
        // `x` and `x_file` are one key: what a later source says counts.
        let twin = match last.strip_suffix("_file") {
            Some(key) => key.to_owned(),
            None => format!("{last}_file"),
        };
        let twin_name = [sections, std::slice::from_ref(&twin)].concat().join(".");
        if self.origins.get(&twin_name).is_some_and(|earlier| !earlier.is_alike(origin)) {
            at.remove(&twin);
            self.origins.remove(&twin_name);
            self.guessed.remove(&twin_name);
        }
        at.insert(last.clone(), value);
        self.origins.insert(name, origin.clone());
        Ok(())
    }

    /// A section as a tree of its own.
    pub(super) fn take(&mut self, section: &str) -> Self {
        let values = match self.values.remove(section) {
            Some(Value::Object(fields)) => fields,
            // What should be a section is refused where it is read.
            Some(value) => Map::from_iter([(String::new(), value)]),
            None => Map::new(),
        };
        let inside =
            |name: &String| Some(name.strip_prefix(section)?.strip_prefix('.')?.to_owned());
        let origins = self.origins.iter();
        let origins = origins.filter_map(|(name, origin)| Some((inside(name)?, origin.clone())));
        let guessed = self.guessed.iter();
        let guessed = guessed.filter_map(|(name, text)| Some((inside(name)?, text.clone())));
        Self {
            defaults: self.defaults.get(section).cloned().unwrap_or_default(),
            values,
            origins: origins.collect(),
            guessed: guessed.collect(),
        }
    }

    /// Everything as a `T`.
    pub(super) fn read<T: DeserializeOwned>(mut self) -> Result<T, ConfigError> {
        loop {
            let values = Value::Object(self.values.clone());
            let error = match serde_path_to_error::deserialize::<_, T>(values) {
                Ok(config) => return Ok(config),
                Err(error) => error,
            };
            let path = error.path().to_string();
            let path = if path == "." { String::new() } else { path };
            let message = error.into_inner().to_string();
            if let Some((name, known)) = unknown_field(&message) {
                let parent = path.strip_suffix(&name).unwrap_or(&path).trim_end_matches('.');
                let key = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
                let secret = name.strip_suffix("_file").filter(|s| known.iter().any(|k| k == s));
                match secret {
                    Some(secret) => self.read_secret(&key, secret)?,
                    None => return Err(self.unknown(&key, &name, &known)),
                }
            } else if let Some(text) = self.guessed.remove(&path) {
                // It looked like a number or a list and is a text.
                let keys: Vec<String> = path.split('.').map(str::to_owned).collect();
                let origin = self.origins.get(&path).cloned().unwrap_or(Origin::Override);
                self.put(&keys, Value::String(text), &origin)?;
            } else {
                return Err(self.refused(&path, &message));
            }
        }
    }

    /// Replaces `x_file` by `x` with the content of the file.
    fn read_secret(&mut self, key: &str, name: &str) -> Result<(), ConfigError> {
        let mut keys: Vec<String> = key.split('.').map(str::to_owned).collect();
        let file_key = keys.pop().unwrap_or_default();
        let origin = self.origin(key);
        let refused = |fault: String| ConfigError::plain(key, &origin, fault);
        let section = keys
            .iter()
            .try_fold(&mut self.values, |at, key| at.get_mut(key).and_then(Value::as_object_mut));
        let section = section.ok_or_else(|| refused("names no section".to_owned()))?;
        if section.contains_key(name) {
            return Err(refused(format!("and {name} are both given; give one")));
        }
        let Some(Value::String(path)) = section.remove(&file_key) else {
            return Err(refused("must be the name of a file".to_owned()));
        };
        let size = std::fs::metadata(&path).map_err(|e| refused(format!("{path}: {e}")))?.len();
        if size > MAX_SECRET_BYTES {
            return Err(refused(format!("{path} is longer than {MAX_SECRET_BYTES} bytes")));
        }
        let text = std::fs::read_to_string(&path).map_err(|e| refused(format!("{path}: {e}")))?;
        let text = text.trim_end_matches(['\r', '\n']).to_owned();
        section.insert(name.to_owned(), Value::String(text));
        Ok(())
    }

    fn unknown(&self, key: &str, name: &str, known: &[String]) -> ConfigError {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let mut fault = "there is no such key".to_owned();
        if let Some(nearest) = nearest(name, &known) {
            let _ = write!(fault, "; did you mean {nearest}?");
        } else {
            fault.push('.');
        }
        if !known.is_empty() {
            let _ = write!(fault, " Known here: {}", known.join(", "));
        }
        ConfigError { holds: self.shown(key), ..ConfigError::plain(key, &self.origin(key), fault) }
    }

    fn refused(&self, key: &str, message: &str) -> ConfigError {
        let fault = if is_secret(key) { "holds a value of another kind" } else { message };
        ConfigError { holds: self.shown(key), ..ConfigError::plain(key, &self.origin(key), fault) }
    }

    fn shown(&self, key: &str) -> Option<String> {
        let pointer = format!("/{}", key.replace('.', "/"));
        let values = Value::Object(self.values.clone());
        let value = values.pointer(&pointer)?;
        let worth_showing = !is_secret(key) && !value.is_object();
        worth_showing.then(|| value.to_string().chars().take(200).collect())
    }

    /// Where a key, or the nearest section around it, was given.
    fn origin(&self, key: &str) -> String {
        let inside = |name: &&String| name.starts_with(key) || key.starts_with(name.as_str());
        match self.origins.get(key) {
            Some(origin) => origin.to_string(),
            None => self
                .origins
                .keys()
                .find(inside)
                .map_or_else(|| "defaults".to_owned(), |name| self.origins[name].to_string()),
        }
    }
}

/// A number, boolean, list or table as TOML writes it.
fn literal(text: &str) -> Option<Value> {
    let table: toml::Table = format!("value = {text}").parse().ok()?;
    if table.len() != 1 {
        return None;
    }
    serde_json::to_value(table.get("value")?).ok()
}

/// The field's name and the known ones, from serde's sentence.
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (name, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((name.to_owned(), known))
}
