//! Words as search sees them: folded, without marks, compared with tolerance for typing errors.

/// At most this many words of a text or a query are looked at.
pub const MAX_QUERY_WORDS: usize = 12;

/// Folds case and common diacritics, so that `Größe` and `grosse` differ only in the sharp s.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_lowercase();
        return folded;
    }
    for c in text.chars().flat_map(char::to_lowercase) {
        fold_char(c, &mut folded);
    }
    folded
}

/// The words of a folded text: runs of letters and digits.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty())
}

/// FNV-1a (64 bit): stable over processes and versions, for it is stored.
pub fn hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> i64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for text in parts {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash.cast_signed()
}

/// The text of a piece of HTML: tags dropped, the usual entities resolved.
pub fn plain(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return html.to_owned();
    }
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            let entity = ENTITIES.iter().find(|(name, _)| rest.starts_with(name));
            let (name, replacement) = entity.copied().unwrap_or(("&", "&"));
            text.push_str(replacement);
            rest = &rest[name.len()..];
        } else if let Some(end) = rest.find('>') {
            text.push(' ');
            rest = &rest[end + 1..];
        } else {
            text.push('<');
            rest = &rest[1..];
        }
    }
    text.push_str(rest);
    text
}

const ENTITIES: [(&str, &str); 6] = [
    ("&amp;", "&"),
    ("&nbsp;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
];

/// How many typing errors a word of this length may hold: none up to 3 letters, one up to 6.
pub fn tolerance(chars: usize) -> usize {
    match chars {
        0..=3 => 0,
        4..=6 => 1,
        _ => 2,
    }
}

/// How many letters of the beginning of a word hints are made of.
const HINT_CHARS: usize = 6;

/// What a word in the vocabulary is found by when somebody mistypes it: see [`hints_of`]. Longer
/// words may be typed with more letters than they have, hence the second letter left out.
pub fn hints_for_vocabulary(word: &str) -> Vec<i64> {
    let letters: Vec<char> = word.chars().collect();
    hints_of(&letters, if letters.len() < 5 { 1 } else { 2 })
}

/// Hashes of the first letters of a word with up to `left_out` of them left out. Two words that are
/// at most that many typing errors apart share one, so close words are found by looking up a few
/// keys instead of comparing a whole vocabulary (the symmetric deletes of Wolf Garbe).
pub fn hints_of(letters: &[char], left_out: usize) -> Vec<i64> {
    let beginning: String = letters.iter().take(HINT_CHARS).collect();
    let mut all = vec![beginning];
    let mut from = 0;
    for _ in 0..left_out {
        let until = all.len();
        for index in from..until {
            let positions: Vec<usize> = all[index].char_indices().map(|(at, _)| at).collect();
            for at in positions {
                let mut shorter = all[index].clone();
                shorter.remove(at);
                all.push(shorter);
            }
        }
        from = until;
    }
    let mut hints: Vec<i64> = Vec::with_capacity(all.len());
    for text in &all {
        let hint = hash([text.as_str()]);
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    hints
}

/// The number of insertions, deletions, substitutions and swaps of neighbours between two words
/// (optimal string alignment), or `None` when it is over `max`.
pub fn distance(a: &[char], b: &[char], max: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > max {
        return None;
    }
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut row: Vec<usize> = vec![0; b.len() + 1];
    for i in 1..=a.len() {
        row[0] = i;
        let mut least = i;
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut cost = (above[j] + 1).min(row[j - 1] + 1).min(above[j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(before[j - 2] + 1);
            }
            row[j] = cost;
            least = least.min(cost);
        }
        if least > max {
            return None;
        }
        std::mem::swap(&mut before, &mut above);
        std::mem::swap(&mut above, &mut row);
    }
    Some(above[b.len()]).filter(|d| *d <= max)
}

fn fold_char(c: char, folded: &mut String) {
    let plain = match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => 'c',
        'ď' | 'đ' => 'd',
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ğ' | 'ĝ' | 'ġ' | 'ģ' => 'g',
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' => 'i',
        'ł' | 'ĺ' | 'ľ' | 'ļ' => 'l',
        'ñ' | 'ń' | 'ň' | 'ņ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ŕ' | 'ř' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ţ' | 'ț' => 't',
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        // Combining marks, as decomposed text holds them.
        '\u{300}'..='\u{36f}' => return,
        other => other,
    };
    folded.push(plain);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(a: &str, b: &str) -> Option<usize> {
        let chars = |t: &str| t.chars().collect::<Vec<_>>();
        distance(&chars(a), &chars(b), 2)
    }

    #[test]
    fn typing_errors_are_counted() {
        assert_eq!(between("bracelet", "bracelet"), Some(0));
        assert_eq!(between("braclet", "bracelet"), Some(1));
        assert_eq!(between("shrit", "shirt"), Some(1));
        assert_eq!(between("necklase", "necklace"), Some(1));
        assert_eq!(between("neklase", "necklace"), Some(2));
        assert_eq!(between("ring", "necklace"), None);
        assert_eq!(between("", "ab"), Some(2));
    }

    proptest::proptest! {
        #[test]
        fn words_within_tolerance_share_a_hint(
            word in "[abc]{4,9}",
            edits in proptest::collection::vec((0_usize..4, 0_usize..10, "[abc]"), 1..3),
        ) {
            let mut typed: Vec<char> = word.chars().collect();
            for (kind, at, letter) in &edits {
                let at = at % typed.len();
                let letter = letter.chars().next().unwrap();
                match kind {
                    0 => typed.insert(at, letter),
                    1 => typed[at] = letter,
                    2 if typed.len() > 4 => drop(typed.remove(at)),
                    _ if at + 1 < typed.len() => typed.swap(at, at + 1),
                    _ => {}
                }
            }
            let letters: Vec<char> = word.chars().collect();
            let max = tolerance(typed.len());
            if distance(&typed, &letters, max).is_some() {
                let known = hints_for_vocabulary(&word);
                assert!(hints_of(&typed, max).iter().any(|hint| known.contains(hint)));
            }
        }
    }

    #[test]
    fn words_are_folded_and_tags_dropped() {
        let folded = fold("Crème-Brûlée, 2x cafe\u{301}s");
        assert_eq!(words(&folded).collect::<Vec<_>>(), ["creme", "brulee", "2x", "cafes"]);
        assert_eq!(plain("<b>Tea &amp; Milk</b> < 5"), " Tea & Milk  < 5");
        assert_eq!(plain("no tags"), "no tags");
    }
}
