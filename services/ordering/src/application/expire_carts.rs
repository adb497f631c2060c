//! Carts that nobody touched for long go, and their addresses with them.

use kernel::Timestamp;
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::store::{Direction, Query};

use super::app::App;
use super::error::Error;
use super::kept_answers;
use crate::domain::{Cart, CartId};

const PAGE: u32 = 100;

struct ExpireCarts {
    ids: Vec<CartId>,
}

impl Command for ExpireCarts {
    type Reply = usize;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        for id in &self.ids {
            keys.add::<Cart>(id.uuid());
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<usize, Error> {
        let mut gone = 0;
        for id in &self.ids {
            // It may have been touched since it was listed.
            let cart = states.get::<Cart>(id.uuid()).filter(|cart| cart.expires_at <= now);
            if let Some(cart) = cart {
                let kept = cart.kept.clone().take(now);
                states.delete::<Cart>(id.uuid());
                kept_answers::erase(states, kept);
                gone += 1;
            }
        }
        Ok(gone)
    }
}

impl App {
    /// Deletes expired carts, some at a time; answers how many went.
    pub async fn expire_carts(&self, context: &Context) -> Result<usize, Error> {
        let mut gone = 0;
        loop {
            let query = Query::new(PAGE)
                .le("expires_at", self.env().now())
                .order("expires_at", Direction::Ascending);
            let rows = self.executor.store().list::<Cart>(query).await?;
            let ids: Vec<CartId> = rows.iter().map(|row| row.id.into()).collect();
            let full = ids.len() == PAGE as usize;
            if ids.is_empty() {
                return Ok(gone);
            }
            let deleted = self.executor.execute(context, ExpireCarts { ids }).await?;
            gone += deleted;
            if !full || deleted == 0 || context.deadline.has_passed(self.env()) {
                return Ok(gone);
            }
        }
    }
}
