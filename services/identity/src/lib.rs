//! Identity: who people are, how they prove it, and what they may do. Personal data lives here,
//! and here only it is erased.
//!
//! In reading order: [`domain`] (`account.rs` is what is known of a person, `session.rs` how a
//! stolen refresh token is noticed, `signing_key.rs` when keys change, `permission.rs` who may
//! grant what), [`application`] (one use case a file), [`adapters`] (argon2, tokens, tables, the
//! contract, REST). `config.rs` is what an operator may choose.

pub mod adapters;
pub mod application;
mod config;
pub mod domain;
pub mod ports;
#[cfg(feature = "process")]
mod process;

use std::sync::Arc;
use std::time::Duration;

use contracts::identity::{IdentityApi, IdentityServer};
use kernel::Email;
use platform::context::Context;
use platform::service::{Base, BuildError, Service, Task};

pub use adapters::store::schema;
use adapters::{grpc::IdentityGrpc, http, password, tokens::JwtTokens};
use application::Identity;
pub use application::bootstrap::OneTimePassword;
pub use config::Config;
use ports::Passwords;
#[cfg(feature = "process")]
pub use process::Process;

pub const NAME: &str = "identity";

/// How often signing keys are looked after. Far more often than a key is published ahead.
const KEY_TURN: Duration = Duration::from_secs(30);
/// How often ended sessions are removed.
const SESSION_TURN: Duration = Duration::from_mins(1);

/// What this service is given. It calls no other service.
pub struct Needs {
    pub base: Base,
    pub config: Config,
}

pub struct Built {
    pub service: Service,
    pub api: Arc<dyn IdentityApi>,
    pub setup: Setup,
}

/// What is done once before the first request is let in.
pub struct Setup {
    identity: Identity,
    first_staff_email: Email,
}

impl Setup {
    /// Makes the signing key, the role `owner` and the first staff account, each if it is missing.
    /// Idempotent. `Some` only when there was no member of staff: the caller tells the one-time
    /// password to whoever started the shop, and to nobody else.
    pub async fn bootstrap(
        &self,
        context: &Context,
    ) -> Result<Option<OneTimePassword>, application::Error> {
        self.identity.bootstrap(context, self.first_staff_email.clone()).await
    }

    /// A new one-time password for a member of staff, whose sessions end. For whoever runs the shop.
    pub async fn reset_password(
        &self,
        context: &Context,
        email: Email,
    ) -> Result<OneTimePassword, application::Error> {
        self.identity.renew_staff(context, email).await
    }
}

pub fn build(needs: Needs) -> Result<Built, BuildError> {
    let cost = needs.config.check().map_err(BuildError)?.cost;
    let passwords = password::Argon2Passwords::new(needs.base.env.clone(), cost)
        .map_err(|error| BuildError(error.to_string()))?;
    build_with(needs, password::shared(passwords))
}

/// Builds the service with another way to hash passwords, as simulations do: theirs takes no time.
pub fn build_with(needs: Needs, passwords: Arc<dyn Passwords>) -> Result<Built, BuildError> {
    let Needs { base, config } = needs;
    let checked = config.check().map_err(BuildError)?;
    let tokens = JwtTokens {
        issuer: config.issuer.clone(),
        audience: config.audience.clone(),
        life: checked.settings.keys.token_life,
    };
    let identity =
        Identity::new(base.executor.clone(), passwords, tokens.shared(), checked.settings);
    let module = http::ROUTES.over(identity.clone(), base.module_deps())?;
    let api: Arc<dyn IdentityApi> = Arc::new(IdentityGrpc::new(identity.clone()));
    let server = IdentityServer::new(api.clone(), base.env.clone()).into_service();
    let service = Service {
        name: NAME,
        http: module,
        grpc: Some(tonic::service::Routes::new(server)),
        consumers: Vec::new(),
        tasks: vec![key_rotation(identity.clone()), session_cleaning(identity.clone())],
        executor: base.executor,
    };
    let setup = Setup { identity, first_staff_email: checked.first_staff_email };
    Ok(Built { service, api, setup })
}

fn key_rotation(identity: Identity) -> Task {
    Task::new("identity.keys", KEY_TURN, move |context| {
        let identity = identity.clone();
        async move { identity.rotate_keys(&context).await.map_err(|error| error.to_string()) }
    })
}

fn session_cleaning(identity: Identity) -> Task {
    Task::new("identity.sessions", SESSION_TURN, move |context| {
        let identity = identity.clone();
        async move { identity.forget_sessions(&context).await.map_err(|error| error.to_string()) }
    })
}
