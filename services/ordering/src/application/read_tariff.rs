//! The tariff, as every priced cart needs it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use platform::executor::Executor;

use super::error::Error;
use crate::domain::pricing::Tariff;

/// How long a tariff may be used that was read just before a change. Nobody pays a wrong sum for
/// it: a buyer pays what `expected_total` says, or nothing.
const FRESH: Duration = Duration::from_secs(1);

/// Reads the tariff at most once in [`FRESH`]; parsing it for every cart would cost more than all
/// the rest of pricing. Where several processes share the database, it is read each time: what staff
/// changed through one of them holds at once in all.
pub struct Tariffs {
    executor: Executor,
    kept: Mutex<Option<(Duration, Arc<Tariff>)>>,
}

impl Tariffs {
    pub fn new(executor: Executor) -> Self {
        Self { executor, kept: Mutex::new(None) }
    }

    /// What was configured, or what stands when nothing is configured.
    pub async fn current(&self) -> Result<Arc<Tariff>, Error> {
        let now = self.executor.env().clock.monotonic();
        let is_alone = !self.executor.store().is_shared();
        if is_alone
            && let Some((read_at, tariff)) =
                &*self.kept.lock().unwrap_or_else(PoisonError::into_inner)
            && now.saturating_sub(*read_at) < FRESH
        {
            return Ok(tariff.clone());
        }
        let row = self.executor.store().get::<Tariff>(Tariff::ID).await?;
        let tariff = Arc::new(row.map(|row| row.state).unwrap_or_default());
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, tariff.clone()));
        Ok(tariff)
    }

    /// The next reader reads again.
    pub fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
