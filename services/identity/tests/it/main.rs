//! Identity as its callers see it: the routes, the contract, and what is left in the store. Every
//! story runs on both engines.

#![expect(clippy::unwrap_used, reason = "in a test a surprise is a failure")]

mod support;

mod accounts;
mod addresses;
mod api_keys;
mod bad_input;
mod contract;
mod guessing;
mod keys;
mod registration;
mod roles;
mod sessions;
