//! The checkout this task works on: where it is, and how its files are read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::Outcome;

/// The root folder of the workspace.
pub struct Project {
    pub root: PathBuf,
}

/// Folders that hold nothing of ours to check.
const SKIPPED_FOLDERS: [&str; 5] = [".git", "target", "node_modules", ".venv", "data"];

impl Project {
    /// The nearest folder with a `Cargo.lock`, upwards of the crate that cargo runs (this one, or one
    /// whose tests call this program) or of the current folder.
    pub fn find() -> Outcome<Self> {
        let here = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(std::env::current_dir, |own| Ok(own.into()));
        let here = here.map_err(|error| format!("no current folder: {error}"))?;
        here.ancestors()
            .find(|folder| folder.join("Cargo.lock").is_file())
            .map(|root| Self { root: root.to_path_buf() })
            .ok_or_else(|| "run me inside the project: no Cargo.lock upwards of here".to_owned())
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Every file below `relative`, as sorted paths relative to the root with `/` between parts.
    /// A folder that does not exist holds no files.
    pub fn files(&self, relative: &str) -> Outcome<Vec<String>> {
        let mut found = Vec::new();
        self.collect(&self.path(relative), &mut found)?;
        found.sort();
        Ok(found)
    }

    fn collect(&self, folder: &Path, found: &mut Vec<String>) -> Outcome {
        let Ok(entries) = fs::read_dir(folder) else {
            return Ok(());
        };
        for entry in entries {
            let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !SKIPPED_FOLDERS.contains(&name) {
                    self.collect(&path, found)?;
                }
            } else if let Ok(relative) = path.strip_prefix(&self.root) {
                found.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
        Ok(())
    }

    /// The file's text; bytes that are not UTF-8 are replaced.
    pub fn read(&self, relative: &str) -> Outcome<String> {
        read_bytes(&self.path(relative)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Whether the path's last part ends in `.extension`. Ours are all lower case.
pub fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}

pub fn read_bytes(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Writes the file and the folders above it.
pub fn write(path: &Path, content: &[u8]) -> Outcome {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    }
    fs::write(path, content).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
