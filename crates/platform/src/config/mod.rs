//! Configuration: defaults, then a TOML file, then `MERCAT_…` variables, then overrides from the
//! command line. Later ones win, key by key.
//!
//! A variable names a section and a key with two underscores between: `MERCAT_HTTP__LISTEN` is
//! `http.listen`. A variable without them counts when it names a key at the top, and is otherwise
//! somebody else's. A key `x_file` holds the name of a file whose content becomes `x`: for secrets.
//! An unknown key is an error; an error says which key, what it holds, where that comes from and
//! what it may hold.

mod error;
mod secret;
mod tree;

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use error::{ConfigError, is_secret};
pub use secret::Secret;
use tree::{Origin, Tree};

/// The prefix of environment variables.
pub const ENV_PREFIX: &str = "MERCAT_";

/// Reads the configuration. `T` fills what is absent from its default (`#[serde(default)]`).
pub fn load<T>(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
    overrides: &[(String, String)],
) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Serialize + Default,
{
    let defaults = serde_json::to_value(T::default())
        .map_err(|error| ConfigError::plain("", "the defaults", error))?;
    let mut tree = Tree::new(defaults);
    if let Some(path) = file {
        tree.add_table(read_toml(path)?, &Origin::File(path.display().to_string()))?;
    }
    add_rest(&mut tree, env, overrides, |_| true)?;
    tree.read()
}

/// For one service in a process of its own: what all processes share, and its section. The file may
/// be that of the whole shop; sections of other services are theirs, and so are their variables.
pub fn load_service<P, C>(
    service: &str,
    file: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
    overrides: &[(String, String)],
) -> Result<(P, C), ConfigError>
where
    P: DeserializeOwned + Serialize + Default,
    C: DeserializeOwned + Serialize + Default,
{
    let in_defaults = |error| ConfigError::plain("", "the defaults", error);
    let mut defaults = serde_json::to_value(P::default()).map_err(in_defaults)?;
    defaults[service] = serde_json::to_value(C::default()).map_err(in_defaults)?;
    let known: Vec<String> =
        defaults.as_object().into_iter().flatten().map(|e| e.0.clone()).collect();
    let is_ours = |section: &str| known.iter().any(|known| known == section);
    let mut tree = Tree::new(defaults);
    if let Some(path) = file {
        let mut table = read_toml(path)?;
        if let Some(fields) = table.as_object_mut() {
            fields.retain(|key, value| is_ours(key) || !value.is_object());
        }
        tree.add_table(table, &Origin::File(path.display().to_string()))?;
    }
    add_rest(&mut tree, env, overrides, is_ours)?;
    let own = tree.take(service);
    let own = own
        .read()
        .map_err(|error| ConfigError { key: format!("{service}.{}", error.key), ..error })?;
    Ok((tree.read()?, own))
}

fn add_rest(
    tree: &mut Tree,
    env: impl IntoIterator<Item = (String, String)>,
    overrides: &[(String, String)],
    is_ours: impl Fn(&str) -> bool,
) -> Result<(), ConfigError> {
    // Sorted, so that two variables that contradict each other do so the same way each time.
    let mut variables: Vec<_> =
        env.into_iter().filter(|(name, _)| name.starts_with(ENV_PREFIX)).collect();
    variables.sort();
    for (name, value) in variables {
        let key = name[ENV_PREFIX.len()..].to_ascii_lowercase();
        let path: Vec<&str> = key.split("__").collect();
        if (path.len() > 1 && is_ours(path[0])) || tree.knows_at_top(&key) {
            tree.set(&path, &value, &Origin::Variable(name.clone()))?;
        }
    }
    for (key, value) in overrides {
        let path: Vec<&str> = key.split('.').collect();
        tree.set(&path, value, &Origin::Override)?;
    }
    Ok(())
}

/// The configuration as TOML, as `mercat config print` shows it. Secrets are not in it.
pub fn print<T: Serialize>(config: &T) -> Result<String, ConfigError> {
    toml::to_string_pretty(config).map_err(|error| ConfigError::plain("", "the program", error))
}

fn read_toml(path: &Path) -> Result<Value, ConfigError> {
    let name = format!("file {}", path.display());
    let text = std::fs::read_to_string(path).map_err(|e| ConfigError::plain("", &name, e))?;
    let table: toml::Table = text.parse().map_err(|e| ConfigError::plain("", &name, e))?;
    serde_json::to_value(table).map_err(|e| ConfigError::plain("", &name, e))
}

#[cfg(test)]
mod tests;
