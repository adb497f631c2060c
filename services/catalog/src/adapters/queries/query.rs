//! What is searched for, and how well a product matches it: the same on every engine.

use crate::domain::text::{MAX_QUERY_WORDS, fold, words};

/// Fewer matches than this make us think of typing errors.
pub(super) const FEW: usize = 20;
/// The closest words of the vocabulary that stand in for a mistyped one.
pub(super) const ALTERNATIVES: usize = 8;
/// Added to the rank of matches that are only close.
const CLOSE: i64 = 1_000;

/// A word of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub word: String,
    /// Words that are a typing error away.
    pub close: Vec<String>,
}

/// The words of a query, each once, as many as are looked at.
pub(super) fn terms(query: &str) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    for word in words(&fold(query)) {
        if terms.len() < MAX_QUERY_WORDS && terms.iter().all(|term| term.word != word) {
            terms.push(Term { word: word.to_owned(), close: Vec::new() });
        }
    }
    terms
}

impl Term {
    /// A single letter or digit of ASCII begins too many words: it is found as a whole word only.
    pub fn is_whole(&self) -> bool {
        self.word.len() == 1
    }

    pub fn begins(&self, word: &str) -> bool {
        word == self.word || (!self.is_whole() && word.starts_with(&self.word))
    }
}

/// How well a product with this title matches; less is better. Whole words of the title count
/// before beginnings, those before mistyped ones, and all before words that stand elsewhere.
pub(super) fn rank(title_key: &str, terms: &[Term], close: bool) -> i64 {
    let of = |term: &Term| {
        let mut best = 3;
        for word in words(title_key) {
            best = best.min(match () {
                () if word == term.word => 0,
                () if term.begins(word) => 1,
                () if close && term.close.iter().any(|close| close == word) => 2,
                () => 3,
            });
        }
        best
    };
    i64::from(close) * CLOSE + terms.iter().map(of).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_cut_to_a_few_different_words() {
        let long: Vec<String> = (0..50).map(|n| format!("word{n} Word{n}")).collect();
        assert_eq!(terms(&long.join(" ")).len(), MAX_QUERY_WORDS);
        assert_eq!(terms("a A a").len(), 1);
    }

    #[test]
    fn titles_count_most_and_whole_words_before_beginnings() {
        let query = terms("red mug");
        let ranks = ["red mug", "red mugs", "red", "cup"].map(|title| rank(title, &query, false));
        assert!(ranks.is_sorted() && ranks[0] == 0 && ranks[3] == 6, "{ranks:?}");
        assert!(rank("red mug", &query, true) > ranks[3]);
    }
}
