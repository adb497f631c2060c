//! Where the databases of a shop are, and how they come to be such that can be opened side by side:
//! those of a data folder are, those of servers and of a simulation are copied, as far as they are
//! looked at.

mod copied;
mod memory;
#[cfg(feature = "postgres")]
mod servers;

use std::path::{Path, PathBuf};

use kernel::Timestamp;

#[cfg(feature = "postgres")]
pub use servers::Servers;

pub use memory::{Cell, Opened, Rows, connect};

use crate::{Error, Place};

/// One SQLite file a service. What was copied goes with this.
pub struct Databases {
    folder: PathBuf,
    /// The time, when they tell themselves that a shop works on them.
    now: Option<Timestamp>,
    #[cfg(feature = "postgres")]
    _copied: Option<tempfile::TempDir>,
}

impl Databases {
    #[cfg_attr(
        not(feature = "postgres"),
        expect(clippy::unnecessary_wraps, reason = "files need no connection; servers do")
    )]
    pub fn find(place: Place<'_>) -> Result<Self, Error> {
        match place {
            Place::Folder(folder) => Ok(Self {
                folder: folder.to_owned(),
                now: None,
                #[cfg(feature = "postgres")]
                _copied: None,
            }),
            Place::Memory(_) => Ok(Self {
                folder: PathBuf::new(),
                now: None,
                #[cfg(feature = "postgres")]
                _copied: None,
            }),
            #[cfg(feature = "postgres")]
            Place::Servers(servers) => {
                // Nobody else may read it, and it is taken away in the end.
                let copied = tempfile::TempDir::with_prefix("mercat-verify-");
                let copied = copied.map_err(|error| Error::File(std::env::temp_dir(), error))?;
                let now = servers.copy_to(copied.path())?;
                Ok(Self { folder: copied.path().to_owned(), now, _copied: Some(copied) })
            }
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn now(&self) -> Option<Timestamp> {
        self.now
    }
}
