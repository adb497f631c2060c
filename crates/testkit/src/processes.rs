//! The processes of a shop that has one for each service.

use serde_json::Value;

/// One of them, as the shop told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub service: String,
    /// From 1.
    pub nth: u64,
    pub pid: u64,
    /// REST and gRPC.
    pub address: String,
    /// `/metrics`, `/readyz`.
    pub internal: String,
}

impl Process {
    /// Whether a process of this id runs; one that has ended and is not looked after does not.
    pub fn is_alive(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
        state.flatten().is_some_and(|state| state != 'Z' && state != 'X')
    }

    /// SIGKILL.
    pub fn kill(&self) {
        let id = self.pid.to_string();
        let killed = std::process::Command::new("kill").args(["-KILL", &id]).status();
        assert!(killed.is_ok_and(|status| status.success()), "{self:?} was not there");
    }
}

pub(crate) fn processes(run: &Value) -> Vec<Process> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let listed = run["processes"].as_array().into_iter().flatten();
    let told = listed.map(|process| Process {
        service: text(&process["service"]),
        nth: process["nth"].as_u64().unwrap_or_default(),
        pid: process["pid"].as_u64().unwrap_or_default(),
        address: text(&process["address"]),
        internal: text(&process["internal"]),
    });
    told.collect()
}
