//! The gateway alone, as a process. `gateway --help` tells how.

use std::process::ExitCode;

fn main() -> ExitCode {
    platform::process::alone(gateway::NAME, async |migrate, process, config: gateway::Config| {
        if migrate {
            return Ok(());
        }
        let about = gateway::About {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            topology: "processes".to_owned(),
            services: process.peers.keys().map(|name| (name.clone(), String::new())).collect(),
            demo: false,
        };
        let ready = |addresses| platform::process::tell_ready(gateway::NAME, addresses);
        gateway::process::run(process, config, about, None, ready).await
    })
}
