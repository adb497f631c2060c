//! Real processes in bad weather: what is broken on purpose, under which load, and what must hold
//! afterwards. `cargo xtask faults` runs it; docs/reliability.md tells what came of it.
//!
//! [`proxy`] is a wire between two processes that goes bad when told; [`fleet`] is a shop of
//! processes whose every call, query and event goes over such a wire; [`clocks`] go wrong; [`house`] is a shop, in one
//! process or in many; [`load`] are its buyers and what they remember; [`books`] says whether
//! everything is accounted for; [`rows`] are the faults, one a file; [`report`] is what is told of
//! them, and [`bugs`] what they noticed of mistakes that were made on purpose.
//!
//! Nothing here knows a service's crate. A row never judges by time when it is run in short: a busy
//! machine is slow, and slow is no fault.

pub mod books;
pub mod bugs;
pub mod clocks;
pub mod fleet;
pub mod house;
pub mod load;
pub mod proxy;
pub mod report;
pub mod rows;
pub mod settings;
