//! Runs the program and looks at what it left.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_mercat");

/// In a folder of its own, which goes.
pub fn mercat(words: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a test may write to the temporary folder");
    mercat_in(folder.path(), words)
}

pub fn mercat_in(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(words).current_dir(folder).stdin(Stdio::null());
    command.output().expect("the program can be run")
}

/// After a line of the shell, in the same process.
#[cfg(unix)]
pub fn with_shell(before: &str, folder: &Path, words: &[&str]) -> Output {
    shell(before, folder, words).output().expect("there is a shell")
}

#[cfg(unix)]
pub fn spawn_with_shell(before: &str, folder: &Path, words: &[&str]) -> Child {
    let mut command = shell(before, folder, words);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("there is a shell")
}

#[cfg(unix)]
fn shell(before: &str, folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{before}; exec \"$0\" \"$@\""), PROGRAM]).args(words);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The permissions of a folder, as `.`, and of what is in it.
#[cfg(unix)]
pub fn modes(folder: &Path) -> BTreeMap<String, u32> {
    use std::os::unix::fs::PermissionsExt;

    let mode =
        |path: &Path| path.metadata().map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    let entries = std::fs::read_dir(folder).expect("the folder is there").flatten();
    let named = entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), mode(&entry.path())));
    named.chain([(".".to_owned(), mode(folder))]).collect()
}
