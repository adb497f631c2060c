//! Time for decisions that must not wait longer because a clock was set back.

use std::time::Duration;

use kernel::Timestamp;
use platform::Env;

/// The wall clock of one driver, which never falls behind the time that has really passed.
pub(super) struct Steady<'a> {
    env: &'a Env,
    wall: Timestamp,
    monotonic: Duration,
}

impl<'a> Steady<'a> {
    pub fn start(env: &'a Env) -> Self {
        Self { env, wall: env.now(), monotonic: env.clock.monotonic() }
    }

    pub fn now(&self) -> Timestamp {
        let passed = self.env.clock.monotonic().saturating_sub(self.monotonic);
        self.env.now().max(self.wall.plus(passed))
    }
}
