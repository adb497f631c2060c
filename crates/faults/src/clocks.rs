//! Clocks that can be set: libfaketime in a process, and a file that tells it how far it is off. Time
//! that is measured and not told goes on as ever, as it does on a real machine.

use std::path::Path;

/// Where Debian and others put it.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
];
/// Not off at all.
pub const RIGHT: &str = "+0";

pub fn library() -> Option<&'static str> {
    LIBRARIES.into_iter().find(|path| Path::new(path).exists())
}

/// What a process is started with to have a clock that `file` sets.
pub fn variables(library: &str, file: &Path) -> [(String, String); 4] {
    [
        ("LD_PRELOAD", library.to_owned()),
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

/// Sets the clock: `+7200` is two hours ahead. In one step, for it is read all the time.
pub fn set(file: &Path, offset: &str) -> std::io::Result<()> {
    let next = file.with_extension("next");
    std::fs::write(&next, offset)?;
    std::fs::rename(&next, file)
}
