//! Endpoints as they are configured.

use ::http::Uri;
use ::http::uri::{Authority, Scheme};

/// Where a peer listens, as configured: not resolved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints(pub(super) Vec<Origin>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) port: u16,
}

impl Endpoints {
    pub(super) fn parse(name: &str, texts: &[String]) -> Result<Self, String> {
        if texts.is_empty() {
            return Err(format!(
                "peers.{name} is empty; it may hold addresses such as [\"http://10.0.0.7:8080\"]"
            ));
        }
        let origins = texts.iter().map(|text| {
            Origin::parse(text).ok_or_else(|| {
                format!(
                    "peers.{name} holds {text:?}; it may hold http or https addresses without a \
                     path, such as \"http://10.0.0.7:8080\""
                )
            })
        });
        origins.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn any_tls(&self) -> bool {
        self.0.iter().any(Origin::is_tls)
    }
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let is_plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let scheme = uri.scheme()?.clone();
        let authority = uri.authority()?.clone();
        let standard = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => standard,
            port => port.strip_prefix(':')?.parse().ok()?,
        };
        let is_sound =
            is_plain && !authority.as_str().contains('@') && !authority.host().is_empty();
        is_sound.then_some(Self { scheme, authority, port })
    }

    pub(super) fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// As the resolver wants it: an IPv6 address without its brackets.
    pub(super) fn host(&self) -> &str {
        let host = self.authority.host();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoints, String> {
        Endpoints::parse("ledger", &[text.to_owned()])
    }

    #[test]
    fn endpoints_are_origins() {
        for (text, host, port) in [
            ("http://10.0.0.7:8080", "10.0.0.7", 8080),
            ("https://ledger.internal/", "ledger.internal", 443),
            ("http://[::1]:9", "::1", 9),
            ("http://ledger", "ledger", 80),
        ] {
            let Endpoints(origins) = parse(text).unwrap();
            assert_eq!((origins[0].host(), origins[0].port), (host, port));
        }
    }

    #[test]
    fn a_refusal_names_the_key_and_the_value() {
        for text in [
            "",
            "ledger",
            "ledger:8080",
            "ftp://ledger",
            "http://u:p@ledger",
            "http://ledger/v1",
            "http://ledger?x",
            "http://ledger:99999",
            "http://",
        ] {
            let refusal = parse(text).unwrap_err();
            assert!(refusal.starts_with(&format!("peers.ledger holds {text:?}")), "{refusal}");
        }
        assert!(Endpoints::parse("ledger", &[]).unwrap_err().contains("peers.ledger is empty"));
    }
}
