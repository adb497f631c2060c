//! Reads that nobody waits for any more are stopped: a request whose deadline has passed, or whose
//! caller has gone, drops its future, and the work for it ends with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, InterruptHandle, ffi};

enum Stage {
    Waiting,
    Running(InterruptHandle),
    /// Done, or not to be begun.
    Over,
}

/// One read: the half that runs it.
pub(super) struct Work(Arc<Mutex<Stage>>);

/// The half that waits for it. Dropped, it stops the read.
pub(super) struct Waiting(Arc<Mutex<Stage>>);

pub(super) fn pair() -> (Work, Waiting) {
    let stage = Arc::new(Mutex::new(Stage::Waiting));
    (Work(stage.clone()), Waiting(stage))
}

fn lock(stage: &Mutex<Stage>) -> MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Work {
    /// Runs `read` unless nobody waits. When this returns, nothing interrupts `connection` any
    /// more: it may serve somebody else.
    pub fn run<R>(
        self,
        connection: &Connection,
        read: impl FnOnce(&Connection) -> rusqlite::Result<R>,
    ) -> rusqlite::Result<R> {
        {
            let mut stage = lock(&self.0);
            if matches!(*stage, Stage::Over) {
                let stopped = ffi::Error::new(ffi::SQLITE_INTERRUPT);
                return Err(rusqlite::Error::SqliteFailure(stopped, None));
            }
            *stage = Stage::Running(connection.get_interrupt_handle());
        }
        let outcome = read(connection);
        *lock(&self.0) = Stage::Over;
        outcome
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut stage = lock(&self.0);
        if let Stage::Running(handle) = &*stage {
            handle.interrupt();
        }
        *stage = Stage::Over;
    }
}
