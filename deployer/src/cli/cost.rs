//! The flags of `cost`, and the numbers that it reads.

use crate::manifest::Architecture;
use crate::pricing::LOG_BYTES;
use clap::Args;

/// Flags of `cost`.
#[derive(Debug, Args)]
pub struct Cost {
    /// Requests per month, like 250k, 1M or 1.5B
    #[arg(long, value_name = "NUMBER", value_parser = requests)]
    pub requests: f64,
    /// Duration of one invocation in ms; Lambda rounds up to whole milliseconds
    #[arg(long, value_name = "MS", value_parser = milliseconds)]
    pub duration_ms: f64,
    /// The function, if the stack has several
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    /// Its memory in MB [default: the manifest's]
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(i32).range(128..=10_240))]
    pub memory: Option<i32>,
    /// Its processor [default: the manifest's]
    #[arg(long, value_enum)]
    pub architecture: Option<Architecture>,
    /// Items that one request writes, on average
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = items)]
    pub writes: f64,
    /// Items that one request reads, on average
    #[arg(long, value_name = "NUMBER", default_value = "0", value_parser = items)]
    pub reads: f64,
    /// Size of an item in bytes: each started KB is a write unit, each started 4 KB half a read unit
    #[arg(long, value_name = "BYTES", default_value = "1024", value_parser = item_size)]
    pub item_size: f64,
    /// Bytes that one request writes to the log; the default is an estimate
    #[arg(long, value_name = "BYTES", default_value_t = LOG_BYTES, value_parser = log_bytes)]
    pub log_bytes: f64,
    /// Subtract Lambda's monthly free tier: 1M requests and 400,000 GB-seconds
    #[arg(long)]
    pub free_tier: bool,
}

fn requests(text: &str) -> Result<f64, String> {
    let number = number(text)?;
    // 1.001M is a whole number, although a binary fraction times a million is not.
    let whole = number.round();
    if (number - whole).abs() > 0.001 {
        return Err(format!("{text} is not a whole number"));
    }
    within(text, whole, 1.0, 1e12, "1 and 1000B")
}

fn milliseconds(text: &str) -> Result<f64, String> {
    within(text, number(text)?, 0.001, 900_000.0, "0.001 and 900000, Lambda's longest")
}

fn items(text: &str) -> Result<f64, String> {
    within(text, number(text)?, 0.0, 1000.0, "0 and 1000")
}

fn item_size(text: &str) -> Result<f64, String> {
    within(text, number(text)?, 1.0, 409_600.0, "1 and 409600, DynamoDB's largest")
}

fn log_bytes(text: &str) -> Result<f64, String> {
    within(text, number(text)?, 0.0, 1e7, "0 and 10M")
}

/// A number as people write it: `250k`, `1M`, `1.5B`.
fn number(text: &str) -> Result<f64, String> {
    let (digits, factor) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1e3),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1e6),
        Some(b'b' | b'B' | b'g' | b'G') => (&text[..text.len() - 1], 1e9),
        _ => (text, 1.0),
    };
    let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    match digits.parse::<f64>() {
        Ok(number) if plain => Ok(number * factor),
        _ => Err(format!("{text} is not a number; try 250k, 1M or 1.5B")),
    }
}

fn within(text: &str, number: f64, least: f64, most: f64, range: &str) -> Result<f64, String> {
    if (least..=most).contains(&number) { Ok(number) } else { Err(format!("{text} is not between {range}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        for (text, wanted) in [("1", 1.0), ("250k", 250e3), ("1M", 1e6), ("1.5B", 1.5e9), ("0.5", 0.5)] {
            assert_eq!(number(text), Ok(wanted), "{text}");
        }
        for text in ["", "M", "-1", "1e6", "inf", "NaN", "1 M", "1,000", "1.2.3", "ä"] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_told_the_range() {
        assert_eq!(requests("0").unwrap_err(), "0 is not between 1 and 1000B");
        assert_eq!(requests("1.5").unwrap_err(), "1.5 is not a whole number");
        assert_eq!(requests("1.001M"), Ok(1_001_000.0));
        assert!(requests("1001B").is_err() && requests("1000B").is_ok());
        assert!(milliseconds("0").is_err() && milliseconds("900001").is_err() && milliseconds("0.4").is_ok());
        assert!(item_size("0").is_err() && item_size("409601").is_err() && item_size("409600").is_ok());
        assert!(items("1001").is_err() && items("0.25").is_ok() && log_bytes("11M").is_err());
    }
}
