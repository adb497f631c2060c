//! One process of a fleet.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use super::Plan;
use crate::clocks;
use crate::settings::Settings;

/// Below those that the system gives to whoever connects: while a process is dead, no client takes
/// its port.
const FIRST_PORT: u16 = 12_000;
const PORTS: u16 = 8_000;

/// Where a process is, and how it is started.
#[derive(Clone, Debug)]
pub struct Place {
    pub service: &'static str,
    /// Such as `ordering-2`.
    pub name: String,
    pub address: SocketAddr,
    pub internal: SocketAddr,
    program: PathBuf,
    pub(super) settings: Vec<String>,
    pub(super) variables: Vec<(String, String)>,
}

/// Tests sign in often, and guess nothing; a provider that hangs is given up soon; all buyers come
/// from one address, and none of them is a flood.
const OF_TESTS: [&str; 8] = [
    "payment.provider_timeout_ms=400",
    "payment.test_provider.needs_time_ms=600",
    "identity.password_memory_kib=19456",
    "identity.password_passes=2",
    "identity.password_queue_per_client=64",
    "gateway.rate_limit.auth_per_minute=1000000",
    "gateway.rate_limit.auth_burst=1000000",
    "drain_seconds=5",
];

impl Place {
    pub(super) fn new(
        service: &'static str,
        nth: u32,
        address: SocketAddr,
        internal: SocketAddr,
    ) -> Self {
        let (program, settings, variables) = (PathBuf::new(), Vec::new(), Vec::new());
        let name = format!("{service}-{nth}");
        Self { service, name, address, internal, program, settings, variables }
    }

    /// Where its clock is told, in a fleet with clocks.
    pub(super) fn clock(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.clock", self.name))
    }

    pub(super) fn tell(
        &mut self,
        settings: &Settings,
        plan: &Plan,
        folder: &Path,
        prefix: &str,
    ) -> std::io::Result<()> {
        self.program.clone_from(&settings.program);
        let own = [
            format!("data={}", folder.join("data").display()),
            format!("broker.kind={}", plan.broker.name()),
            format!("broker.prefix={prefix}"),
            format!("broker.instance={}", self.name),
            format!("telemetry.internal_listen={}", self.internal),
        ];
        self.settings.extend(own);
        self.settings.extend(OF_TESTS.map(str::to_owned));
        self.settings.extend(plan.settings.iter().cloned());
        if let Some(library) = plan.clocks {
            let clock = self.clock(folder);
            clocks::set(&clock, clocks::RIGHT)?;
            self.variables.extend(clocks::variables(library, &clock));
        }
        Ok(())
    }
}

/// A process that ends with this value.
pub(super) struct Running(Child);

impl Running {
    pub fn start(place: &Place, folder: &Path, bug: Option<String>) -> Result<Self, String> {
        let open = |end: &str| {
            let path = folder.join(format!("{}.{end}", place.name));
            let file = File::options().create(true).append(true).open(path);
            file.map_err(|error| format!("its log cannot be written: {error}"))
        };
        let mut command = Command::new(&place.program);
        command.args(["serve", place.service, "--until-stdin-closes", "--listen"]);
        command.arg(place.address.to_string());
        for setting in &place.settings {
            command.args(["--set", setting]);
        }
        command.envs(place.variables.iter().map(|(name, value)| (name, value)));
        command.env_remove("MERCAT_CRASH_AT").env_remove("MERCAT_CRASH_IN");
        command.env_remove("MERCAT_BUG").envs(bug.map(|bug| ("MERCAT_BUG", bug)));
        command.current_dir(folder).stdin(Stdio::piped());
        command.stdout(open("out")?).stderr(open("err")?);
        let child = command.spawn();
        child.map(Self).map_err(|error| format!("{} cannot be started: {error}", place.name))
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    pub fn has_ended(&mut self) -> Option<String> {
        let ended = self.0.try_wait().ok().flatten();
        ended.map(|status| status.to_string())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn free_address() -> Result<SocketAddr, String> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % u32::from(PORTS)) as u16;
    for _ in 0..PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST_PORT + start.wrapping_add(step) % PORTS;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err("no port is free".to_owned())
}
