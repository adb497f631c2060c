//! `mercat up` with a process for each service: a developer's machine, not an installation.
//!
//! [`plan`] says what runs where, [`databases`] makes what is missing on the server, [`child`] is one
//! process, [`supervisor`] keeps them all.

#[cfg(feature = "servers")]
mod child;
#[cfg(feature = "servers")]
mod databases;
#[cfg(feature = "servers")]
mod plan;
#[cfg(feature = "servers")]
mod supervisor;

#[cfg(feature = "servers")]
pub use databases::{known, prepare};
#[cfg(feature = "servers")]
pub use supervisor::up;

#[cfg(not(feature = "servers"))]
pub const NOT_IN_THIS_BUILD: &str =
    "this build holds the shop in one process only; build with `--features servers`";

#[cfg(not(feature = "servers"))]
#[expect(clippy::unused_async, reason = "the same call in both builds")]
pub async fn up(
    _config: crate::config::Config,
    _up: crate::cli::Up,
    _given: &crate::commands::Given,
) -> Result<std::process::ExitCode, String> {
    Err(NOT_IN_THIS_BUILD.to_owned())
}
