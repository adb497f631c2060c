//! The technical floor of every service. It knows no word of the shop.
//!
//! In reading order: [`env`] (time, chance, ids, tasks as ports) and [`context`] (who asks, until
//! when); [`store`] and [`executor`] (decide, then apply, in batches); [`event`] and [`bus`]
//! (outbox, inbox, relay); [`idempotency`]; [`rpc`] and [`http`] (calls from inside and outside);
//! [`auth`]; [`recent`] (a bounded map); then what a process
//! needs: [`config`], [`telemetry`], [`shutdown`], [`service`], [`host`].

pub mod auth;
pub mod bug;
pub mod bus;
pub mod config;
pub mod context;
pub mod crash;
pub mod env;
pub mod event;
pub mod executor;
pub mod host;
pub mod http;
pub mod idempotency;
mod open_files;
pub mod peer;
pub mod process;
pub mod recent;
pub mod rpc;
pub mod service;
pub mod shutdown;
pub mod sometimes;
pub mod store;
pub mod telemetry;
pub mod testing;
pub mod tls;

pub use context::{Context, Deadline, Principal};
pub use env::Env;
