//! Which bugs may be seeded: read from the sources, so that none stays without its test.

use std::collections::BTreeSet;
use std::path::Path;

use crate::sources;

/// The names of all bugs below the workspace's `crates/platform` and `services`.
pub fn named_in(workspace: &Path) -> BTreeSet<String> {
    sources::words_in(&sources::of_the_shop(workspace), "bug::is(\"")
}
