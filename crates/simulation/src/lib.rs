//! The whole shop on one thread, in virtual time, with faults drawn from one seed.
//!
//! A seed decides everything: who buys what, which process dies at which await point, whose clock
//! jumps, which answer is lost. Run again, it goes the same way, to the last turn of the last task.
//!
//! In reading order: [`chance`], [`core`] and [`timers`] are the world (chance, tasks, nodes, time), [`env`] its
//! ports as a process sees them; [`fault`] says what goes wrong and [`plan`] what a seed makes of the
//! shop; [`disk`], [`broker`], [`net`] and [`provider`] are what lies around processes and fails;
//! [`shop`] is the composition root, [`one`] that of a shop in one process; [`people`], [`buyer`] and [`staff`] want something of it, and
//! [`storm`] wants it to fall; [`books`] is what stands on the disks in the end; [`run`] plays a seed
//! and tells the verdict.

pub mod books;
pub mod broker;
pub mod buyer;
pub mod chance;
pub mod core;
pub mod disk;
pub mod env;
pub mod fault;
pub mod leases;
pub mod marks;
pub mod net;
pub mod one;
pub mod passwords;
pub mod people;
pub mod plan;
pub mod provider;
pub mod proxy;
pub mod run;
pub mod shop;
pub mod staff;
pub mod storm;
pub mod timers;
pub mod trace;

pub use marks::MARKS;
pub use run::{Verdict, run};
