//! What a service has to be to run alone, and what it is given.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ProcessConfig;
use crate::auth::AuthSource;
use crate::env::Env;
use crate::peer::PeerConfig;
use crate::rpc::Channel;
use crate::service::{Base, BuildError, Service};
use crate::store::Schema;

/// A service that can be run alone.
pub trait Standalone: 'static {
    const NAME: &'static str;
    /// The contracts as an encoded `FileDescriptorSet`, for reflection.
    const CONTRACTS: &'static [u8];
    /// Its own section of the configuration.
    type Config: Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Its tables and projections.
    fn schema(config: &Self::Config) -> Schema;

    /// Builds it over what the process has. It connects the authenticator to identity.
    fn build(parts: Parts<Self::Config>) -> Result<Standing, BuildError>;
}

/// What a service is built of in a process of its own.
pub struct Parts<C> {
    pub base: Base,
    pub config: C,
    pub peers: Peers,
    /// A folder of this process, which may be missing yet.
    pub data: PathBuf,
}

impl<C> Parts<C> {
    /// Tokens are judged by what identity says, asked in the way that `source` makes of a channel.
    pub fn ask_identity(
        &self,
        service: &'static str,
        source: impl FnOnce(Channel, Env, &'static str) -> Arc<dyn AuthSource>,
    ) -> Result<(), BuildError> {
        let channel = self.peers.channel("identity")?;
        self.base.authenticator.connect(source(channel, self.base.env.clone(), service));
        Ok(())
    }

    /// A client of the service of this name. Nothing needs to answer there yet.
    pub fn client<T>(
        &self,
        service: &'static str,
        make: impl FnOnce(Channel, Env) -> T,
    ) -> Result<Arc<T>, BuildError> {
        Ok(Arc::new(make(self.peers.channel(service)?, self.base.env.clone())))
    }
}

type Setup = BoxFuture<'static, Result<(), String>>;

/// A service that was built, and what is done once before the first request is let in.
pub struct Standing {
    pub service: Service,
    pub setup: Option<Setup>,
}

impl Standing {
    pub fn new(service: Service) -> Self {
        Self { service, setup: None }
    }
}

/// Ways to the other services.
#[derive(Clone)]
pub struct Peers {
    env: Env,
    config: Arc<ProcessConfig>,
}

impl Peers {
    pub fn new(env: Env, config: Arc<ProcessConfig>) -> Self {
        Self { env, config }
    }

    /// To the service of this name. Nothing needs to answer there yet.
    pub fn channel(&self, name: &'static str) -> Result<Channel, BuildError> {
        let config = self.peer_config(name)?;
        crate::rpc::remote(&self.env, config).map_err(BuildError::new)
    }

    pub fn peer_config(&self, name: &'static str) -> Result<PeerConfig, BuildError> {
        let endpoints = self.config.peer(name).map_err(BuildError::new)?;
        Ok(PeerConfig { tls: self.config.tls.clone(), ..PeerConfig::new(name, endpoints) })
    }
}
