//! `[gateway]` in `mercat.toml`.

use platform::http::Network;
use platform::tls::TlsConfig;
use serde::{Deserialize, Serialize};

use crate::BuildError;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Origins of shop fronts that browsers may call from, such as `https://shop.example`; `*` lets
    /// any call. No cookies are used, so `*` gives a foreign page nothing that `curl` lacks.
    pub cors_origins: Vec<String>,
    /// How long a browser may keep a preflight answer, in seconds.
    pub cors_max_age_seconds: u64,
    /// Proxies before this shop, as addresses or networks. Only what they say in `X-Forwarded-For`
    /// is believed; without them every client behind a proxy counts as the proxy.
    pub trusted_proxies: Vec<Network>,
    /// Open connections, 1 to 1,000,000.
    pub max_connections: usize,
    /// Open connections of one client, 1 to 1,000,000; trusted proxies may have any number.
    pub max_connections_per_client: usize,
    pub rate_limit: RateLimit,
    /// `[gateway.tls]`: the certificate of the public address (`cert` and `key`). Nothing: plain
    /// HTTP, for a proxy before this one. With `ca`, clients without a certificate are refused.
    pub tls: TlsConfig,
}

/// `[gateway.rate_limit]`: how many requests one client may send. A client is an IPv4 address, or
/// the 64 bits of an IPv6 subscriber.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimit {
    /// Requests a minute over a longer time, up to 10,000,000; 0 is no limit.
    pub per_minute: u32,
    /// Requests at once, 1 to 10,000,000.
    pub burst: u32,
    /// Requests a minute to `/v1/auth/…`, which cost a password hash each; 0 is no limit.
    pub auth_per_minute: u32,
    pub auth_burst: u32,
    /// Who has no general limit: load generators, programs of the shop. The limit of `/v1/auth/…`
    /// holds for them all the same.
    pub exempt: Vec<Network>,
    /// How many clients are remembered, 100 to 10,000,000. Those not seen for longest are forgotten.
    pub clients: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cors_origins: vec!["*".to_owned()],
            cors_max_age_seconds: 600,
            trusted_proxies: Vec::new(),
            max_connections: 10_000,
            max_connections_per_client: 2_000,
            rate_limit: RateLimit::default(),
            tls: TlsConfig::default(),
        }
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        let network = |text: &str| text.parse().expect("our own networks are networks");
        Self {
            per_minute: 6_000,
            burst: 1_000,
            auth_per_minute: 120,
            auth_burst: 60,
            exempt: vec![network("127.0.0.0/8"), network("::1/128")],
            clients: 100_000,
        }
    }
}

impl Config {
    /// Says which key is wrong, what it holds and what it may hold.
    pub fn check(&self) -> Result<(), BuildError> {
        crate::cors::origins(self)?;
        if !self.tls.is_empty() && (self.tls.cert.is_none() || self.tls.key.is_none()) {
            let text = "gateway.tls needs both cert and key, each the name of a PEM file";
            return Err(BuildError::Config(text.to_owned()));
        }
        let limit = &self.rate_limit;
        let most = 10_000_000;
        for (key, value, least, most) in [
            ("max_connections", self.max_connections as u64, 1, 1_000_000),
            ("max_connections_per_client", self.max_connections_per_client as u64, 1, 1_000_000),
            ("rate_limit.per_minute", limit.per_minute.into(), 0, most),
            ("rate_limit.burst", limit.burst.into(), 1, most),
            ("rate_limit.auth_per_minute", limit.auth_per_minute.into(), 0, most),
            ("rate_limit.auth_burst", limit.auth_burst.into(), 1, most),
            ("rate_limit.clients", limit.clients as u64, 100, most),
        ] {
            if !(least..=most).contains(&value) {
                let text = format!("gateway.{key} is {value}; it may be {least} to {most}");
                return Err(BuildError::Config(text));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold_the_rules_and_a_refusal_names_the_key() {
        assert!(Config::default().check().is_ok());
        let rate_limit = RateLimit { auth_burst: 0, ..RateLimit::default() };
        let refusal = Config { rate_limit, ..Config::default() }.check().unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "gateway.rate_limit.auth_burst is 0; it may be 1 to 10000000"
        );
        let tls = TlsConfig { cert: Some("cert.pem".into()), ..TlsConfig::default() };
        let refusal = Config { tls, ..Config::default() }.check().unwrap_err();
        assert!(refusal.to_string().starts_with("gateway.tls needs both"), "{refusal}");
        let cors_origins = vec!["shop.example".to_owned()];
        let refusal = Config { cors_origins, ..Config::default() }.check().unwrap_err();
        assert!(refusal.to_string().contains("gateway.cors_origins"), "{refusal}");
    }
}
