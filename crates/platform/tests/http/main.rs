//! The REST floor, as a client meets it.

mod app;
mod document;
mod idempotency;
mod permissions;
mod problems;
mod sockets;
mod tokens;
