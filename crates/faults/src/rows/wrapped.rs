//! The shop in one process, started by a script that prepares its world first.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A script that ends by becoming the shop: its process id is the shop's.
pub struct Wrapped {
    folder: TempDir,
}

impl Wrapped {
    /// `before` are lines of `sh`, run in the folder in which the shop runs; `around` stands before
    /// and after the shop's own command.
    pub fn new(program: &Path, before: &str, around: (&str, &str)) -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (program, (first, last)) = (program.display(), around);
        let script =
            format!("#!/bin/sh\nset -e\n{before}\nexec {first} '{program}' \"$@\" {last}\n");
        let path = folder.path().join("shop");
        std::fs::write(&path, script)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        Ok(Self { folder })
    }

    pub fn program(&self) -> PathBuf {
        self.folder.path().join("shop")
    }
}
