//! TLS from files, for both ends: read at the start with errors that name the file, and read again
//! when a file changes, so that a certificate is renewed without a restart.
//!
//! One library (rustls) with one provider (aws-lc-rs) everywhere.

mod files;
mod party;
mod reload;
mod stream;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use party::{ClientTls, ServerTls};
pub(crate) use stream::Stream;

/// Files in PEM. Who serves needs `cert` and `key`; who calls needs `ca`. With `ca`, a server asks
/// its clients for a certificate of that authority (mutual TLS), and who calls shows `cert` when it
/// is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// Certificates of the authorities that the other side's certificate has to come from.
    pub ca: Option<PathBuf>,
    /// Our certificate, followed by those between it and the authority.
    pub cert: Option<PathBuf>,
    /// The private key of `cert`: PKCS #8, PKCS #1 or SEC 1.
    pub key: Option<PathBuf>,
    /// The name that a server's certificate has to hold, when it is not the host of its address.
    pub server_name: Option<String>,
}

impl TlsConfig {
    /// Nothing is configured: plain connections.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads the files and puts them to no use. An error names the key, the file and the reason.
    pub fn check(&self) -> Result<(), String> {
        let read = files::Files::read(self)?;
        if self.cert.is_some() || self.key.is_some() {
            files::server(&read)?;
        }
        if self.ca.is_some() {
            files::client(&read)?;
        }
        Ok(())
    }
}
