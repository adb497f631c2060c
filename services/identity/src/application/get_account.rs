//! Accounts as administrators see them.

use kernel::Email;
use platform::store::{Position, Query, Versioned};

use super::{Error, Found, Identity};
use crate::domain::{Account, AccountId, Kind, Rejection};

/// Which accounts.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub kind: Option<Kind>,
    /// Exactly this address.
    pub email: Option<Email>,
    pub limit: u32,
    pub cursor: Option<String>,
}

impl Identity {
    pub async fn get_account(&self, id: AccountId) -> Result<Versioned<Account>, Error> {
        let account = self.store().get::<Account>(id.uuid()).await?;
        account.ok_or(Rejection::AccountNotFound.into())
    }

    /// In the order they were made.
    pub async fn list_accounts(&self, wanted: Wanted) -> Result<Found<Account>, Error> {
        let mut query = Query::new(wanted.limit + 1);
        if let Some(kind) = wanted.kind {
            query = query.eq("kind", kind.as_str());
        }
        if let Some(email) = &wanted.email {
            query = query.eq("email", email.as_str());
        }
        if let Some(cursor) = &wanted.cursor {
            query = query.after(Position::decode(cursor).ok_or(Error::BadCursor)?);
        }
        Ok(Found::page(self.store().list(query).await?, wanted.limit))
    }
}
