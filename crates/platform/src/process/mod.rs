//! A service as a process of its own: PostgreSQL under it, a broker beside it, gRPC to the others.

mod broker;
#[cfg(feature = "process")]
mod command;
mod config;
#[cfg(feature = "process")]
mod run;
#[cfg(feature = "process")]
mod standalone;

pub use broker::{BrokerConfig, BrokerKind, BrokerTls, Properties};
#[cfg(feature = "process")]
pub use command::{alone, main, tell_ready};
pub use config::{DatabaseConfig, ProcessConfig, TokenConfig};
#[cfg(feature = "process")]
pub use run::{Assembled, assemble, migrate, open_engine, run, server_tls};
#[cfg(feature = "process")]
pub use standalone::{Parts, Peers, Standalone, Standing};
