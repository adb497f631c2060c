//! What is wrong with a configuration, in words that help.

use std::fmt;

/// One key that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The key, such as `http.listen`; empty when the whole is meant.
    pub key: String,
    /// What it holds; absent for secrets and for keys that hold nothing.
    pub holds: Option<String>,
    /// Where that comes from: a file, a variable, the command line.
    pub origin: String,
    /// What is wrong, and what would be right.
    pub fault: String,
}

impl ConfigError {
    pub(super) fn plain(key: &str, origin: &str, fault: impl fmt::Display) -> Self {
        let fault = fault.to_string().trim_end().to_owned();
        Self { key: key.to_owned(), holds: None, origin: origin.to_owned(), fault }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), &self.holds) {
            ("", _) => write!(f, "configuration, {}: {}", self.origin, self.fault),
            (key, None) => write!(f, "{key} ({}): {}", self.origin, self.fault),
            (key, Some(holds)) => write!(f, "{key} = {holds} ({}): {}", self.origin, self.fault),
        }
    }
}

/// Does a key of this name hold something that must not be shown?
pub fn is_secret(key: &str) -> bool {
    let name = key.rsplit('.').next().unwrap_or(key);
    ["secret", "password", "token", "key", "pepper", "dsn", "url"]
        .iter()
        .any(|word| name == *word || name.ends_with(&format!("_{word}")))
}

/// The known name that is most like `name`, when one is like it at all.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
