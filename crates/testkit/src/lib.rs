//! A shop to test against: the real program as a child process, on free ports, in a folder of its
//! own.
//!
//! [`shop`] starts, kills and restarts it; [`client`] speaks to it; [`people`], [`shelf`],
//! [`checkout`] and [`money`] are the sentences that stories are made of; [`stories`] are the
//! stories, which run in every topology; [`document`] and [`bad`] make requests from the OpenAPI
//! document; [`journal`] is what a client remembers of a shop that dies under it.
//!
//! Nothing here knows the services' crates: all of it goes through the public API, as a shop front
//! does. Nothing here sleeps and hopes: [`until`] asks again and again, within a limit.

pub mod alone;
pub mod bad;
pub mod checkout;
pub mod client;
pub mod crash_points;
pub mod document;
pub mod journal;
pub mod money;
pub mod people;
pub mod processes;
pub mod seeded_bugs;
pub mod servers;
pub mod shelf;
pub mod shop;
pub mod sources;
pub mod stories;
mod until;

pub use client::{Client, Reply, Request};
pub use shop::{Shop, Start, Topology};
pub use until::{until, until_within};
