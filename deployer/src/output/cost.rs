//! Renders a bill as a table, with the source and the date of every price.

use super::columns::aligned;
use crate::manifest::Function;
use crate::pricing::{Bill, BillLine, LOG_COMPRESSION, Usage, dollars, grouped};
use serde::Serialize;

/// The bill in the JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Estimate<'a> {
    function: &'a str,
    memory: i32,
    architecture: &'static str,
    billed_ms: f64,
    free_tier: bool,
    #[serde(flatten)]
    bill: &'a Bill,
}

impl<'a> Estimate<'a> {
    pub(crate) fn new(function: &'a str, usage: &Usage, free_tier: bool, bill: &'a Bill) -> Self {
        Self {
            function,
            memory: usage.memory_mb,
            architecture: usage.architecture.name(),
            billed_ms: usage.billed_ms,
            free_tier,
            bill,
        }
    }
}

/// Returns the lines of a bill: the charge for a million requests, for a month, and the price's source.
pub(crate) fn table(bill: &Bill) -> Vec<String> {
    let mut rows = vec![["", "per million", "per month", "price"].map(str::to_owned).to_vec()];
    for line in &bill.lines {
        let what = format!("{}, {}", line.service, line.what);
        rows.push(vec![what, dollars(line.usd_per_million), dollars(line.usd), price(line)]);
    }
    rows.push(vec!["sum".to_owned(), dollars(bill.usd_per_million), dollars(bill.usd)]);
    aligned(&rows, &[0, 3])
}

/// Returns one line with the source and date of all prices.
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
fn price(line: &BillLine) -> String {
    let prices: Vec<String> = line.prices.iter().map(|price| exact(*price)).collect();
    format!("{} a {} ({})", prices.join(", then "), line.unit, source(&line.source, &line.as_of))
}

/// Writes a price with all its digits.
fn exact(usd: f64) -> String {
    let text = usd.to_string();
    match text.split_once('.') {
        None => format!("${text}.00"),
        Some((_, fraction)) if fraction.len() == 1 => format!("${text}0"),
        Some(_) => format!("${text}"),
    }
}

/// Writes a whole number with thousands separators.
pub(crate) fn number(number: f64) -> String {
    grouped(&format!("{number:.0}"))
}

/// Returns notes about the figures. `scales` says whether provisioned capacity may grow beyond what is billed.
pub(crate) fn remarks(function: &Function, usage: &Usage, free_tier: bool, scales: bool) -> String {
    let mut text = String::from("List prices, without taxes");
    text.push_str(if free_tier { ", less Lambda's free tier," } else { " and free tiers," });
    text.push_str(" as if the account used nothing else. Not in it: traffic to the internet, storage of tables, backups");
    if function.tracing {
        text.push_str(", X-Ray's traces");
    }
    text.push('.');
    if scales {
        text.push_str(" Auto scaling adds capacity while it is needed.");
    }
    if usage.log_bytes > 0.0 {
        text.push_str(&format!(
            " Logs are kept {} days, compressed to an estimated {:.0} %.",
            usage.log_days,
            LOG_COMPRESSION * 100.0
        ));
    }
    text
}
