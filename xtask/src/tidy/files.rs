//! Rules about any file: its length, and what must not be committed in it.

use super::{File, Finding};
use crate::project::has_extension;

/// Worth a look: most files stay well below.
pub const LONG: usize = 250;
/// Refused: a file this long has more than one subject.
pub const TOO_LONG: usize = 500;

/// Folders that only this or that machine has. In two pieces, so that this file keeps its own rule.
const MACHINE_FOLDERS: [&str; 3] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Written by `cargo xtask codegen`.
pub fn generated(path: &str) -> bool {
    path.contains("/src/gen/")
}

/// The length of a file that is longer than one should be but not yet refused.
pub fn long(file: &File) -> Option<(String, usize)> {
    let lines = file.text.lines().count();
    (counted(&file.path) && (LONG + 1..=TOO_LONG).contains(&lines))
        .then(|| (file.path.clone(), lines))
}

pub fn too_long(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    (counted(&file.path) && lines > TOO_LONG).then(|| {
        Finding::new(
            &file.path,
            lines,
            format!("{lines} lines; {TOO_LONG} is the end, split it by subject"),
        )
    })
}

fn counted(path: &str) -> bool {
    has_extension(path, "rs") && !generated(path)
}

pub fn machine_paths(file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for folder in MACHINE_FOLDERS {
            if line.match_indices(folder).any(|(at, _)| stands_alone(&line[..at])) {
                found.push(Finding::new(
                    &file.path,
                    number + 1,
                    format!(
                        "a path below `{folder}` exists on one machine only; write it relative"
                    ),
                ));
            }
        }
    }
    found
}

/// The same name behind a host or another folder is a route, no folder of a machine.
fn stands_alone(before: &str) -> bool {
    before.chars().next_back().is_none_or(|letter| {
        !(letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_' | '}' | '>' | '$' | '/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_path_of_a_machine_is_caught_with_its_line() {
        for folder in MACHINE_FOLDERS {
            let text = format!("fine\nsee `{folder}main/x`");
            let found = machine_paths(&file("README.md", &text));
            assert_eq!((found.len(), found[0].line), (1, 2), "{folder}");
        }
    }

    #[test]
    fn a_route_or_a_relative_path_is_no_path_of_a_machine() {
        let [work, _, home] = MACHINE_FOLDERS;
        for text in
            [format!("https://shop.example{home}x"), format!("a/b{work}c"), format!("${home}")]
        {
            assert!(machine_paths(&file("README.md", &text)).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_file_past_the_end_is_refused_and_a_long_one_is_listed() {
        let lines = |count: usize| "x\n".repeat(count);
        assert!(too_long(&file("crates/a/src/b.rs", &lines(TOO_LONG + 1))).is_some());
        assert!(too_long(&file("crates/a/src/b.rs", &lines(TOO_LONG))).is_none());
        assert!(too_long(&file("crates/a/src/gen/b.rs", &lines(TOO_LONG + 1))).is_none());
        assert!(long(&file("crates/a/src/b.rs", &lines(LONG + 1))).is_some());
        assert!(long(&file("crates/a/src/b.rs", &lines(LONG))).is_none());
    }
}
