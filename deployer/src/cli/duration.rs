//! Times as people write them.

use std::time::Duration;

const DAY: u64 = 86_400;

/// A time that a command may take.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match time(text)? {
        time if (1..=DAY).contains(&time.as_secs()) => Ok(time),
        _ => Err(format!("{text} is not between 1s and 24h")),
    }
}

/// A time to look back, as long as CloudWatch Logs keeps anything.
pub(super) fn ago(text: &str) -> Result<Duration, String> {
    match time(text)? {
        time if (1..=3653 * DAY).contains(&time.as_secs()) => Ok(time),
        _ => Err(format!("{text} is not between 1s and 3653d")),
    }
}

/// A time like `90s` or `1h30m`; a number alone is seconds.
fn time(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    humantime::parse_duration(text).map_err(|_| format!("{text} is not a time; try 90s, 10m or 1h30m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_write_them() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2h", 7200)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(ago("7d"), Ok(Duration::from_secs(7 * DAY)));
        for text in ["", "soon", "-1s", "1.5.2h", "10 apples"] {
            let error = duration(text).unwrap_err();
            assert!(error.contains("is not a time; try 90s, 10m or 1h30m"), "{error}");
        }
        for text in ["0", "10ms", "25h", "5M", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
