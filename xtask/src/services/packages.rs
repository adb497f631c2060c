//! The system's packages: installed when a program is missing, and never with a server of theirs
//! started beside ours.

use std::process::{Command, Stdio};

use super::daemon::expect;
use crate::{Outcome, say};

/// Debian starts a server with its package, unless a policy says no. A machine that has a policy
/// keeps it; on any other ours stands for the time of the installation.
const INSTALL: &str = r#"
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi
apt-get update -q
apt-get install -q -y --no-install-recommends "$@"
"#;

/// Brings these packages to the machine.
pub fn install(what: &str, packages: &[&str]) -> Outcome {
    say::phase(&format!("install {what} from the system's packages (once)"), || {
        let mut command = if is_root() {
            Command::new("sh")
        } else {
            let mut command = Command::new("sudo");
            command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "sh"]);
            command
        };
        command.args(["-c", INSTALL, "install"]).args(packages);
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        expect(&mut command).map(drop).map_err(|error| {
            format!("{error}\n{what} cannot be installed from here; install it yourself")
        })
    })
}

pub fn is_root() -> bool {
    let told = Command::new("id").arg("-u").output();
    told.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether a program of this name is on the path.
pub fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
