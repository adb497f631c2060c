//! The faults, one a file, named as in the table of docs/reliability.md.
//!
//! [`weather`] is the standing procedure: load, faults, healing, a time in which everything must
//! succeed, quiet, the checker. A row brings the faults, and whatever else it has to look at.

mod cores;
mod f01_crash_points;
mod f02_kill_storm;
mod f03_kills;
mod f04_database_restart;
mod f05_reply_lost;
mod f07_broker_down;
mod f08_copies;
mod f10_network;
mod f12_stopped;
mod f13_disk_full;
mod f15_power;
mod f16_clock;
mod f17_provider;
mod f18_panicking;
mod f18_poison;
mod f20_overload;
mod list;
mod weather;
mod wrapped;

pub use list::{ROWS, Row};
pub use weather::Context;
