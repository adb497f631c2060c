//! PostgreSQL and a broker under a shop of processes: where they are, and which processes they are.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use crate::Outcome;
use crate::cli::Topology;

pub const POSTGRES: &str = "MERCAT_TEST_POSTGRES";
pub const KAFKA: &str = "MERCAT_TEST_KAFKA";
const RABBITMQ: &str = "MERCAT_TEST_RABBITMQ";

/// As [`crate::shop::Shop`] shows them among its parts.
pub const POSTGRES_PART: &str = "PostgreSQL";
pub const BROKER_PART: &str = "broker";

/// The servers of one shop.
#[derive(Clone, Debug)]
pub struct Servers {
    postgres: String,
    broker: (&'static str, String),
    /// Databases, topics and queues of the shop begin with it.
    prefix: String,
}

impl Servers {
    /// For a new shop; an error says what is missing.
    pub fn of(topology: Topology) -> Outcome<Self> {
        let broker = if topology == Topology::RabbitMq {
            ("broker.url", told(RABBITMQ)?)
        } else {
            ("broker.servers", told(KAFKA)?)
        };
        let prefix = format!("bench{}{}", std::process::id(), topology.name());
        Ok(Self { postgres: told(POSTGRES)?, broker, prefix })
    }

    /// What the shop is told of them.
    pub fn settings(&self) -> [String; 3] {
        let (key, address) = &self.broker;
        [
            format!("database.url={}", self.postgres),
            format!("{key}={address}"),
            format!("broker.prefix={}", self.prefix),
        ]
    }

    /// Their processes now, without those that PostgreSQL runs for others.
    pub fn processes(&self) -> Vec<(String, u32)> {
        let (children, titles) = (children(), titles());
        let mut found = Vec::new();
        for (part, address) in [(POSTGRES_PART, &self.postgres), (BROKER_PART, &self.broker.1)] {
            let Some(first) = port(address).and_then(listener) else { continue };
            let mut waiting = vec![first];
            while let Some(pid) = waiting.pop() {
                waiting.extend(children.get(&pid).into_iter().flatten());
                if titles.get(&pid).is_none_or(|title| self.is_ours(title)) {
                    found.push((part.to_owned(), pid));
                }
            }
        }
        found
    }

    /// `postgres: ROLE DATABASE ADDRESS(PORT) STATE` serves one client; other titles are of
    /// everybody's.
    fn is_ours(&self, title: &str) -> bool {
        let of_client = title.starts_with("postgres: ") && title.contains('(');
        !of_client || title.contains(&self.prefix)
    }
}

/// `cargo xtask services up` leaves it in a file.
pub fn told(name: &str) -> Outcome<String> {
    let in_file = || {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/services/env");
        let text = std::fs::read_to_string(file).ok()?;
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.map(str::to_owned)
    };
    let found = std::env::var(name).ok().or_else(in_file);
    found.ok_or_else(|| format!("no {name}: run `cargo xtask services up`"))
}

/// The last `:number` that is a port.
fn port(address: &str) -> Option<u16> {
    let authority = address.split_once("//").map_or(address, |(_, rest)| rest);
    let authority = authority.split('/').next()?;
    authority.rsplit_once(':')?.1.parse().ok()
}

/// The process that listens at a port of this machine.
fn listener(port: u16) -> Option<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
    let inodes: HashSet<String> =
        tables.iter().flatten().flat_map(|table| listening(table, port)).collect();
    let has = |pid: &u32| {
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files
            .filter_map(|file| std::fs::read_link(file.path()).ok()?.to_str().map(str::to_owned))
            .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
            .any(|inode| inodes.contains(&inode))
    };
    // A process that was started by the one that listens may have inherited its socket.
    pids().filter(has).min()
}

/// The sockets of a table under `/proc/net` that listen at `port`.
fn listening(table: &str, port: u16) -> Vec<String> {
    const LISTENS: &str = "0A";
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, at) = fields.get(1)?.rsplit_once(':')?;
        let is_it = u16::from_str_radix(at, 16).ok()? == port && *fields.get(3)? == LISTENS;
        is_it.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    };
    table.lines().skip(1).filter_map(row).collect()
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn children() -> BTreeMap<u32, Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for pid in pids() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1));
        if let Some(parent) = parent.and_then(|parent| parent.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    children
}

fn titles() -> BTreeMap<u32, String> {
    let title = |pid: u32| {
        let title = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        Some((pid, String::from_utf8_lossy(&title).replace('\0', " ")))
    };
    pids().filter_map(title).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_an_address_is_found_behind_user_and_password() {
        for (address, expected) in [
            ("postgres://m:pa55@127.0.0.1:25803/postgres", Some(25_803)),
            ("amqp://m:1@127.0.0.1:20459/%2f", Some(20_459)),
            ("127.0.0.1:9092", Some(9_092)),
            ("localhost", None),
        ] {
            assert_eq!(port(address), expected, "{address}");
        }
    }

    #[test]
    fn a_listening_socket_is_told_from_one_that_is_connected() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode\n\
            0: 0100007F:64CB 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 777 1\n\
            1: 0100007F:64CB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000 0 0 888 1\n";
        assert_eq!(listening(table, 0x64CB), ["777"]);
        assert!(listening(table, 1).is_empty());
    }

    #[test]
    fn what_a_server_does_for_another_shop_is_not_counted() {
        let servers = Servers {
            postgres: String::new(),
            broker: ("broker.servers", String::new()),
            prefix: "bench7kafka".to_owned(),
        };
        for (title, ours) in [
            ("postgres: checkpointer ", true),
            ("postgres: bench7kafka_ordering bench7kafka_ordering 127.0.0.1(40000) idle", true),
            ("postgres: t1_ordering t1_ordering 127.0.0.1(40001) idle", false),
            ("java -Xmx512m kafka.Kafka", true),
        ] {
            assert_eq!(servers.is_ours(title), ours, "{title}");
        }
    }

    #[test]
    fn a_listener_of_this_process_is_found() {
        let listener_of_ours = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener_of_ours.local_addr().unwrap().port();
        assert_eq!(listener(port), Some(std::process::id()));
    }
}
