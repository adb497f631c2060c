//! Catalog on its own, on every engine: files in and out, lists, search, and its REST routes.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may stop at the first surprise, as tests do"
)]

mod admin;
mod categories;
mod files;
mod import;
mod limits;
mod listing;
mod permissions;
mod postgres;
mod quotes;
mod replicas;
mod round_trip;
mod same;
mod search;
mod server;
mod shop;
