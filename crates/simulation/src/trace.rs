//! What happened, as a hash that two runs of one seed must share, and as lines for whoever replays.

/// The history of a run.
#[derive(Default)]
pub struct Trace {
    hash: u64,
    events: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub fn new(keeps_lines: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, events: 0, lines: keeps_lines.then(Vec::new) }
    }

    /// Two numbers that another run would show otherwise.
    pub fn mix(&mut self, one: u64, other: u64) {
        self.events += 1;
        for value in [one, other] {
            self.hash = (self.hash ^ value).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
    }

    /// A line, when somebody reads them.
    pub fn tell(&mut self, now_us: u64, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let (seconds, micros) = (now_us / 1_000_000, now_us % 1_000_000);
            lines.push(format!("{seconds:>5}.{micros:06} {}", line()));
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn events(&self) -> u64 {
        self.events
    }

    pub fn take_lines(&mut self) -> Vec<String> {
        self.lines.take().unwrap_or_default()
    }
}
