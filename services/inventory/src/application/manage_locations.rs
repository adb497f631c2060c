//! Locations: a few, made and changed by staff.

use kernel::{CountryCode, Timestamp};
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;
use platform::store::Versioned;

use super::{Error, Inventory};
use crate::domain::location::MAX_LOCATIONS;
use crate::domain::{Location, LocationId, Refusal};

/// What staff say of a location.
#[derive(Clone, Debug)]
pub struct LocationInput {
    pub name: String,
    pub country: Option<CountryCode>,
    pub active: bool,
    pub priority: i64,
}

impl Inventory {
    /// In the order in which they serve.
    pub async fn list_locations(&self) -> Result<Vec<Versioned<Location>>, Error> {
        let mut all = self.locations.all().await?;
        all.sort_by_key(|location| (location.priority, location.id));
        Ok(all)
    }

    pub async fn location(&self, id: LocationId) -> Result<Versioned<Location>, Error> {
        let all = self.locations.all().await?;
        let found = all.into_iter().find(|location| location.id == id.uuid());
        Ok(found.ok_or(Refusal::LocationNotFound)?)
    }

    pub async fn create_location(
        &self,
        context: &Context,
        once: Option<Idempotent<Versioned<Location>>>,
        input: LocationInput,
    ) -> Result<Versioned<Location>, Error> {
        if self.locations.all().await?.len() >= MAX_LOCATIONS {
            return Err(Refusal::TooManyLocations.into());
        }
        let id = self.executor.env().id();
        let outcome = self.executor.execute_once(context, once, Create { id, input }).await;
        self.locations.forget();
        outcome
    }

    /// Refused when `expected` is given and no longer the version.
    pub async fn update_location(
        &self,
        context: &Context,
        once: Option<Idempotent<Versioned<Location>>>,
        id: LocationId,
        expected: Option<u64>,
        input: LocationInput,
    ) -> Result<Versioned<Location>, Error> {
        self.locations.all().await?;
        let command = Update { id, expected, input };
        let outcome = self.executor.execute_once(context, once, command).await;
        self.locations.forget();
        outcome
    }

    /// Only one where nothing was ever booked; others are deactivated.
    pub async fn delete_location(
        &self,
        context: &Context,
        once: Option<Idempotent<()>>,
        id: LocationId,
        expected: Option<u64>,
    ) -> Result<(), Error> {
        let outcome = self.executor.execute_once(context, once, Delete { id, expected }).await;
        self.locations.forget();
        outcome
    }
}

struct Create {
    id: LocationId,
    input: LocationInput,
}

impl Command for Create {
    type Reply = Versioned<Location>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Location>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let LocationInput { name, country, active, priority } = self.input.clone();
        let state = Location { name, country, active, priority, used: false, created_at: now };
        Ok(store(states, self.id, state))
    }
}

struct Update {
    id: LocationId,
    expected: Option<u64>,
    input: LocationInput,
}

impl Command for Update {
    type Reply = Versioned<Location>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Location>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<Self::Reply, Error> {
        let mut state = current(states, self.id, self.expected)?;
        let LocationInput { name, country, active, priority } = self.input.clone();
        state.change(self.id, name, country, active, priority)?;
        Ok(store(states, self.id, state))
    }
}

struct Delete {
    id: LocationId,
    expected: Option<u64>,
}

impl Command for Delete {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Location>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), Error> {
        if self.id == LocationId::DEFAULT {
            return Err(Refusal::DefaultLocation { verb: "deleted" }.into());
        }
        current(states, self.id, self.expected)?.deletable(self.id)?;
        states.delete::<Location>(self.id.uuid());
        Ok(())
    }
}

fn current(states: &States<'_>, id: LocationId, expected: Option<u64>) -> Result<Location, Error> {
    let found = states.get::<Location>(id.uuid()).cloned().ok_or(Refusal::LocationNotFound)?;
    if expected.is_some_and(|expected| expected != states.version::<Location>(id.uuid())) {
        return Err(Refusal::LocationChanged.into());
    }
    Ok(found)
}

fn store(states: &mut States<'_>, id: LocationId, state: Location) -> Versioned<Location> {
    states.put(id.uuid(), state.clone());
    Versioned { id: id.uuid(), version: states.version::<Location>(id.uuid()), state }
}
