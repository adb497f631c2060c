//! `[broker]`: which one, where it is, and how what we make there is made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::Secret;

/// `[broker]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerConfig {
    pub kind: BrokerKind,
    /// Of Kafka: `host:port`, several with commas between.
    pub servers: String,
    /// Of RabbitMQ: `amqp://user:password@host:port/vhost`, or `amqps://` for TLS.
    pub url: Secret,
    /// Before the names of topics, groups, exchanges and queues: several shops may share a broker.
    pub prefix: String,
    /// A name that only this process has, and has again when it is started again, such as that of a
    /// pod of a StatefulSet: Kafka then keeps its partitions for it over a restart.
    pub instance: Option<String>,
    /// Of each service's events, 1 to 256. Fixed when they are first made.
    pub partitions: u32,
    /// Copies of a topic that is made; without it the cluster says (`default.replication.factor`).
    /// Kafka only: RabbitMQ's queues have a copy on each of three nodes, if there are so many.
    pub replication: Option<u16>,
    /// How long events are kept that may have been read: 30 days on Kafka and 7 on RabbitMQ, unless
    /// told otherwise; 1 to 3650. Fixed when topics and streams are made.
    pub retention_days: Option<u32>,
    /// `[broker.tls]`.
    pub tls: BrokerTls,
    /// `[broker.properties]`: further ones of librdkafka, `sasl.mechanism = "SCRAM-SHA-512"`. A `_`
    /// stands for a dot, so that variables and `_file` can name them too. They win over ours, except
    /// those on which it rests that nothing is lost.
    pub properties: Properties,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self {
            kind: BrokerKind::Kafka,
            servers: "127.0.0.1:9092".to_owned(),
            url: Secret::default(),
            prefix: "mercat".to_owned(),
            instance: None,
            partitions: 16,
            replication: None,
            retention_days: None,
            tls: BrokerTls::default(),
            properties: Properties::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BrokerKind {
    Kafka,
    RabbitMq,
}

/// Files in PEM. With one of them, connections to Kafka are encrypted; those to RabbitMQ are when
/// its address begins with `amqps://`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerTls {
    /// Certificates of the authorities that the broker's has to come from. Without it, those that
    /// are public are trusted.
    pub ca: Option<PathBuf>,
    /// Our certificate, when the broker asks for one, and its private key.
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// Properties by name. Any of them may be a password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Properties(BTreeMap<String, Secret>);

/// As it is written: `sasl.username` is a section and a key to TOML.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a property is a text, a whole number, true or false")]
enum Written {
    Section(BTreeMap<String, Written>),
    Text(Secret),
    Number(i64),
    Switch(bool),
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let written = BTreeMap::<String, Written>::deserialize(d)?;
        let mut properties = BTreeMap::new();
        collect("", written, &mut properties).map_err(D::Error::custom)?;
        Ok(Self(properties))
    }
}

fn collect(
    before: &str,
    written: BTreeMap<String, Written>,
    properties: &mut BTreeMap<String, Secret>,
) -> Result<(), String> {
    for (name, value) in written {
        let name = format!("{before}{}", name.replace('_', "."));
        let text = match value {
            Written::Section(inner) => {
                collect(&format!("{name}."), inner, properties)?;
                continue;
            }
            Written::Text(text) => text,
            Written::Number(number) => Secret::new(number.to_string()),
            Written::Switch(switch) => Secret::new(switch.to_string()),
        };
        // As everywhere in the configuration; no property of librdkafka ends so.
        let (name, text) = match name.strip_suffix(".file") {
            Some(name) => (name.to_owned(), content(text.expose())?),
            None => (name, text),
        };
        if properties.insert(name.clone(), text).is_some() {
            return Err(format!("{name} is given twice"));
        }
    }
    Ok(())
}

fn content(path: &str) -> Result<Secret, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

impl BrokerConfig {
    fn retention(&self) -> Option<Duration> {
        self.retention_days.map(|days| Duration::from_hours(24 * u64::from(days)))
    }

    fn check_keys(&self) -> Result<(), String> {
        if let Some(days) = self.retention_days
            && !(1..=3_650).contains(&days)
        {
            return Err(format!("broker.retention_days is {days}; it may be 1 to 3650"));
        }
        if self.tls.cert.is_some() != self.tls.key.is_some() {
            return Err(
                "broker.tls.cert and broker.tls.key are given together or not at all".into()
            );
        }
        let files = [("ca", &self.tls.ca), ("cert", &self.tls.cert), ("key", &self.tls.key)];
        for (key, path) in files {
            if let Some(path) = path {
                read(key, path)?;
            }
        }
        Ok(())
    }
}

fn read(key: &str, path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path);
    text.map_err(|error| format!("broker.tls.{key}: {}: {error}", path.display()))
}

#[cfg(all(feature = "kafka", feature = "rabbitmq"))]
mod made {
    use std::sync::Arc;

    use super::{BrokerConfig, BrokerKind, read};
    use crate::bus::broker::Broker;
    use crate::bus::kafka::{Kafka, KafkaConfig};
    use crate::bus::rabbitmq::{RabbitMq, RabbitMqConfig};
    use crate::env::Env;

    impl BrokerConfig {
        /// Which key is wrong, and what it may hold.
        pub fn check(&self) -> Result<(), String> {
            match self.kind {
                BrokerKind::Kafka => self.kafka()?.check().map_err(|error| error.to_string()),
                // Its address has no default.
                BrokerKind::RabbitMq if self.url.is_empty() => self.check_keys(),
                BrokerKind::RabbitMq => {
                    self.rabbitmq()?.check().map(drop).map_err(|error| error.to_string())
                }
            }
        }

        /// The configured broker. It need not answer yet.
        pub fn open(&self, env: &Env) -> Result<Arc<dyn Broker>, String> {
            let broker = match self.kind {
                BrokerKind::Kafka => Kafka::new(env, self.kafka()?),
                BrokerKind::RabbitMq => RabbitMq::new(env, self.rabbitmq()?),
            };
            broker.map_err(|error| error.to_string())
        }

        fn kafka(&self) -> Result<KafkaConfig, String> {
            self.check_keys()?;
            let usual = KafkaConfig::new(self.servers.clone(), self.prefix.clone());
            let properties = self.tls_properties().into_iter().chain(self.given_properties());
            Ok(KafkaConfig {
                instance: self.instance.clone(),
                partitions: self.partitions,
                replication: self.replication,
                retention: self.retention().unwrap_or(usual.retention),
                properties: properties.collect(),
                ..usual
            })
        }

        fn given_properties(&self) -> impl Iterator<Item = (String, String)> {
            let all = self.properties.0.iter();
            all.map(|(name, value)| (name.clone(), value.expose().to_owned()))
        }

        fn tls_properties(&self) -> Vec<(String, String)> {
            let tls = &self.tls;
            let files = [
                ("ssl.ca.location", &tls.ca),
                ("ssl.certificate.location", &tls.cert),
                ("ssl.key.location", &tls.key),
            ];
            let named = files.into_iter().filter_map(|(name, path)| {
                Some((name.to_owned(), path.as_ref()?.display().to_string()))
            });
            let mut properties: Vec<_> = named.collect();
            if !properties.is_empty() {
                properties.push(("security.protocol".to_owned(), "ssl".to_owned()));
            }
            properties
        }

        fn rabbitmq(&self) -> Result<RabbitMqConfig, String> {
            self.check_keys()?;
            if !self.properties.0.is_empty() {
                return Err("broker.properties are of Kafka, and broker.kind is rabbitmq".into());
            }
            let is_plain = self.url.expose().starts_with("amqp://");
            if is_plain && self.tls != super::BrokerTls::default() {
                return Err(
                    "broker.tls is given and broker.url begins with amqp://; let it begin \
                            with amqps://"
                        .into(),
                );
            }
            let usual = RabbitMqConfig::new(self.url.expose().to_owned(), self.prefix.clone());
            let ca_pem = self.tls.ca.as_deref().map(|path| read("ca", path)).transpose()?;
            let identity = match (&self.tls.cert, &self.tls.key) {
                (Some(cert), Some(key)) => Some((read("cert", cert)?, read("key", key)?)),
                _ => None,
            };
            Ok(RabbitMqConfig {
                partitions: self.partitions,
                log_age: self.retention().unwrap_or(usual.log_age),
                ca_pem,
                identity: identity.map(|(cert, key)| (cert, key.into())),
                ..usual
            })
        }
    }
}

/// Without brokers in the build nobody connects to one.
#[cfg(not(all(feature = "kafka", feature = "rabbitmq")))]
impl BrokerConfig {
    pub fn check(&self) -> Result<(), String> {
        let _ = self.retention();
        self.check_keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Whole {
        broker: BrokerConfig,
    }

    fn from(file: &str, variables: &[(&str, &str)], set: &[(&str, &str)]) -> BrokerConfig {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mercat.toml");
        std::fs::write(&path, file).unwrap();
        let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        load::<Whole>(Some(&path), own(variables), &own(set)).unwrap().broker
    }

    fn shown(config: &BrokerConfig) -> Vec<(&str, &str)> {
        config.properties.0.iter().map(|(name, value)| (name.as_str(), value.expose())).collect()
    }

    #[test]
    fn properties_come_from_everywhere_and_are_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "hunter2\n").unwrap();
        let file = "[broker.properties]\nsecurity.protocol = 'sasl_ssl'\n'sasl.username' = 'shop'\n\
                    socket.timeout.ms = 5000";
        let config = from(
            file,
            &[("MERCAT_BROKER__PROPERTIES__SASL_PASSWORD_FILE", secret.to_str().unwrap())],
            &[("broker.properties.sasl.mechanism", "PLAIN")],
        );
        let expected = [
            ("sasl.mechanism", "PLAIN"),
            ("sasl.password", "hunter2"),
            ("sasl.username", "shop"),
            ("security.protocol", "sasl_ssl"),
            ("socket.timeout.ms", "5000"),
        ];
        assert_eq!(shown(&config), expected);
        let printed = crate::config::print(&config).unwrap() + &format!("{config:?}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }

    #[cfg(all(feature = "kafka", feature = "rabbitmq"))]
    #[test]
    fn a_key_that_cannot_work_is_refused_by_its_name() {
        let refusal = |set: &[(&str, &str)]| from("", &[], set).check().unwrap_err();
        assert!(from("", &[], &[]).check().is_ok());
        let rabbit = ("broker.kind", "rabbitmq");
        assert!(from("", &[], &[rabbit]).check().is_ok());
        let plain = ("broker.url", "amqp://shop:hunter2@rabbit:5672/%2f");
        // Some file that is there: what is in it is looked at later.
        let certificate = ("broker.tls.ca", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        for (set, key) in [
            (&[("broker.servers", "kafka")][..], "broker.servers"),
            (&[("broker.partitions", "0")], "partitions"),
            (&[("broker.retention_days", "0")], "broker.retention_days"),
            (&[("broker.prefix", "My Shop")], "My Shop"),
            (&[("broker.tls.ca", "/nowhere.pem")], "broker.tls.ca: /nowhere.pem"),
            (&[("broker.tls.cert", "/nowhere.pem")], "broker.tls.cert and broker.tls.key"),
            (&[("broker.properties.acks", "0")], "acks"),
            (&[rabbit, ("broker.url", "rabbit")], "broker.url"),
            (&[rabbit, plain, certificate], "amqps://"),
            (&[rabbit, plain, ("broker.properties.sasl_username", "x")], "broker.properties"),
        ] {
            let refused = refusal(set);
            assert!(refused.contains(key) && !refused.contains("hunter2"), "{set:?}: {refused}");
        }
    }
}
