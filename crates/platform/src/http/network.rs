//! Addresses of clients, and which of them are one client.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ::http::HeaderMap;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A range of addresses, written `10.0.0.0/8`, `2001:db8::/32` or as a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

impl Network {
    /// What counts as one client: an IPv4 address, or the 64 bits that a subscriber of IPv6 has at
    /// least, who could take a new address for each request.
    pub fn of_client(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpNet::V4(Ipv4Net::from(address)),
            IpAddr::V6(address) => IpNet::V6(Ipv6Net::new_assert(address, 64)).trunc(),
        })
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NotANetwork;
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.to_canonical().into()));
        }
        text.parse::<IpNet>().map(|net| Self(net.trunc())).map_err(|_| NotANetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not an address such as 10.0.0.1, nor a network such as 10.0.0.0/8")]
pub struct NotANetwork;

/// Whose request it is: the peer of the connection, unless that is a proxy of ours. Then the
/// nearest address of `X-Forwarded-For` that is not one, because whatever stands further to the
/// left was written by people we do not know.
pub fn client_of(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &[Network]) -> IpAddr {
    let is_ours = |address: IpAddr| trusted_proxies.iter().any(|net| net.contains(address));
    let mut client = peer.to_canonical();
    if !is_ours(client) {
        return client;
    }
    let values = headers.get_all("x-forwarded-for").iter().rev();
    let hops = values.flat_map(|value| value.to_str().unwrap_or("").rsplit(','));
    for hop in hops {
        let Some(address) = hop_address(hop.trim()) else { break };
        client = address;
        if !is_ours(client) {
            break;
        }
    }
    client
}

/// Some proxies add the port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let plain = hop.parse().ok();
    let with_port = || hop.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip());
    plain.or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn forwarded(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", ::http::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_client_is_an_address_or_the_sixty_four_bits_of_a_subscriber() {
        let of = |text: &str| Network::of_client(address(text));
        assert_eq!(of("203.0.113.9"), of("::ffff:203.0.113.9"));
        assert_ne!(of("203.0.113.9"), of("203.0.113.10"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }

    #[test]
    fn networks_are_read_and_written() {
        for (text, written) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("127.0.0.1", "127.0.0.1/32"),
            ("::1", "::1/128"),
            ("2001:db8::/32", "2001:db8::/32"),
        ] {
            let network: Network = text.parse().unwrap();
            assert_eq!(network.to_string(), written);
            assert_eq!(written.parse(), Ok(network));
        }
        for bad in ["", "localhost", "10.0.0.0/33", "10.0.0"] {
            assert_eq!(bad.parse::<Network>(), Err(NotANetwork), "{bad}");
        }
        let loopback: Network = "127.0.0.0/8".parse().unwrap();
        assert!(loopback.contains(address("::ffff:127.9.9.9")));
        assert!(!loopback.contains(address("128.0.0.1")));
    }

    #[test]
    fn forwarded_addresses_count_only_when_a_proxy_of_ours_brings_them() {
        let ours = ["10.0.0.0/8".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        let client =
            |peer: &str, headers: &HeaderMap| client_of(address(peer), headers, &ours).to_string();
        let lying = forwarded(&["1.1.1.1, 203.0.113.9"]);
        assert_eq!(client("198.51.100.7", &lying), "198.51.100.7");
        assert_eq!(client("127.0.0.1", &lying), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &forwarded(&["203.0.113.9, 10.1.1.1"])), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &forwarded(&["203.0.113.9", "10.1.1.1"])), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &forwarded(&["203.0.113.9:4711"])), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &forwarded(&["[2001:db8::1]:4711"])), "2001:db8::1");
        // Nothing, or nothing that can be read: the proxy itself.
        assert_eq!(client("127.0.0.1", &forwarded(&[])), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &forwarded(&["203.0.113.9, unknown"])), "127.0.0.1");
        assert_eq!(client_of(address("127.0.0.1"), &lying, &[]).to_string(), "127.0.0.1");
    }
}
