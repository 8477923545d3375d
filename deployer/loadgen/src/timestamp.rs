//! Formats times as text, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// Formats a time according to RFC 3339, in microseconds without trailing zeros, such as `2026-11-20T12:00:00.123Z`. Times
/// before 1970 are formatted as the beginning of 1970.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second_of_day) =
        (since_epoch.as_secs() / SECONDS_PER_DAY, since_epoch.as_secs() % SECONDS_PER_DAY);
    let (year, month, day) = civil_date(days);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    let fraction = format!(".{:06}", since_epoch.subsec_micros());
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Converts days since 1970-01-01 to year, month and day of the Gregorian calendar, by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>). Its years begin in March, so that the leap day is the last day of a year.
fn civil_date(days: u64) -> (u64, u64, u64) {
    const DAYS_IN_400_YEARS: u64 = 146_097;
    const FROM_YEAR_0_TO_1970: u64 = 719_468;
    let days = days + FROM_YEAR_0_TO_1970;
    let (era, day_of_era) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn formats_times_in_microseconds_without_trailing_zeros() {
        let cases = [
            (Duration::ZERO, "1970-01-01T00:00:00Z"),
            (Duration::new(951_782_399, 0), "2000-02-28T23:59:59Z"),
            (Duration::new(951_782_400, 120_000_000), "2000-02-29T00:00:00.12Z"),
            (Duration::new(1_709_251_199, 999_999_999), "2024-02-29T23:59:59.999999Z"),
            (Duration::new(1_709_251_200, 999), "2024-03-01T00:00:00Z"),
            (Duration::new(1_795_867_200, 1_000), "2026-11-28T12:00:00.000001Z"),
            (Duration::new(4_107_542_400, 0), "2100-03-01T00:00:00Z"),
        ];
        for (since_epoch, text) in cases {
            assert_eq!(rfc3339(UNIX_EPOCH + since_epoch), text);
        }
    }
}
