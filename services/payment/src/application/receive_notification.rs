//! A provider tells something on its own: it is checked, remembered, and acted on once.

use std::time::Duration;

use kernel::Timestamp;
use kernel::id::Uuid;
use platform::executor::{Command, Keys, States};
use platform::store::{Direction, Query};
use platform::{Context, sometimes};

use super::{Error, Payments};
use crate::domain::{Notification, Payment};
use crate::ports::Delivery;

/// Providers give up delivering after some days; what is older need not be remembered.
const REMEMBERED: Duration = Duration::from_hours(30 * 24);
/// Notifications forgotten in one go.
const FORGOTTEN_AT_ONCE: u32 = 100;

/// What became of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The payment is looked up now.
    Acting,
    /// Seen before, or about nothing that is outstanding here.
    NothingToDo,
}

impl Payments {
    /// The content is not believed: a genuine notification makes the payment look its state up at
    /// the provider now instead of later.
    pub async fn receive_notification(
        &self,
        context: &Context,
        provider: &str,
        delivery: &Delivery,
    ) -> Result<Receipt, Error> {
        if provider != self.provider.name() {
            return Err(Error::UnknownProvider);
        }
        let now = self.env().now();
        let told = self.provider.read_notification(delivery, now)?;
        let notification = Notification {
            provider: provider.to_owned(),
            event_id: told.event_id,
            kind: told.kind,
            payment_id: told.payment_id,
            received_at: now,
        };
        let acting = self.executor.execute(context, Receive { notification }).await?;
        match acting {
            Some(payment) => {
                self.wake(payment);
                Ok(Receipt::Acting)
            }
            None => Ok(Receipt::NothingToDo),
        }
    }

    /// Forgets notifications that are too old to come again.
    pub async fn forget_notifications(&self, context: &Context) -> Result<(), Error> {
        loop {
            let query = Query::new(FORGOTTEN_AT_ONCE)
                .lt("received_at", self.env().now().minus(REMEMBERED))
                .order("received_at", Direction::Ascending);
            let old = self.executor.store().list::<Notification>(query).await?;
            let ids: Vec<Uuid> = old.iter().map(|notification| notification.id).collect();
            let last = ids.len() < FORGOTTEN_AT_ONCE as usize;
            if !ids.is_empty() {
                self.executor.execute(context, Forget { ids }).await?;
            }
            if last {
                return Ok(());
            }
        }
    }
}

struct Receive {
    notification: Notification,
}

impl Receive {
    fn id(&self) -> Uuid {
        Notification::id_of(&self.notification.provider, &self.notification.event_id)
    }
}

impl Command for Receive {
    type Reply = Option<crate::domain::PaymentId>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Notification>(self.id());
        if let Some(payment_id) = self.notification.payment_id {
            keys.add::<Payment>(payment_id.uuid());
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        if states.get::<Notification>(self.id()).is_some() {
            sometimes::reached("the same notification came again");
            return Ok(None);
        }
        states.put(self.id(), self.notification.clone());
        let Some(payment_id) = self.notification.payment_id else {
            return Ok(None);
        };
        let Some(current) = states.get::<Payment>(payment_id.uuid()) else {
            return Ok(None);
        };
        let mut payment = current.clone();
        if !payment.hurry(now) {
            return Ok(None);
        }
        states.put(payment_id.uuid(), payment);
        Ok(Some(payment_id))
    }
}

struct Forget {
    ids: Vec<Uuid>,
}

impl Command for Forget {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        self.ids.iter().for_each(|id| keys.add::<Notification>(*id));
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), Error> {
        self.ids.iter().for_each(|id| states.delete::<Notification>(*id));
        Ok(())
    }
}
