//! Time. The one place of this crate that asks for it: what is measured here is real time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    Instant::now()
}

pub async fn sleep(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a benchmark waits in real time")]
    tokio::time::sleep(time).await;
}

/// Seconds since midnight, UTC.
pub fn of_day() -> f64 {
    #[expect(clippy::disallowed_methods, reason = "a log's times are compared with it")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() % 86_400.0)
}

/// The time of day as `2026-11-23 00:15:07 UTC`.
pub fn date() -> String {
    #[expect(clippy::disallowed_methods, reason = "a report says when it was made")]
    let now = SystemTime::now();
    format_date(now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// Days to a date after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn format_date(unix_s: u64) -> String {
    let (days, second) = (unix_s / 86_400, unix_s % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::format_date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (unix_s, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (1_795_392_907, "2026-11-23 00:15:07 UTC"),
        ] {
            assert_eq!(format_date(unix_s), text);
        }
    }
}
