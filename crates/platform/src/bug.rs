//! Seeded bugs: mistakes that a test turns on, to see that the checker finds them.
//!
//! `MERCAT_BUG=<name>` turns on the one of that name, in a build with the feature `seeded-bugs`. In
//! every other build [`is`] is constantly false, and what it guards is not compiled in.

#[cfg(all(feature = "seeded-bugs", not(debug_assertions)))]
compile_error!("seeded bugs are for tests: no build with optimizations may have them");

/// Whether this process is to make the mistake of that name.
#[cfg(feature = "seeded-bugs")]
pub fn is(name: &'static str) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| {
        let chosen = std::env::var("MERCAT_BUG").ok().filter(|chosen| !chosen.is_empty());
        if let Some(bug) = &chosen {
            tracing::warn!(bug, "a seeded bug is on: this process makes mistakes on purpose");
        }
        chosen
    });
    chosen.as_deref() == Some(name)
}

/// This build makes no mistakes on purpose.
#[cfg(not(feature = "seeded-bugs"))]
pub const fn is(_name: &'static str) -> bool {
    false
}
