//! The wires of a fleet: from each process to its database, to the broker, and to every process of
//! another service.

use std::net::SocketAddr;
use std::sync::Arc;

use platform::Env;

use super::Place;
use crate::proxy::kafka::readdressed;
use crate::proxy::postgres::{Losses, losing};
use crate::proxy::{Line, Weather};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BrokerKind {
    Kafka,
    RabbitMq,
}

impl BrokerKind {
    /// As `broker.kind` and `cargo xtask services` take it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::RabbitMq => "rabbitmq",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Kafka => "MERCAT_TEST_KAFKA",
            Self::RabbitMq => "MERCAT_TEST_RABBITMQ",
        }
    }

    /// Where it is.
    pub fn address(self) -> Result<String, String> {
        server(self.variable())
    }
}

/// What a wire leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    Database,
    Broker,
    /// A place, by its name.
    Peer {
        service: &'static str,
        place: String,
    },
}

pub struct Wire {
    /// The place it begins at.
    pub from: String,
    pub service: &'static str,
    pub to: To,
    pub line: Line,
    /// Of a wire to a database.
    pub losses: Arc<Losses>,
}

impl Wire {
    /// Such as `ordering-1 > inventory-2`.
    pub fn name(&self) -> String {
        match &self.to {
            To::Database => format!("{} > database", self.from),
            To::Broker => format!("{} > broker", self.from),
            To::Peer { place, .. } => format!("{} > {place}", self.from),
        }
    }

    pub fn set(&self, weather: Weather) {
        self.line.set(weather);
    }
}

/// Where a server of the tests is.
pub fn server(variable: &str) -> Result<String, String> {
    testkit::servers::told(variable)
        .ok_or_else(|| format!("no {variable}: run `cargo xtask services up`"))
}

pub(super) async fn lay(
    env: &Env,
    places: &[Place],
    broker: BrokerKind,
    postgres: &str,
) -> Result<Vec<Wire>, String> {
    let mut wires = Vec::new();
    let failed = |error: std::io::Error| format!("a wire cannot be laid: {error}");
    let database = target(postgres)?;
    let at_broker = target(&broker.address()?)?;
    for place in places {
        let (from, service) = (place.name.clone(), place.service);
        let losses = Arc::new(Losses::default());
        if service != "gateway" {
            let filters = losing(losses.clone());
            let line = Line::with_filter(env, database, |_| filters).await.map_err(failed)?;
            let to = To::Database;
            wires.push(Wire { from: from.clone(), service, to, line, losses: losses.clone() });
            let line = match broker {
                BrokerKind::Kafka => {
                    Line::with_filter(env, at_broker, |wire| readdressed(at_broker, wire)).await
                }
                BrokerKind::RabbitMq => Line::to(env, at_broker).await,
            };
            let (line, to) = (line.map_err(failed)?, To::Broker);
            wires.push(Wire { from: from.clone(), service, to, line, losses: losses.clone() });
        }
        let others = places.iter().filter(|o| o.service != service && o.service != "gateway");
        for other in others {
            let line = Line::to(env, other.address).await.map_err(failed)?;
            let to = To::Peer { service: other.service, place: other.name.clone() };
            wires.push(Wire { from: from.clone(), service, to, line, losses: losses.clone() });
        }
    }
    Ok(wires)
}

/// What a process is told of its wires.
pub(super) fn tell(
    place: &mut Place,
    wires: &[Wire],
    broker: BrokerKind,
    database: Option<&String>,
) -> Result<(), String> {
    let own = || wires.iter().filter(|wire| wire.from == place.name);
    let mut variables = Vec::new();
    let mut peers: Vec<(&str, Vec<String>)> = Vec::new();
    for wire in own() {
        let at = wire.line.address();
        match &wire.to {
            To::Database => {
                let url = database.ok_or("a service with a wire to a database has one")?;
                variables.push(("MERCAT_DATABASE__URL".to_owned(), moved(url, at)?));
            }
            To::Broker => {
                let (key, value) = match broker {
                    BrokerKind::Kafka => ("MERCAT_BROKER__SERVERS", at.to_string()),
                    BrokerKind::RabbitMq => ("MERCAT_BROKER__URL", moved(&broker.address()?, at)?),
                };
                variables.push((key.to_owned(), value));
            }
            To::Peer { service, .. } => {
                let url = format!("http://{at}");
                match peers.iter_mut().find(|(known, _)| known == service) {
                    Some((_, urls)) => urls.push(url),
                    None => peers.push((service, vec![url])),
                }
            }
        }
    }
    for (service, urls) in peers {
        variables.push((format!("MERCAT_PEERS__{}", service.to_uppercase()), urls.join(",")));
    }
    place.variables.extend(variables);
    Ok(())
}

/// The host and port of an address, with or without a scheme and who asks.
fn target(address: &str) -> Result<SocketAddr, String> {
    let wrong = || format!("{} is not at an IPv4 address", host_of(address));
    host_of(address).parse().map_err(|_| wrong())
}

fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    host.rsplit('@').next().unwrap_or_default()
}

/// The same address at another host and port.
fn moved(address: &str, to: SocketAddr) -> Result<String, String> {
    target(address)?;
    Ok(address.replacen(host_of(address), &to.to_string(), 1))
}

/// The same server, another database.
pub(super) fn with_database(url: &str, name: &str) -> Result<String, String> {
    let (server, _) = url.rsplit_once('/').ok_or("the address names a database")?;
    Ok(format!("{server}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_moves_and_keeps_the_rest() {
        let wire: SocketAddr = "127.0.0.1:7".parse().unwrap();
        let url = "postgres://role:secret@127.0.0.1:5432/shop?sslmode=prefer";
        let moved_url = moved(url, wire).unwrap();
        assert_eq!(moved_url, "postgres://role:secret@127.0.0.1:7/shop?sslmode=prefer");
        assert_eq!(target("127.0.0.1:9092").unwrap().port(), 9092);
        let amqp = "amqp://mercat:x@127.0.0.1:5672/%2f";
        assert_eq!(moved(amqp, wire).unwrap(), "amqp://mercat:x@127.0.0.1:7/%2f");
        assert!(moved("postgres://role@db.example/shop", wire).is_err());
    }
}
