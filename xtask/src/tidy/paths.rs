//! The paths that a Rust file names: in `use` trees and in expressions.

/// A path and where it stands: `crate::domain::order::Order` in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub line: usize,
    pub segments: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Colons,
    Open,
    Close,
    Comma,
    Semicolon,
    Other,
}

/// All paths of at least two segments, and every leaf of every `use`. `code` is already free of
/// comments and literals.
pub fn named(code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at].1 {
            Token::Word(word) if word == "use" => {
                at = tree(&tokens, at + 1, &[], &mut found);
            }
            Token::Word(_) => {
                let (segments, next) = chain(&tokens, at);
                if segments.len() > 1 {
                    found.push(Named { line: tokens[at].0, segments });
                }
                at = next;
            }
            _ => at += 1,
        }
    }
    found
}

/// `a::b::c` from `at`; answers the pieces and the position behind them.
fn chain(tokens: &[(usize, Token)], mut at: usize) -> (Vec<String>, usize) {
    let mut segments = Vec::new();
    while let Some((_, Token::Word(word))) = tokens.get(at) {
        segments.push(word.clone());
        at += 1;
        let goes_on = matches!(tokens.get(at), Some((_, Token::Colons)))
            && matches!(tokens.get(at + 1), Some((_, Token::Word(_))));
        if !goes_on {
            break;
        }
        at += 1;
    }
    (segments, at)
}

/// One branch of a `use` tree; answers the position of what ends it.
fn tree(
    tokens: &[(usize, Token)],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Named>,
) -> usize {
    if matches!(tokens.get(at), Some((_, Token::Colons))) {
        at += 1;
    }
    let line = tokens.get(at).map_or(0, |(line, _)| *line);
    let (own, next) = chain(tokens, at);
    at = next;
    let mut segments = prefix.to_vec();
    segments.extend(own);
    if matches!(tokens.get(at), Some((_, Token::Colons))) {
        at += 1;
    }
    if matches!(tokens.get(at), Some((_, Token::Open))) {
        at += 1;
        while at < tokens.len() && tokens[at].1 != Token::Close {
            let before = at;
            at = tree(tokens, at, &segments, found);
            if matches!(tokens.get(at), Some((_, Token::Comma))) || at == before {
                at += 1;
            }
        }
        return at + 1;
    }
    if !segments.is_empty() {
        found.push(Named { line, segments });
    }
    // `as name` and `*` belong to this branch.
    while at < tokens.len()
        && !matches!(tokens[at].1, Token::Comma | Token::Close | Token::Semicolon)
    {
        at += 1;
    }
    at
}

fn tokens(code: &str) -> Vec<(usize, Token)> {
    let letters: Vec<char> = code.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < letters.len() {
        let letter = letters[at];
        if letter.is_alphabetic() || letter == '_' {
            let start = at;
            while at < letters.len() && (letters[at].is_alphanumeric() || letters[at] == '_') {
                at += 1;
            }
            tokens.push((line, Token::Word(letters[start..at].iter().collect())));
            continue;
        }
        at += 1;
        let token = match letter {
            '\n' => {
                line += 1;
                continue;
            }
            ':' if letters.get(at) == Some(&':') => {
                at += 1;
                Token::Colons
            }
            '{' => Token::Open,
            '}' => Token::Close,
            ',' => Token::Comma,
            ';' => Token::Semicolon,
            // `r#type` is one word; the hash says nothing.
            '#' | ' ' | '\t' | '\r' => continue,
            _ => Token::Other,
        };
        tokens.push((line, token));
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(code: &str) -> Vec<String> {
        named(code).iter().map(|one| format!("{}:{}", one.line, one.segments.join("::"))).collect()
    }

    #[test]
    fn a_use_tree_names_each_of_its_leaves() {
        assert_eq!(
            texts(
                "use crate::{\n    adapters::{http, store as s},\n    domain::*,\n    self,\n};\nuse std::fmt;"
            ),
            [
                "2:crate::adapters::http",
                "2:crate::adapters::store",
                "3:crate::domain",
                "4:crate::self",
                "6:std::fmt"
            ]
        );
    }

    #[test]
    fn paths_in_expressions_types_and_attributes_are_found() {
        assert_eq!(
            texts(
                "#[derive(serde::Serialize)]\nfn a(x: super::ports::Stock) {\n  rusqlite::Connection::open::<X>(y)\n}"
            ),
            ["1:serde::Serialize", "2:super::ports::Stock", "3:rusqlite::Connection::open"]
        );
    }

    #[test]
    fn an_unfinished_tree_ends_the_search_without_a_loop() {
        assert_eq!(texts("use a::{b, c"), ["1:a::b", "1:a::c"]);
        assert!(texts("use {").is_empty());
    }
}
