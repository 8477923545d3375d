//! A bill as a table, with the source and the day of every price.

use super::columns::aligned;
use crate::pricing::{Bill, Line, dollars, grouped};

/// The lines of a bill: what is charged, for a million requests and for a month, and where the price is from.
pub(crate) fn table(bill: &Bill) -> Vec<String> {
    let mut rows = vec![["", "per million", "per month", "price"].map(str::to_owned).to_vec()];
    for line in &bill.lines {
        let what = format!("{}, {}", line.service, line.what);
        rows.push(vec![what, dollars(line.usd_per_million), dollars(line.usd), price(line)]);
    }
    rows.push(vec!["sum".to_owned(), dollars(bill.usd_per_million), dollars(bill.usd)]);
    aligned(&rows, &[0, 3])
}

/// Where the prices are from, and of which day: one line for all of them.
pub(crate) fn sources(bill: &Bill) -> String {
    let mut all: Vec<String> = bill.lines.iter().map(|line| source(&line.source, &line.as_of)).collect();
    all.dedup();
    format!("List prices, without taxes and free tiers, from {}.", all.join("; "))
}

/// `aws.amazon.com/lambda/pricing, 2025-10-30`.
pub(crate) fn source(page: &str, as_of: &str) -> String {
    format!("{}, {as_of}", page.trim_start_matches("https://").trim_end_matches('/'))
}

/// `$3.50 a million (aws.amazon.com/api-gateway/pricing, 2025-10-20)`.
fn price(line: &Line) -> String {
    let prices: Vec<String> = line.prices.iter().map(|price| exact(*price)).collect();
    format!("{} a {} ({})", prices.join(", then "), line.unit, source(&line.source, &line.as_of))
}

/// A price with all its digits.
fn exact(usd: f64) -> String {
    let text = usd.to_string();
    match text.split_once('.') {
        None => format!("${text}.00"),
        Some((_, fraction)) if fraction.len() == 1 => format!("${text}0"),
        Some(_) => format!("${text}"),
    }
}

/// A whole number with commas.
pub(crate) fn number(number: f64) -> String {
    grouped(&format!("{number:.0}"))
}
