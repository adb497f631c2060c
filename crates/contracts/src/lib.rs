//! What services say to each other: calls and events, generated from `proto/`.
//!
//! Per service there is `v1` with the messages, an API trait (`InventoryApi`) with its carriers
//! (`InventoryDirect`, `InventoryClient`, `InventoryServer`), and the types of its events. Nothing
//! here is written by hand; `cargo xtask codegen` writes it and CI compares. No rule of any
//! service belongs here.

mod r#gen;

pub use r#gen::{DESCRIPTOR_SET, catalog, identity, inventory, ordering, payment};
