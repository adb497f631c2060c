//! The mark of a data folder whose shop moved to servers, or began to: what is sold there, nobody
//! would know here.

use std::path::Path;

use kernel::Timestamp;
use kernel::id::Uuid;
use serde::{Deserialize, Serialize};

/// In the data folder, so that a move that was stopped is known for the same.
const NAME: &str = "move.json";

/// A move of a folder's shop.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Move {
    pub id: Uuid,
    pub begun_at: Timestamp,
    /// When both sides held the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
}

impl Move {
    /// The move from this folder, if there was one.
    pub fn of(folder: &Path) -> Result<Option<Self>, String> {
        let path = folder.join(NAME);
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let known = serde_json::from_slice(&text);
        known.map(Some).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Written whole or not at all.
    #[cfg(feature = "servers")]
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let path = folder.join(NAME);
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = serde_json::to_vec_pretty(self).map_err(|error| failed(&error))?;
        let draft = folder.join("move.json.new");
        crate::data::write_private(&draft, &text).map_err(|error| failed(&error))?;
        std::fs::rename(draft, &path).map_err(|error| failed(&error))
    }
}

/// Refuses a folder whose shop is elsewhere, and says where to go on.
pub fn refuse(folder: &Path) -> Result<(), String> {
    let Some(moved) = Move::of(folder)? else { return Ok(()) };
    let path = folder.display();
    let back = format!("delete {NAME} in it");
    Err(match moved.done_at {
        Some(at) => format!(
            "the shop of {path} moved to servers ({at}); what it sold since is known there only. \
             Start it there, with `mercat serve` or `mercat up --topology …`. For a new shop name \
             another folder with --data; to go back to the shop of that day, {back}"
        ),
        None => format!(
            "the shop of {path} began to move to servers ({}) and has not arrived. Go on with \
             `mercat migrate --from {path}`; to give the move up, {back}",
            moved.begun_at
        ),
    })
}
