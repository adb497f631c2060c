//! Requests that are wrong in every way that the OpenAPI document forbids, and callers who may not.
//!
//! All of it is derived from the document, so a new route is tried without a line here.

mod actors;
mod bodies;
mod parameters;
mod roles;
mod unchanged;
