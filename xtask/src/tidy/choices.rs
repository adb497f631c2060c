//! Choices between futures: each says which comes first.

use super::{Finding, source::Source};

/// Without `biased;`, `tokio::select!` draws the order from the thread's own chance: no seed of a
/// simulation decides it, and a run cannot be repeated.
pub fn unordered(path: &str, source: &Source) -> Vec<Finding> {
    let places = ["crates/platform/src/", "services/", "mercat/src/"];
    if !places.iter().any(|place| path.starts_with(place)) || path.contains("/tests/") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut lines = source.production.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        if !line.trim_end().ends_with("select! {") {
            continue;
        }
        while lines.peek().is_some_and(|(_, line)| line.trim().is_empty()) {
            lines.next();
        }
        if lines.peek().is_none_or(|(_, line)| line.trim() != "biased;") {
            let what = "a `select!` begins with `biased;`, and what comes seldom stands first";
            found.push(Finding::new(path, number + 1, what));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        unordered(path, &Source::parse(text)).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_choice_without_an_order_is_found_outside_of_tests() {
        let text = "fn f() {\n tokio::select! {\n  a = b => {}\n }\n}\n#[cfg(test)]\nmod tests {\n \
                    fn g() {\n tokio::select! {\n a = b => {}\n }\n }\n}\n";
        assert_eq!(lines("crates/platform/src/a.rs", text), [2]);
        assert!(lines("crates/platform/tests/a.rs", text).is_empty());
        let ordered = "fn f() {\n tokio::select! {\n  // Why.\n  biased;\n  a = b => {}\n }\n}\n";
        assert!(lines("services/x/src/a.rs", ordered).is_empty());
    }
}
