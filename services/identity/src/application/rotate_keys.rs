//! Makes the next signing key in time and removes the ones that nobody needs.

use kernel::Timestamp;
use platform::context::Context;
use platform::executor::{Command, Keys, States};

use super::{Error, Identity};
use crate::domain::signing_key::{self, Plan};
use crate::domain::{SigningKey, SigningKeyId};
use crate::ports::KeyPair;

impl Identity {
    /// Does what is due now. Idempotent; several processes may do it at the same time.
    pub async fn rotate_keys(&self, context: &Context) -> Result<(), Error> {
        let ring = self.reread_ring(context).await?;
        let times: Vec<_> = ring.keys.iter().map(|(id, key)| (*id, key.signs_from)).collect();
        let plan = signing_key::plan(&times, &self.settings.keys, self.now());
        if plan == Plan::default() {
            return Ok(());
        }
        let pair = self.tokens.key_pair(self.executor.env().random())?;
        self.executor.execute(context, RotateKeys { plan, pair }).await?;
        self.reread_ring(context).await.map(|_| ())
    }

    /// The public keys that verify access tokens, as a JSON Web Key Set.
    pub async fn key_set(&self, context: &Context) -> Result<String, Error> {
        Ok(self.ring(context).await?.key_set.clone())
    }
}

struct RotateKeys {
    plan: Plan,
    pair: KeyPair,
}

impl RotateKeys {
    fn created(&self) -> impl Iterator<Item = SigningKeyId> {
        self.plan.create.iter().map(|(id, _)| *id)
    }
}

impl Command for RotateKeys {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        for id in self.created().chain(self.plan.remove.iter().copied()) {
            keys.add::<SigningKey>(id.uuid());
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        if let Some((id, signs_from)) = self.plan.create
            && states.get::<SigningKey>(id.uuid()).is_none()
        {
            let key = SigningKey {
                pkcs8: self.pair.pkcs8.clone(),
                public: self.pair.public.clone(),
                created_at: now,
                signs_from,
            };
            states.put(id.uuid(), key);
        }
        for id in &self.plan.remove {
            states.delete::<SigningKey>(id.uuid());
        }
        Ok(())
    }
}
