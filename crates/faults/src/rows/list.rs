//! Which rows there are.

use futures_util::future::LocalBoxFuture;

use super::weather::Context;
use super::{
    f01_crash_points, f02_kill_storm, f03_kills, f04_database_restart, f05_reply_lost,
    f07_broker_down, f08_copies, f10_network, f12_stopped, f13_disk_full, f15_power, f16_clock,
    f17_provider, f18_poison, f20_overload,
};
use crate::report::RowReport;

type Run = for<'a> fn(&'a mut Context) -> LocalBoxFuture<'a, RowReport>;

pub struct Row {
    pub name: &'static str,
    pub fault: &'static str,
    /// Part of a short run.
    pub is_short: bool,
    pub run: Run,
}

impl Row {
    /// By its whole name, or by one of the numbers in it.
    pub fn is_called(&self, word: &str) -> bool {
        let number = |text: &str| text.trim_start_matches(['f', 'F']).to_owned();
        self.name.eq_ignore_ascii_case(word)
            || self.name.split('–').any(|part| number(part) == number(word))
    }
}

macro_rules! rows {
    ($(($name:literal, $fault:literal, $short:literal, $run:path)),+ $(,)?) => {
        /// In the order in which they are run: those that share a shop beside each other.
        pub const ROWS: &[Row] = &[$(Row {
            name: $name,
            fault: $fault,
            is_short: $short,
            run: |context| Box::pin($run(context)),
        }),+];
    };
}

rows![
    ("F1", "kill -9 at each crash point", false, f01_crash_points::run),
    ("F3", "kill -9 of the one process", true, f03_kills::run),
    ("F13", "the disk is full", true, f13_disk_full::run),
    ("F15", "power loss: what was synced when it was answered", true, f15_power::run),
    ("F16", "the clock jumps by two hours", true, f16_clock::run),
    (
        "F17",
        "the provider charges and hangs, or answers 500, and tells five times",
        true,
        f17_provider::run
    ),
    ("F20", "ten times as many checkouts as it can take", true, f20_overload::run),
    ("F2", "kill -9 of one service every 2 s", true, f02_kill_storm::run),
    ("F4", "PostgreSQL crashes", true, f04_database_restart::run),
    ("F5", "committed, and the reply lost", true, f05_reply_lost::run),
    ("F8", "copies of events, late and out of order", true, f08_copies::run),
    ("F10–11", "partition, half-open, latency, loss", true, f10_network::run),
    ("F12", "SIGSTOP, then SIGCONT", true, f12_stopped::run),
    ("F18", "messages that nobody can digest", true, f18_poison::run),
    ("F7", "the broker is away", true, f07_broker_down::run),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_by_its_numbers_and_no_two_share_one() {
        for (word, expected) in [("f10", "F10–11"), ("F11", "F10–11"), ("F1", "F1"), ("f2", "F2")]
        {
            let found: Vec<&str> =
                ROWS.iter().filter(|row| row.is_called(word)).map(|row| row.name).collect();
            assert_eq!(found, [expected], "{word}");
        }
    }
}
