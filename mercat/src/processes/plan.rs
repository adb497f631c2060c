//! What runs where: services, ports, and what each process is told.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};

use crate::cli::{ServiceName, Topology, Up};
use crate::commands::Given;
use crate::config::Config;
use crate::data::DataFolder;

/// One process to be.
#[derive(Clone, Debug)]
pub struct Place {
    pub service: ServiceName,
    /// From 1.
    pub nth: u32,
    pub address: SocketAddr,
    pub internal: SocketAddr,
    pub arguments: Vec<OsString>,
    pub variables: Vec<(String, String)>,
}

impl Place {
    /// Such as `ordering-2`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.service.name(), self.nth)
    }
}

/// Keys that are ours to set here.
const OURS: [&str; 7] = [
    "data",
    "listen",
    "database.url",
    "database.url_file",
    "broker.kind",
    "peers",
    "telemetry.internal_listen",
];

/// All processes of the shop, the gateway last.
pub fn places(
    config: &Config,
    up: &Up,
    given: &Given,
    folder: &DataFolder,
    databases: &BTreeMap<&'static str, String>,
) -> Result<Vec<Place>, String> {
    let counts: BTreeMap<&str, u32> =
        up.replicas.iter().map(|(service, count)| (service.as_str(), *count)).collect();
    let mut places = Vec::new();
    // Held until all are known, so that no two are the same.
    let mut held = Vec::new();
    for service in ServiceName::ALL {
        let is_gateway = service == ServiceName::Gateway;
        let count = counts.get(service.name()).copied().unwrap_or(1);
        if is_gateway && count > 1 {
            return Err("--replicas gateway: one process listens at the shop's address".to_owned());
        }
        if service == ServiceName::Payment && count > 1 {
            return Err("--replicas payment: the test provider remembers in one process".to_owned());
        }
        for nth in 1..=count {
            let address = if is_gateway { config.listen } else { ([127, 0, 0, 1], 0).into() };
            let address = free(address, &mut held)?;
            let internal = free(([127, 0, 0, 1], 0).into(), &mut held)?;
            let (arguments, variables) = (Vec::new(), Vec::new());
            places.push(Place { service, nth, address, internal, arguments, variables });
        }
    }
    let scheme = if has_certificate(config) { "https" } else { "http" };
    let peers = peers(&places, scheme);
    for place in &mut places {
        place.arguments = arguments(place, up, given, folder);
        place.variables = secrets(given).chain(peers.clone()).collect();
        // Crash points are for one of them.
        let crashes =
            std::env::var("MERCAT_CRASH_IN").is_ok_and(|name| name == place.service.name());
        if let (true, Ok(point)) = (crashes, std::env::var("MERCAT_CRASH_AT")) {
            place.variables.push(("MERCAT_CRASH_AT".to_owned(), point));
        }
        if let Some(url) = databases.get(place.service.name()) {
            place.variables.push(("MERCAT_DATABASE__URL".to_owned(), url.clone()));
        }
    }
    Ok(places)
}

/// A port that nobody has; somebody may take it until the process does, which then says so.
fn free(address: SocketAddr, held: &mut Vec<TcpListener>) -> Result<SocketAddr, String> {
    let listener = TcpListener::bind(address).map_err(|error| {
        format!("{address} cannot be used: {error}; name another with --listen")
    })?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    held.push(listener);
    Ok(address)
}

/// Do the processes answer over TLS?
fn has_certificate(config: &Config) -> bool {
    config.tls.as_ref().is_some_and(|tls| tls.cert.is_some())
}

fn peers(places: &[Place], scheme: &str) -> Vec<(String, String)> {
    let mut addresses: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for place in places.iter().filter(|place| place.service != ServiceName::Gateway) {
        let of_service = addresses.entry(place.service.name()).or_default();
        of_service.push(format!("{scheme}://{}", place.address));
    }
    let named = addresses.into_iter().map(|(service, addresses)| {
        (format!("MERCAT_PEERS__{}", service.to_uppercase()), addresses.join(","))
    });
    named.collect()
}

fn is_ours(key: &str) -> bool {
    let is_inside = |ours: &&str| key.strip_prefix(*ours).is_some_and(|k| k.starts_with('.'));
    OURS.iter().any(|ours| key == *ours || is_inside(ours))
}

/// Anybody on the machine sees the arguments of a process; its variables are its owner's.
fn is_secret(key: &str) -> bool {
    platform::config::is_secret(key) || key.starts_with("broker.properties.")
}

fn secrets(given: &Given) -> impl Iterator<Item = (String, String)> {
    let theirs = given.set.iter().filter(|(key, _)| !is_ours(key) && is_secret(key));
    theirs.map(|(key, value)| {
        (format!("MERCAT_{}", key.to_uppercase().replace('.', "__")), value.clone())
    })
}

fn arguments(place: &Place, up: &Up, given: &Given, folder: &DataFolder) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["serve".into(), place.service.name().into()];
    arguments.extend(["--until-stdin-closes".into(), "--listen".into()]);
    arguments.push(place.address.to_string().into());
    if up.demo && matches!(place.service, ServiceName::Catalog | ServiceName::Gateway) {
        arguments.push("--demo".into());
    }
    if let Some(file) = &given.file {
        arguments.extend(["--config".into(), file.into()]);
    }
    let kind = match up.topology {
        Topology::RabbitMq => "rabbitmq",
        _ => "kafka",
    };
    let theirs = given.set.iter().filter(|(key, _)| !is_ours(key) && !is_secret(key));
    let mut settings: Vec<String> = theirs.map(|(key, value)| format!("{key}={value}")).collect();
    settings.push(format!("data={}", folder.path().display()));
    settings.push(format!("broker.kind={kind}"));
    settings.push(format!("broker.instance={}", place.name()));
    settings.push(format!("telemetry.internal_listen={}", place.internal));
    for setting in settings {
        arguments.extend(["--set".into(), setting.into()]);
    }
    arguments
}
