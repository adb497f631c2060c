//! CPU time and memory as Linux tells them under `/proc`.

use std::collections::BTreeMap;
use std::time::Duration;

/// `USER_HZ`: the unit of times under `/proc`, 100 on every architecture that we run on.
const TICK: Duration = Duration::from_millis(10);

/// Memory of a process, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "units stand last in names")]
pub struct Memory {
    /// Pages in memory, shared ones included.
    pub rss_kib: u64,
    /// The most that `rss_kib` ever was.
    pub peak_kib: u64,
    /// As `rss_kib`, but what others share counts in part only.
    pub pss_kib: u64,
}

impl Memory {
    /// `None` when the process is gone.
    pub fn of(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok();
        Some(Self {
            rss_kib: field_kib(&status, "VmRSS:")?,
            peak_kib: field_kib(&status, "VmHWM:")?,
            pss_kib: rollup.and_then(|text| field_kib(&text, "Pss:")).unwrap_or_default(),
        })
    }
}

fn field_kib(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// CPU time of the whole machine since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// In user, nice, system, interrupt and softirq mode, over all cores.
    pub busy: Duration,
    /// Taken by the host for others.
    pub stolen: Duration,
}

impl Machine {
    pub fn read() -> Option<Self> {
        parse_machine(&std::fs::read_to_string("/proc/stat").ok()?)
    }
}

fn parse_machine(text: &str) -> Option<Machine> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u32> = line.split_whitespace().map_while(|field| field.parse().ok()).collect();
    let &[user, nice, system, _idle, _wait, irq, softirq, stolen, ..] = ticks.as_slice() else {
        return None;
    };
    Some(Machine { busy: TICK * (user + nice + system + irq + softirq), stolen: TICK * stolen })
}

/// User and system time of a process, all its threads together; `None` when it is gone.
pub fn cpu_of(pid: u32) -> Option<Duration> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?).map(|(_, cpu)| cpu)
}

/// How long a process has lived, in steps of ten milliseconds.
pub fn age_of(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let since_boot: u32 = stat.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()?;
    let uptime: f64 = uptime.split(' ').next()?.parse().ok()?;
    Some(Duration::from_secs_f64(uptime).saturating_sub(TICK * since_boot))
}

/// User and system time of a process by the names of its threads; numbers at their ends are left
/// out, so that the threads of one pool are one.
pub fn cpu_by_thread(pid: u32) -> BTreeMap<String, Duration> {
    let mut by_name = BTreeMap::new();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    for task in tasks {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        if let Some((name, cpu)) = parse_stat(&stat) {
            let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-').to_owned();
            *by_name.entry(name).or_default() += cpu;
        }
    }
    by_name
}

/// Name, user and system time of a `stat` line. The name stands in parentheses and may hold some.
fn parse_stat(text: &str) -> Option<(&str, Duration)> {
    let (open, close) = (text.find('(')?, text.rfind(')')?);
    let mut fields = text.get(close + 1..)?.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some((text.get(open + 1..close)?, TICK * (user + system)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_time_leaves_out_waiting_and_what_was_stolen() {
        let text = "cpu  100 20 30 4000 500 6 7 80 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        let machine = parse_machine(text).unwrap();
        assert_eq!(machine.busy, Duration::from_millis(1_630));
        assert_eq!(machine.stolen, Duration::from_millis(800));
        assert_eq!(parse_machine("cpu 1 2 3\n"), None);
    }

    #[test]
    fn a_name_with_blanks_and_parentheses_does_not_shift_the_fields() {
        let line = "7 (a) b (c)) S 1 7 7 0 -1 4194560 900 0 0 0 150 50 0 0 20 0 9 0 100 1 2 3";
        assert_eq!(parse_stat(line), Some(("a) b (c)", Duration::from_secs(2))));
        assert_eq!(parse_stat("7 (a) S 1"), None);
    }

    #[test]
    fn memory_fields_are_found_by_their_whole_name() {
        let text = "VmPeak:\t  900 kB\nVmHWM:\t  512 kB\nVmRSS:\t  400 kB\n";
        assert_eq!(field_kib(text, "VmRSS:"), Some(400));
        assert_eq!(field_kib(text, "VmHWM:"), Some(512));
        assert_eq!(field_kib("Pss_Dirty: 1 kB\nPss:   216 kB\n", "Pss:"), Some(216));
        assert_eq!(field_kib(text, "VmSwap:"), None);
    }

    #[test]
    fn this_process_has_memory_and_threads() {
        let pid = std::process::id();
        let memory = Memory::of(pid).unwrap();
        assert!(memory.rss_kib > 0 && memory.peak_kib >= memory.rss_kib, "{memory:?}");
        assert!(cpu_of(pid).is_some());
        assert!(age_of(pid).unwrap() < Duration::from_hours(1));
        assert!(!cpu_by_thread(pid).is_empty());
    }
}
