//! Connections to the server: one that publishers and questions share, and one for each reader.

use std::sync::Arc;
use std::time::Duration;

use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::sync::Mutex;

use super::settings::RabbitMqConfig;
use crate::bus::broker::BrokerError;
use crate::env::Env;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Link {
    pub env: Env,
    pub config: RabbitMqConfig,
    uri: AMQPUri,
    shared: Mutex<Shared>,
}

/// The connection that publishers share.
#[derive(Default)]
struct Shared {
    connection: Option<Connection>,
    outage: Option<Outage>,
}

/// While it lasts, whoever asks is told so at once, and now and then one of them tries.
struct Outage {
    error: BrokerError,
    pause: Duration,
    /// On the monotonic clock.
    next_try: Duration,
}

impl Link {
    pub(super) fn new(env: &Env, config: RabbitMqConfig, uri: AMQPUri) -> Self {
        Self { env: env.clone(), config, uri, shared: Mutex::default() }
    }

    /// A connection of its own.
    pub(super) async fn connect(&self, name: &str) -> Result<Connection, BrokerError> {
        let properties = ConnectionProperties::default()
            .with_connection_name(format!("mercat {} {name}", self.config.prefix).into());
        let identity = self.config.identity.as_ref().map(|(cert, key)| OwnedIdentity::PKCS8 {
            pem: cert.as_bytes().to_vec(),
            key: key.expose().as_bytes().to_vec(),
        });
        let tls = OwnedTLSConfig { identity, cert_chain: self.config.ca_pem.clone() };
        let runtime = lapin::runtime::default_runtime();
        let runtime = runtime.map_err(|error| self.failed("no runtime", &error))?;
        let connecting =
            Connection::connect_uri_with_config(self.uri.clone(), properties, tls, runtime);
        match self.env.timeout(CONNECT_LIMIT, connecting).await {
            Some(Ok(connection)) => Ok(connection),
            Some(Err(error)) => Err(self.failed("no connection", &error)),
            None => Err(self.failed("no connection", &"no answer in time")),
        }
    }

    /// A fresh channel on the shared connection, which is made when there is none.
    pub(super) async fn channel(&self) -> Result<Channel, BrokerError> {
        let mut shared = self.shared.lock().await;
        if let Some(connection) = &shared.connection
            && connection.status().connected()
        {
            return self.channel_of(connection).await;
        }
        shared.connection = None;
        let now = self.env.clock.monotonic();
        if let Some(outage) = &shared.outage
            && now < outage.next_try
        {
            return Err(outage.error.clone());
        }
        match self.connect("publisher").await {
            Ok(connection) => {
                if shared.outage.take().is_some() {
                    tracing::info!(server = self.server(), "rabbitmq is reached again");
                }
                let channel = self.channel_of(&connection).await;
                shared.connection = Some(connection);
                channel
            }
            Err(error) => {
                let pause = if let Some(outage) = &shared.outage {
                    (outage.pause * 2).min(LONGEST_PAUSE)
                } else {
                    tracing::warn!(%error, "rabbitmq is not reached; it is tried again");
                    FIRST_PAUSE
                };
                let next_try = self.env.clock.monotonic() + pause;
                shared.outage = Some(Outage { error: error.clone(), pause, next_try });
                Err(error)
            }
        }
    }

    async fn channel_of(&self, connection: &Connection) -> Result<Channel, BrokerError> {
        match self.env.timeout(CONNECT_LIMIT, connection.create_channel()).await {
            Some(channel) => channel.map_err(|error| self.failed("no channel", &error)),
            None => Err(self.failed("no channel", &"no answer in time")),
        }
    }

    /// Where the server is, without the password.
    pub(super) fn server(&self) -> String {
        let (authority, vhost) = (&self.uri.authority, &self.uri.vhost);
        let user = &authority.userinfo.username;
        format!("{user}@{}:{} {vhost}", authority.host, authority.port)
    }

    pub(super) fn failed(&self, what: &str, error: &dyn std::fmt::Display) -> BrokerError {
        BrokerError(format!("rabbitmq at {}: {what}: {error}", self.server()))
    }
}

/// Shared by everything that reads or writes.
pub(super) type SharedLink = Arc<Link>;
