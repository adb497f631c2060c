//! A Rust file as the rules see it: code without comments and literals, literals by themselves,
//! and which of both belongs to tests.
//!
//! A small lexer instead of a parser: it only has to know where text is not code. Lines are kept,
//! so that a finding can name one.

use std::ops::Range;

pub struct Source {
    /// The code with every comment and literal blanked.
    pub code: String,
    /// `code` with items under `#[cfg(test)]` blanked too.
    pub production: String,
    pub literals: Vec<Literal>,
}

/// A string literal outside tests, or inside.
pub struct Literal {
    pub line: usize,
    pub text: String,
    pub in_test: bool,
}

impl Source {
    pub fn parse(text: &str) -> Self {
        let mut lexer = Lexer::new(text);
        lexer.run();
        let tests = test_ranges(&lexer.code);
        let mut production = lexer.code.clone();
        for range in &tests {
            for letter in &mut production[range.clone()] {
                if *letter != '\n' {
                    *letter = ' ';
                }
            }
        }
        let literals = lexer
            .literals
            .iter()
            .map(|(range, start)| Literal {
                line: 1 + lexer.text[..*start].iter().filter(|letter| **letter == '\n').count(),
                text: lexer.text[range.clone()].iter().collect(),
                in_test: tests.iter().any(|test| test.contains(start)),
            })
            .collect();
        Self {
            code: lexer.code.into_iter().collect(),
            production: production.into_iter().collect(),
            literals,
        }
    }

    /// The whole file belongs to tests.
    pub fn is_test(&mut self) {
        self.production = self.production.lines().map(|_| "\n").collect();
        for literal in &mut self.literals {
            literal.in_test = true;
        }
    }
}

struct Lexer {
    text: Vec<char>,
    code: Vec<char>,
    /// Where the content of each string literal lies, and where the literal starts.
    literals: Vec<(Range<usize>, usize)>,
    at: usize,
}

impl Lexer {
    fn new(text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        Self { code: text.clone(), text, literals: Vec::new(), at: 0 }
    }

    fn peek(&self, ahead: usize) -> char {
        self.text.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn run(&mut self) {
        while self.at < self.text.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '/') => self.line_comment(),
                ('/', '*') => self.block_comment(),
                ('"', _) => self.string(),
                ('\'', _) => self.quote(),
                (letter, _) if letter.is_alphabetic() || letter == '_' => self.word(),
                _ => self.at += 1,
            }
        }
    }

    fn blank(&mut self, range: Range<usize>) {
        let end = range.end.min(self.code.len());
        for letter in &mut self.code[range.start..end] {
            if *letter != '\n' {
                *letter = ' ';
            }
        }
    }

    fn line_comment(&mut self) {
        let start = self.at;
        while self.at < self.text.len() && self.peek(0) != '\n' {
            self.at += 1;
        }
        self.blank(start..self.at);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0_usize;
        while self.at < self.text.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => {
                    depth += 1;
                    self.at += 2;
                }
                ('*', '/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        break;
                    }
                }
                _ => self.at += 1,
            }
        }
        self.blank(start..self.at);
    }

    /// A string with escapes; the cursor stands on its opening quote.
    fn string(&mut self) {
        let start = self.at;
        self.at += 1;
        while self.at < self.text.len() && self.peek(0) != '"' {
            self.at += if self.peek(0) == '\\' { 2 } else { 1 };
        }
        let end = self.at.min(self.text.len());
        self.at = end + 1;
        self.literals.push((start + 1..end, start));
        self.blank(start + 1..end);
    }

    /// A character, or the start of a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == '\\' {
            let start = self.at;
            self.at += 3;
            while self.at < self.text.len() && self.peek(0) != '\'' {
                self.at += 1;
            }
            self.at += 1;
            self.blank(start..self.at);
        } else if self.peek(2) == '\'' {
            self.blank(self.at..self.at + 3);
            self.at += 3;
        } else {
            self.at += 1;
        }
    }

    /// An identifier, or the prefix of a raw string.
    fn word(&mut self) {
        let start = self.at;
        while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
            self.at += 1;
        }
        let word: String = self.text[start..self.at].iter().collect();
        if !matches!(word.as_str(), "r" | "br" | "cr") {
            return;
        }
        let hashes = self.text[self.at..].iter().take_while(|letter| **letter == '#').count();
        if self.peek(hashes) != '"' {
            return;
        }
        let open = self.at + hashes + 1;
        let mut end = open;
        while end < self.text.len() && !self.closes_raw(end, hashes) {
            end += 1;
        }
        self.literals.push((open..end, start));
        self.blank(open..end);
        self.at = (end + 1 + hashes).min(self.text.len());
    }

    fn closes_raw(&self, at: usize, hashes: usize) -> bool {
        self.text[at] == '"'
            && self.text[at + 1..].iter().take(hashes).filter(|letter| **letter == '#').count()
                == hashes
    }
}

const TEST_MARK: &str = "#[cfg(test)]";

/// The items under `#[cfg(test)]`, from the mark to the closing brace or semicolon.
fn test_ranges(code: &[char]) -> Vec<Range<usize>> {
    let mark: Vec<char> = TEST_MARK.chars().collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at + mark.len() <= code.len() {
        if code[at..at + mark.len()] != mark[..] {
            at += 1;
            continue;
        }
        let end = item_end(code, at + mark.len());
        ranges.push(at..end);
        at = end;
    }
    ranges
}

fn item_end(code: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, letter) in code.iter().enumerate().skip(start) {
        match letter {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && *letter == '}' {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_not_code() {
        let source = Source::parse(
            "let a = \"rusqlite \\\" x\"; // rusqlite\n/* rusqlite /* nested */ */ let b = r#\"rus\"q\"#; 'r'",
        );
        assert!(!source.code.contains("rus"), "{}", source.code);
        assert!(source.code.contains("let b ="));
        let texts: Vec<&str> = source.literals.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(texts, ["rusqlite \\\" x", "rus\"q"]);
        assert_eq!(source.literals[1].line, 2);
    }

    #[test]
    fn a_lifetime_does_not_swallow_the_code_behind_it() {
        let source =
            Source::parse("fn a<'a>(x: &'a str, c: char) { if c == '\"' || c == '\\'' { y } }");
        assert!(source.code.contains("str, c: char"));
        assert!(source.code.contains("{ y }"));
    }

    #[test]
    fn what_stands_under_cfg_test_is_not_production() {
        let source = Source::parse(
            "fn a() { order }\n#[cfg(test)]\nmod tests { fn b() { \"kafka\"; cart } }\n#[cfg(test)]\nmod more;\nfn c() {}",
        );
        assert!(source.production.contains("order"));
        assert!(!source.production.contains("cart"));
        assert!(!source.production.contains("more"));
        assert!(source.production.contains("fn c()"));
        assert!(source.literals[0].in_test);
    }
}
