//! The keys of this shop as this process knows them: the ones that sign access tokens and the
//! secret of refresh tokens. Read from the store, remembered for a short while; made at the first
//! start.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use kernel::Timestamp;
use kernel::id::Uuid;
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::store::Query;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{Error, Identity};
use crate::domain::{ServerSecret, SigningKey, SigningKeyId, signing_key};

/// The id of the one [`FirstSecret`].
const SINGLETON: Uuid = Uuid::from_u128(1);
/// More keys than ever live at once.
const MAX_KEYS: u32 = 100;

/// The secret of refresh tokens. Whoever writes it first also writes the first signing key.
#[derive(Clone, Serialize, Deserialize)]
pub struct FirstSecret {
    pub secret: ServerSecret,
    pub created_at: Timestamp,
}

#[derive(Default)]
pub(super) struct Keyring {
    ring: ArcSwapOption<Ring>,
    reading: Mutex<()>,
}

pub(super) struct Ring {
    pub secret: ServerSecret,
    pub keys: Vec<(SigningKeyId, SigningKey)>,
    pub key_set: String,
    read_at: Duration,
}

impl Ring {
    /// The key that signs now.
    pub fn signing(&self, now: Timestamp) -> Result<(SigningKeyId, &SigningKey), Error> {
        let times: Vec<_> = self.keys.iter().map(|(id, key)| (*id, key.signs_from)).collect();
        let id = signing_key::signing(&times, now).ok_or(Error::NoSigningKey)?;
        let found = self.keys.iter().find(|(known, _)| *known == id);
        found.map(|(id, key)| (*id, key)).ok_or(Error::NoSigningKey)
    }
}

impl Identity {
    /// The keys, at most `keys_ttl` old; older ones when the store does not answer.
    pub(super) async fn ring(&self, context: &Context) -> Result<Arc<Ring>, Error> {
        if let Some(ring) = self.fresh_ring() {
            return Ok(ring);
        }
        let _one_reads = self.keyring.reading.lock().await;
        if let Some(ring) = self.fresh_ring() {
            return Ok(ring);
        }
        match self.read_ring(context).await {
            Ok(ring) => Ok(ring),
            Err(error) => self.keyring.ring.load_full().ok_or(error),
        }
    }

    /// Forgets what is remembered, so that the next use reads the store.
    pub(super) async fn reread_ring(&self, context: &Context) -> Result<Arc<Ring>, Error> {
        let _one_reads = self.keyring.reading.lock().await;
        self.read_ring(context).await
    }

    fn fresh_ring(&self) -> Option<Arc<Ring>> {
        let ring = self.keyring.ring.load_full()?;
        let age = self.executor.env().clock.monotonic().saturating_sub(ring.read_at);
        (age < self.settings.keys_ttl).then_some(ring)
    }

    async fn read_ring(&self, context: &Context) -> Result<Arc<Ring>, Error> {
        let read_at = self.executor.env().clock.monotonic();
        if self.store().get::<FirstSecret>(SINGLETON).await?.is_none() {
            self.make_first_keys(context).await?;
        }
        let secret = self.store().get::<FirstSecret>(SINGLETON).await?;
        let secret = secret.ok_or(Error::NoSigningKey)?.state.secret;
        let keys: Vec<_> = self
            .store()
            .list::<SigningKey>(Query::new(MAX_KEYS))
            .await?
            .into_iter()
            .map(|key| (SigningKeyId::from_uuid(key.id), key.state))
            .collect();
        let key_set = self.tokens.key_set(&keys);
        let ring = Arc::new(Ring { secret, keys, key_set, read_at });
        self.keyring.ring.store(Some(ring.clone()));
        Ok(ring)
    }

    async fn make_first_keys(&self, context: &Context) -> Result<(), Error> {
        let env = self.executor.env();
        let pair = self.tokens.key_pair(env.random())?;
        let command = MakeFirstKeys {
            secret: ServerSecret::from_random(env.random()),
            key_id: env.id(),
            pkcs8: pair.pkcs8,
            public: pair.public,
        };
        self.executor.execute(context, command).await
    }
}

/// Of several processes that start at once, one makes the keys.
struct MakeFirstKeys {
    secret: ServerSecret,
    key_id: SigningKeyId,
    pkcs8: String,
    public: String,
}

impl Command for MakeFirstKeys {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<FirstSecret>(SINGLETON);
        keys.add::<SigningKey>(self.key_id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        if states.get::<FirstSecret>(SINGLETON).is_some() {
            return Ok(());
        }
        states.put(SINGLETON, FirstSecret { secret: self.secret.clone(), created_at: now });
        let key = SigningKey {
            pkcs8: self.pkcs8.clone(),
            public: self.public.clone(),
            created_at: now,
            signs_from: now,
        };
        states.put(self.key_id.uuid(), key);
        Ok(())
    }
}
