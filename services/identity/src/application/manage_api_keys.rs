//! API keys: create, list, revoke. A key allows at most what its maker holds when making it; it
//! belongs to the shop and outlives its maker's account until it is revoked or expires.

use kernel::Timestamp;
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;
use platform::store::{Position, Query, Versioned};

use super::{Error, Found, Identity, held_by};
use crate::domain::{AccountId, ApiKey, ApiKeyId, PermissionSet, PresentedKey, Rejection};

pub struct NewApiKey {
    pub name: String,
    pub permissions: PermissionSet,
    pub expires_at: Option<Timestamp>,
}

impl Identity {
    pub async fn get_api_key(&self, id: ApiKeyId) -> Result<Versioned<ApiKey>, Error> {
        let key = self.store().get::<ApiKey>(id.uuid()).await?;
        key.ok_or(Rejection::ApiKeyNotFound.into())
    }

    /// In the order they were made, revoked ones too.
    pub async fn list_api_keys(
        &self,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Found<ApiKey>, Error> {
        let mut query = Query::new(limit + 1);
        if let Some(cursor) = cursor {
            query = query.after(Position::decode(cursor).ok_or(Error::BadCursor)?);
        }
        Ok(Found::page(self.store().list(query).await?, limit))
    }

    /// The key's record and the key itself, which is not told again.
    pub async fn create_api_key(
        &self,
        context: &Context,
        new: NewApiKey,
    ) -> Result<(Versioned<ApiKey>, PresentedKey), Error> {
        held_by(&context.principal).may_grant(&new.permissions)?;
        let env = self.executor.env();
        let key = PresentedKey::new(env.id(), env.random());
        let command = CreateApiKey {
            id: key.id,
            new,
            created_by: context.principal.account().map(AccountId::from_uuid),
            secret_sha256: key.sha256(),
        };
        Ok((self.executor.execute(context, command).await?, key))
    }

    /// Revoking again keeps the first time. Nobody revokes a key that allows more than they may:
    /// it would be a way to stop what they cannot do.
    pub async fn revoke_api_key(
        &self,
        context: &Context,
        once: Option<Idempotent<()>>,
        id: ApiKeyId,
    ) -> Result<(), Error> {
        let command = RevokeApiKey { id, held: held_by(&context.principal) };
        self.executor.execute_once(context, once, command).await
    }
}

struct CreateApiKey {
    id: ApiKeyId,
    new: NewApiKey,
    created_by: Option<AccountId>,
    secret_sha256: String,
}

impl Command for CreateApiKey {
    type Reply = Versioned<ApiKey>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<ApiKey>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let key = ApiKey::create(
            self.new.name.clone(),
            self.created_by,
            self.new.permissions.clone(),
            self.new.expires_at,
            self.secret_sha256.clone(),
            now,
        )?;
        let id = self.id.uuid();
        states.put(id, key.clone());
        Ok(Versioned { id, version: states.version::<ApiKey>(id), state: key })
    }
}

struct RevokeApiKey {
    id: ApiKeyId,
    held: PermissionSet,
}

impl Command for RevokeApiKey {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<ApiKey>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        let key = states.get::<ApiKey>(self.id.uuid());
        let mut key = key.cloned().ok_or(Rejection::ApiKeyNotFound)?;
        self.held.may_grant(&key.permissions)?;
        key.revoke(now);
        states.put(self.id.uuid(), key);
        Ok(())
    }
}
