//! What is measured beside the answers: time that they take, CPU and memory of processes, what the
//! shop itself counts.

pub mod counters;
pub mod delays;
pub mod histogram;
pub mod machine;
pub mod proc;
pub mod watch;
