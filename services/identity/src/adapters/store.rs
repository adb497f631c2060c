//! The tables of identity's aggregates and the columns that are looked up.

use kernel::Timestamp;
use platform::store::{Aggregate, Column, Migration, Schema, Value};

use crate::application::FirstSecret;
use crate::domain::{Account, ApiKey, Role, Session, SigningKey};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "init",
    sqlite: include_str!("../../migrations/sqlite/0001_init.sql"),
    postgres: Some(include_str!("../../migrations/postgres/0001_init.sql")),
}];

/// All that identity stores.
pub fn schema() -> Schema {
    Schema::new(crate::NAME, MIGRATIONS)
        .aggregate::<Account>()
        .aggregate::<Session>()
        .aggregate::<Role>()
        .aggregate::<ApiKey>()
        .aggregate::<SigningKey>()
        .aggregate::<FirstSecret>()
}

impl Aggregate for Account {
    const TABLE: &'static str = "account";
    const COLUMNS: &'static [Column] = &[Column::plain("kind"), Column::unique("email")];
    fn columns(&self) -> Vec<Value> {
        let email = self.profile().map(|profile| profile.email.as_str());
        vec![self.kind.as_str().into(), email.into()]
    }
}

impl Aggregate for Session {
    const TABLE: &'static str = "session";
    const COLUMNS: &'static [Column] =
        &[Column::plain("account_id"), Column::plain("ends_at"), Column::plain("revoked_at")];
    fn columns(&self) -> Vec<Value> {
        let revoked_at: Option<Timestamp> = self.revoked_at();
        vec![self.account.uuid().into(), self.ends_at.into(), revoked_at.into()]
    }
}

impl Aggregate for Role {
    const TABLE: &'static str = "role";
    const COLUMNS: &'static [Column] = &[Column::unique("name")];
    fn columns(&self) -> Vec<Value> {
        vec![self.name.as_str().into()]
    }
}

impl Aggregate for ApiKey {
    const TABLE: &'static str = "api_key";
    const COLUMNS: &'static [Column] = &[Column::plain("revoked_at")];
    fn columns(&self) -> Vec<Value> {
        vec![self.revoked_at.into()]
    }
}

impl Aggregate for SigningKey {
    const TABLE: &'static str = "signing_key";
    const COLUMNS: &'static [Column] = &[Column::plain("signs_from")];
    fn columns(&self) -> Vec<Value> {
        vec![self.signs_from.into()]
    }
}

impl Aggregate for FirstSecret {
    const TABLE: &'static str = "server_secret";
    const COLUMNS: &'static [Column] = &[Column::plain("created_at")];
    fn columns(&self) -> Vec<Value> {
        vec![self.created_at.into()]
    }
}
