//! Which metrics the code counts, and which a query asks for.

use std::collections::BTreeSet;

use crate::{
    Outcome,
    project::{Project, has_extension},
};

const MACROS: [&str; 3] = ["counter!(", "gauge!(", "histogram!("];
/// Test code counts nothing that an operator sees.
const SOURCES: [&str; 3] = ["crates/platform/src", "services", "mercat/src"];

/// Words of the query language that are not names.
const KEYWORDS: [&str; 20] = [
    "and",
    "or",
    "unless",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "offset",
    "bool",
    "inf",
    // Before `by` or `without`; before a parenthesis they are seen anyway.
    "sum",
    "max",
    "min",
    "avg",
    "count",
    "topk",
    "bottomk",
    "quantile",
];
/// After these comes a list of labels.
const LABEL_LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// The names that `/metrics` shows, histograms with their parts.
pub fn counted(project: &Project) -> Outcome<BTreeSet<String>> {
    let mut names = BTreeSet::from(["up".to_owned()]);
    for folder in SOURCES {
        for path in project.files(folder)?.iter().filter(|path| has_extension(path, "rs")) {
            if !path.contains("/tests/") {
                names.extend(counted_in(&project.read(path)?));
            }
        }
    }
    Ok(names)
}

fn counted_in(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for macro_name in MACROS {
        for rest in source.split(macro_name).skip(1) {
            let Some(literal) = rest.trim_start().strip_prefix('"') else { continue };
            let name = literal.split('"').next().unwrap_or_default();
            if macro_name == "histogram!(" {
                names.extend(["bucket", "sum", "count"].map(|part| format!("{name}_{part}")));
            } else {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

/// The metrics that a query names.
pub fn asked(query: &str) -> BTreeSet<String> {
    let plain = without_strings_and_brackets(query);
    let mut names = BTreeSet::new();
    let mut rest = plain.as_str();
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
    {
        let after_digit = rest[..start].ends_with(|letter: char| letter.is_ascii_digit());
        let word = &rest[start..];
        let end =
            word.find(|letter: char| !(letter.is_ascii_alphanumeric() || "_:".contains(letter)));
        let (word, tail) = word.split_at(end.unwrap_or(word.len()));
        rest = tail;
        let follows = tail.trim_start();
        if LABEL_LISTS.contains(&word) && follows.starts_with('(') {
            rest = follows.split_once(')').map_or("", |(_, rest)| rest);
        } else if !after_digit && !KEYWORDS.contains(&word) && !follows.starts_with('(') {
            names.insert(word.to_owned());
        }
    }
    names
}

/// What stands in quotes, in braces or in brackets names no metric.
fn without_strings_and_brackets(query: &str) -> String {
    let mut plain = String::with_capacity(query.len());
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for letter in query.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '{' | '[' => depth += 1,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                plain.push(' ');
            }
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_the_macro_breaks_its_line() {
        let found = counted_in(
            "metrics::counter!(\"a_total\", \"x\" => y);\n::metrics::gauge!(\n    \"b\"\n);\nhistogram!(\"c_seconds\")",
        );
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, ["a_total", "b", "c_seconds_bucket", "c_seconds_count", "c_seconds_sum"]);
    }

    #[test]
    fn a_query_names_its_metrics_and_nothing_else() {
        for (query, names) in [
            ("max by (service) (a_seconds) > 30", &["a_seconds"][..]),
            (
                "histogram_quantile(0.99, sum by (le, service) (rate(b_bucket{x=~\"c|d{2}\"}[5m]))) > 1e3",
                &["b_bucket"],
            ),
            ("sum(rate(a[$__rate_interval])) / on (x) group_left (y) sum(b) * 2", &["a", "b"]),
            ("a unless a offset 10m or vector(0)", &["a"]),
            ("up{job=\"mercat\"} == bool 0", &["up"]),
        ] {
            let asked = asked(query);
            let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
            assert_eq!(asked, names, "{query}");
        }
    }
}
