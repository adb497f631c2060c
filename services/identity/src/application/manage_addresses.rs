//! The caller's address book. It is part of the account, so nobody else's can be reached.

use kernel::{Address, Timestamp};
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::{IdempotencyKey, Idempotent};

use super::{Error, Identity, answers, signed_in};
use crate::domain::{Account, AccountId, AddressId, Rejection, SavedAddress};

impl Identity {
    /// All of them, in the order they were added.
    pub async fn list_addresses(&self, context: &Context) -> Result<Vec<SavedAddress>, Error> {
        let account = self.own_account(context).await?;
        Ok(account.active()?.addresses.clone())
    }

    pub async fn get_address(
        &self,
        context: &Context,
        id: AddressId,
    ) -> Result<SavedAddress, Error> {
        let mut book = self.list_addresses(context).await?.into_iter();
        book.find(|entry| entry.id == id).ok_or(Rejection::AddressNotFound.into())
    }

    pub async fn add_address(
        &self,
        context: &Context,
        once: Option<Idempotent<SavedAddress>>,
        address: Address,
    ) -> Result<SavedAddress, Error> {
        let entry = SavedAddress { id: self.executor.env().id(), address };
        let answer = answers::key_of(once.as_ref());
        let command = PutAddress { account: signed_in(context)?, entry, new: true, answer };
        self.executor.execute_once(context, once, command).await
    }

    pub async fn replace_address(
        &self,
        context: &Context,
        once: Option<Idempotent<SavedAddress>>,
        entry: SavedAddress,
    ) -> Result<SavedAddress, Error> {
        let answer = answers::key_of(once.as_ref());
        let command = PutAddress { account: signed_in(context)?, entry, new: false, answer };
        self.executor.execute_once(context, once, command).await
    }

    pub async fn remove_address(
        &self,
        context: &Context,
        once: Option<Idempotent<()>>,
        id: AddressId,
    ) -> Result<(), Error> {
        let command = RemoveAddress { account: signed_in(context)?, id };
        self.executor.execute_once(context, once, command).await
    }
}

struct PutAddress {
    account: AccountId,
    entry: SavedAddress,
    new: bool,
    answer: Option<IdempotencyKey>,
}

impl Command for PutAddress {
    type Reply = SavedAddress;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Account>(self.account.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<SavedAddress, Error> {
        let account = states.get::<Account>(self.account.uuid());
        let mut account = account.cloned().ok_or(Rejection::NotSignedIn)?;
        let SavedAddress { id, address } = self.entry.clone();
        if self.new {
            account.add_address(id, address)?;
        } else {
            account.replace_address(id, address)?;
        }
        answers::note(states, &mut account, self.answer.as_ref(), now);
        states.put(self.account.uuid(), account);
        Ok(self.entry.clone())
    }
}

struct RemoveAddress {
    account: AccountId,
    id: AddressId,
}

impl Command for RemoveAddress {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Account>(self.account.uuid());
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), Error> {
        let account = states.get::<Account>(self.account.uuid());
        let mut account = account.cloned().ok_or(Rejection::NotSignedIn)?;
        account.remove_address(self.id)?;
        states.put(self.account.uuid(), account);
        Ok(())
    }
}
