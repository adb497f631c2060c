//! A customer registers and is signed in at once.

use contracts::identity::v1;
use kernel::{Email, Locale, Timestamp};
use platform::context::Context;
use platform::executor::{Command, Keys, States};

use super::sessions::{self, Room, Subject};
use super::{Error, Identity, Settings, SignedIn, asker};
use crate::domain::{
    Account, AccountId, Kind, Password, PermissionSet, PersonName, Place, RefreshToken, Rejection,
    Session, TokenHash, password,
};

pub struct Registration {
    pub email: Email,
    pub password: Password,
    pub name: Option<PersonName>,
    pub locale: Option<Locale>,
}

impl Identity {
    pub async fn register_customer(
        &self,
        context: &Context,
        place: Option<Place>,
        registration: Registration,
    ) -> Result<SignedIn, Error> {
        let Registration { email, password, name, locale } = registration;
        password::check(&password, &email, "password")?;
        // Known to fail: the hash is not worth computing. The unique column decides for good.
        if self.store().by::<Account>("email", email.as_str()).await?.is_some() {
            return Err(Rejection::EmailTaken.into());
        }
        let env = self.executor.env();
        let ring = self.ring(context).await?;
        let refresh = RefreshToken::first(&ring.secret, env.id(), env.random());
        let hash = self.passwords.hash(&asker(context, place.as_ref()), password).await?;
        let account_id: AccountId = env.id();
        let command = RegisterCustomer {
            account_id,
            email: email.clone(),
            name,
            locale,
            hash,
            refresh: refresh.clone(),
            first: refresh.hash(),
            settings: self.settings,
        };
        let ends_at = self.executor.execute(context, command).await?;
        self.throttle.registered(Kind::Customer, &email, place.as_ref());
        let subject = Subject {
            account: account_id,
            kind: Kind::Customer,
            permissions: PermissionSet::default(),
            password_change_required: false,
        };
        self.tokens_for(context, subject, &refresh, ends_at).await
    }
}

struct RegisterCustomer {
    account_id: AccountId,
    email: Email,
    name: Option<PersonName>,
    locale: Option<Locale>,
    hash: String,
    refresh: RefreshToken,
    first: TokenHash,
    settings: Settings,
}

impl Command for RegisterCustomer {
    type Reply = Timestamp;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Account>(self.account_id.uuid());
        keys.add::<Session>(self.refresh.session().uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Timestamp, Error> {
        let account = Account::customer(
            self.email.clone(),
            self.name.clone(),
            self.locale.clone(),
            self.hash.clone(),
            now,
        );
        let event = registered(self.account_id, Kind::Customer);
        let session = (self.refresh.session(), &self.first);
        let ends_at = sessions::open(
            states,
            &self.settings,
            (self.account_id, account),
            session,
            &Room::default(),
            now,
        )?;
        states.emit::<Account, _>(self.account_id.uuid(), &event);
        Ok(ends_at)
    }
}

/// The event of a new account.
pub(super) fn registered(account: AccountId, kind: Kind) -> v1::AccountRegistered {
    v1::AccountRegistered {
        account_id: account.uuid().as_bytes().to_vec(),
        kind: kind.as_str().to_owned(),
    }
}
