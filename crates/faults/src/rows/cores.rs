//! Two processes on cores of their own: what the buyers cost is not taken from the shop.

use std::process::{Command, Stdio};

/// Both run where they like again when this is dropped.
pub struct Apart {
    other: u32,
    cores: usize,
}

impl Apart {
    /// This process on the upper half of the cores, the other one on the rest. `None` where there is
    /// one core only, or nothing that could bind a process to it.
    pub fn from(other: u32) -> Option<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if cores < 2 {
            return None;
        }
        let apart = Self { other, cores };
        let half = cores / 2;
        let is_bound = bind(other, 0, half - 1) && bind(std::process::id(), half, cores - 1);
        is_bound.then_some(apart)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = bind(self.other, 0, self.cores - 1);
        let _ = bind(std::process::id(), 0, self.cores - 1);
    }
}

/// All threads of the process, and those that they will start.
fn bind(process: u32, first: usize, last: usize) -> bool {
    let mut taskset = Command::new("taskset");
    taskset.args(["-a", "-p", "-c", &format!("{first}-{last}"), &process.to_string()]);
    taskset.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    taskset.status().is_ok_and(|status| status.success())
}
