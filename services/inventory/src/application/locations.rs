//! The list of locations, remembered: every reservation needs it, and it hardly ever changes.
//!
//! A list that is a moment old does no harm: a location that was just added serves a little later,
//! one that was just deactivated a little longer. Where it would do harm, the command itself finds
//! out (`Error::Stale`) and is prepared again with a fresh list.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kernel::Timestamp;
use platform::executor::{Command, Executor, Keys, States};
use platform::store::{Query, StoreError, Versioned};
use platform::{Context, Env};

use crate::domain::{Location, LocationId, location::MAX_LOCATIONS};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub id: LocationId,
    pub active: bool,
}

pub struct Locations {
    executor: Executor,
    ttl: Duration,
    remembered: RwLock<Option<Remembered>>,
}

struct Remembered {
    at: Duration,
    places: Arc<[Place]>,
}

impl Locations {
    pub fn new(executor: Executor, ttl: Duration) -> Self {
        Self { executor, ttl, remembered: RwLock::new(None) }
    }

    /// All locations in the order in which they serve, not older than the time to live.
    pub async fn current(&self) -> Result<Arc<[Place]>, StoreError> {
        let now = self.env().clock.monotonic();
        let known = {
            let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
            remembered
                .as_ref()
                .filter(|remembered| now.saturating_sub(remembered.at) < self.ttl)
                .map(|remembered| remembered.places.clone())
        };
        match known {
            Some(places) => Ok(places),
            None => self.fresh().await,
        }
    }

    /// As they are now.
    pub async fn fresh(&self) -> Result<Arc<[Place]>, StoreError> {
        let at = self.env().clock.monotonic();
        let mut all = self.all().await?;
        all.sort_by_key(|location| (location.priority, location.id));
        let places: Arc<[Place]> = all
            .iter()
            .map(|location| Place { id: location.id.into(), active: location.active })
            .collect();
        *self.remembered.write().unwrap_or_else(PoisonError::into_inner) =
            Some(Remembered { at, places: places.clone() });
        Ok(places)
    }

    /// Every location as stored, by id. Creates the default one when it is missing.
    pub async fn all(&self) -> Result<Vec<Versioned<Location>>, StoreError> {
        let query = || Query::new(MAX_LOCATIONS as u32 + 1);
        let found = self.executor.store().list::<Location>(query()).await?;
        if found.iter().any(|location| location.id == LocationId::DEFAULT.uuid()) {
            return Ok(found);
        }
        let context = Context::background(self.env(), "inventory", Duration::from_secs(10));
        self.executor.execute(&context, CreateDefault).await?;
        self.executor.store().list::<Location>(query()).await
    }

    /// The list has changed.
    pub fn forget(&self) {
        *self.remembered.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn env(&self) -> &Env {
        self.executor.env()
    }
}

/// Bootstrap: the same row from every process, and from the first of them only.
struct CreateDefault;

impl Command for CreateDefault {
    type Reply = ();
    type Error = StoreError;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Location>(LocationId::DEFAULT.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), StoreError> {
        let id = LocationId::DEFAULT.uuid();
        if states.get::<Location>(id).is_none() {
            states.put(id, Location::default_at(now));
        }
        Ok(())
    }
}
