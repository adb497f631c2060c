//! The two ends of a connection.

use std::io;
use std::sync::Arc;

use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::reload::Reloaded;
use super::{Stream, TlsConfig, files};
use crate::env::Env;

/// Answers TLS with the certificate of the files. Cheap to clone.
#[derive(Clone)]
pub struct ServerTls {
    config: Arc<Reloaded<ServerConfig>>,
    is_mutual: bool,
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTls").field("is_mutual", &self.is_mutual).finish_non_exhaustive()
    }
}

impl ServerTls {
    /// Reads the files; an error names the key, the file and the reason. `None` when nothing is
    /// configured.
    pub fn new(env: &Env, config: &TlsConfig) -> Result<Option<Self>, String> {
        if config.is_empty() {
            return Ok(None);
        }
        let is_mutual = config.ca.is_some();
        let config = Reloaded::start(env, config, files::server)?;
        Ok(Some(Self { config, is_mutual }))
    }

    /// Clients without a certificate of our authority are refused.
    pub fn is_mutual(&self) -> bool {
        self.is_mutual
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<Stream> {
        let config = self.config.current();
        let accepted = TlsAcceptor::from(config).accept(stream).await?;
        Ok(Stream::Tls(Box::new(accepted.into())))
    }
}

/// Calls over TLS. Cheap to clone.
#[derive(Clone)]
pub struct ClientTls {
    config: Arc<Reloaded<ClientConfig>>,
    server_name: Option<ServerName<'static>>,
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientTls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

impl ClientTls {
    /// Reads the files; an error names the key, the file and the reason.
    pub fn new(env: &Env, config: &TlsConfig) -> Result<Self, String> {
        let server_name = config.server_name.as_deref().map(name_of).transpose()?;
        let config = Reloaded::start(env, config, files::client)?;
        Ok(Self { config, server_name })
    }

    /// `host` is whose certificate is expected unless the configuration names another.
    pub(crate) async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<Stream> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => name_of(host).map_err(io::Error::other)?,
        };
        let config = self.config.current();
        let connected = TlsConnector::from(config).connect(name, stream).await?;
        Ok(Stream::Tls(Box::new(connected.into())))
    }
}

fn name_of(host: &str) -> Result<ServerName<'static>, String> {
    let plain = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(plain.to_owned()).map_err(|_| {
        format!("tls.server_name holds {host:?}; it may hold a host name or an address")
    })
}
