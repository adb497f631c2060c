//! Changes zones, methods, rates and settings.

use std::sync::Arc;

use kernel::Timestamp;
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::app::{App, Keyed, Seen};
use super::error::Error;
use crate::domain::pricing::Tariff;
use crate::domain::pricing::tariff::{Kept, Part, PricingSettings};

/// A change of the tariff that answers with `R`.
pub type Change<R> = Arc<dyn Fn(&mut Tariff) -> Result<R, Error> + Send + Sync>;

struct ConfigureTariff<R> {
    change: Change<R>,
}

impl<R: Send + 'static> Command for ConfigureTariff<R> {
    type Reply = R;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Tariff>(Tariff::ID);
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<R, Error> {
        let mut tariff = states.get::<Tariff>(Tariff::ID).cloned().unwrap_or_default();
        let reply = (self.change)(&mut tariff)?;
        states.put(Tariff::ID, tariff);
        Ok(reply)
    }
}

impl App {
    pub async fn tariff(&self) -> Result<Arc<Tariff>, Error> {
        self.tariffs.current().await
    }

    pub async fn create_part<P: Part>(
        &self,
        context: &Context,
        once: Option<Keyed<Seen<P::Id, P>>>,
        value: P,
    ) -> Result<Seen<P::Id, P>, Error> {
        let id: P::Id = self.env().id();
        let change = move |tariff: &mut Tariff| {
            let kept = tariff.create(id, value.clone())?;
            Ok(seen(id, kept))
        };
        self.configure(context, once, Arc::new(change)).await
    }

    pub async fn replace_part<P: Part>(
        &self,
        context: &Context,
        once: Option<Keyed<Seen<P::Id, P>>>,
        id: P::Id,
        expected: Option<u64>,
        value: P,
    ) -> Result<Seen<P::Id, P>, Error> {
        let change = move |tariff: &mut Tariff| {
            let kept = tariff.replace(id, value.clone(), expected)?;
            Ok(seen(id, kept))
        };
        self.configure(context, once, Arc::new(change)).await
    }

    pub async fn remove_part<P: Part>(
        &self,
        context: &Context,
        once: Option<Keyed<()>>,
        id: P::Id,
        expected: Option<u64>,
    ) -> Result<(), Error> {
        let change = move |tariff: &mut Tariff| Ok(tariff.remove::<P>(id, expected)?);
        self.configure(context, once, Arc::new(change)).await
    }

    pub async fn replace_settings(
        &self,
        context: &Context,
        once: Option<Keyed<Kept<PricingSettings>>>,
        expected: Option<u64>,
        settings: PricingSettings,
    ) -> Result<Kept<PricingSettings>, Error> {
        let change =
            move |tariff: &mut Tariff| Ok(tariff.replace_settings(settings.clone(), expected)?);
        self.configure(context, once, Arc::new(change)).await
    }

    async fn configure<R: Send + 'static>(
        &self,
        context: &Context,
        once: Option<Keyed<R>>,
        change: Change<R>,
    ) -> Result<R, Error> {
        let once = once.map(|once| {
            let render = once.render;
            Idempotent::render(once.key, move |reply: &R| render(reply))
        });
        let reply = self.executor.execute_once(context, once, ConfigureTariff { change }).await;
        self.tariffs.forget();
        reply
    }
}

fn seen<P: Part>(id: P::Id, kept: Kept<P>) -> Seen<P::Id, P> {
    Seen { id, version: kept.version, state: kept.value }
}
