//! Identity's sides to the world: REST, the contract, tables, argon2, Ed25519.

pub mod grpc;
pub mod http;
pub mod password;
pub mod store;
pub mod tokens;
