//! For tests of services: a store and an executor on either engine, with a clock that stands still.

mod client;
pub mod servers;

use std::path::Path;
use std::sync::Arc;

pub use client::{Client, Reply, module_client};

use crate::env::{Env, TestEnv};
use crate::executor::Executor;
use crate::store::Schema;
use crate::store::memory::MemoryEngine;
use crate::store::sqlite::{Options, SqliteEngine};

/// An executor over the memory engine.
pub fn executor_in_memory(schema: &Schema) -> (Executor, TestEnv) {
    let test = Env::test();
    let engine = Arc::new(MemoryEngine::new(schema));
    (Executor::start(schema.service, &test.env, engine), test)
}

/// An executor over SQLite in `folder`; opening the same folder again finds what was committed.
pub fn executor_in_sqlite(schema: &Schema, folder: &Path) -> (Executor, TestEnv) {
    let test = Env::test();
    let path = folder.join(format!("{}.db", schema.service));
    let engine = SqliteEngine::shared(&path, schema, Options::default())
        .expect("a test's folder is writable");
    (Executor::start(schema.service, &test.env, engine), test)
}
