//! The bill for a number of requests in one month, with one line for each meter.

use super::prices::{Meter, Prices, Tariff};
use super::usage::Usage;
use crate::manifest::Architecture;
use serde::Serialize;

/// The free tier to subtract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FreeTier {
    /// None: list prices.
    Ignored,
    /// Lambda's, which never expires: a million requests and 400,000 GB-seconds a month.
    Lambda,
}

const FREE_LAMBDA_MILLION_REQUESTS: f64 = 1.0;
const FREE_LAMBDA_GB_SECONDS: f64 = 400_000.0;

/// An average month, as AWS counts it.
const HOURS_A_MONTH: f64 = 730.0;
const DAYS_A_MONTH: f64 = HOURS_A_MONTH / 24.0;

/// The compressed size of logs, by which CloudWatch bills storage, as a fraction of the original size. AWS's pricing
/// calculator assumes this value (calculator.aws, 2021); the real one depends on the logs.
pub(crate) const LOG_COMPRESSION: f64 = 0.15;

const MILLION: f64 = 1e6;
const GB: f64 = 1_073_741_824.0;

/// The bill of a month. It assumes that nothing else in the account counts towards the price steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Bill {
    /// The region whose prices apply.
    pub region: String,
    /// The requests of the month.
    pub requests: f64,
    /// One line for each meter, in the order in which a request passes them.
    pub lines: Vec<BillLine>,
    /// The total, in dollars.
    pub usd: f64,
    /// The total for a million requests, at this number of requests, in dollars.
    pub usd_per_million: f64,
}

/// One meter of a bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct BillLine {
    pub meter: Meter,
    /// AWS's name of the service.
    pub service: String,
    /// What is counted, in words.
    pub what: String,
    /// The quantity, in units.
    pub units: f64,
    /// The name of the unit.
    pub unit: String,
    /// The prices of the steps that apply, in dollars a unit.
    pub prices: Vec<f64>,
    /// The cost, in dollars.
    pub usd: f64,
    /// The cost for a million requests, in dollars.
    pub usd_per_million: f64,
    /// The URL of the price page.
    pub source: String,
    /// The date of the prices: `YYYY-MM-DD`.
    pub as_of: String,
    /// Which of the prices a second, later source confirmed.
    pub checked: String,
}

impl Bill {
    /// Adds another bill of the same month.
    pub(crate) fn plus(mut self, other: Self) -> Self {
        for line in other.lines {
            match self.lines.iter_mut().find(|existing| existing.meter == line.meter) {
                Some(existing) => {
                    existing.units += line.units;
                    existing.usd += line.usd;
                }
                None => self.lines.push(line),
            }
        }
        self.lines.sort_by_key(|line| line.meter);
        self.requests += other.requests;
        self.usd += other.usd;
        for line in &mut self.lines {
            line.usd_per_million = per_million(line.usd, self.requests);
        }
        self.usd_per_million = per_million(self.usd, self.requests);
        self
    }
}

impl Prices {
    /// Returns the bill for this many requests in a month.
    pub(crate) fn bill(&self, usage: &Usage, requests: f64, free_tier: FreeTier) -> Bill {
        let millions = requests / MILLION;
        let gb_seconds = requests * gb_seconds(usage.memory_mb, usage.billed_ms);
        let free = if free_tier == FreeTier::Lambda { 1.0 } else { 0.0 };
        let log_gb = requests * usage.log_bytes / GB;
        let lines: Vec<BillLine> = [
            (Meter::RestApiRequests, if usage.through_api { millions } else { 0.0 }),
            (Meter::LambdaRequests, (millions - free * FREE_LAMBDA_MILLION_REQUESTS).max(0.0)),
            (duration_meter(usage.architecture), (gb_seconds - free * FREE_LAMBDA_GB_SECONDS).max(0.0)),
            (Meter::WriteRequests, millions * usage.write_units),
            (Meter::ReadRequests, millions * usage.read_units),
            (Meter::WriteCapacity, usage.capacity.write * HOURS_A_MONTH),
            (Meter::ReadCapacity, usage.capacity.read * HOURS_A_MONTH),
            (Meter::LogsIngested, log_gb),
            // In the steady state, the logs of `log_days` days are stored all the time.
            (Meter::LogsStored, log_gb * LOG_COMPRESSION * f64::from(usage.log_days) / DAYS_A_MONTH),
        ]
        .into_iter()
        .filter(|(meter, units)| *units > 0.0 || is_always_listed(*meter))
        .filter_map(|(meter, units)| Some(line(meter, self.tariff(meter)?, units, requests)))
        .collect();
        let usd = lines.iter().map(|line| line.usd).sum();
        Bill {
            region: self.region.clone(),
            requests,
            lines,
            usd,
            usd_per_million: per_million(usd, requests),
        }
    }

    /// Returns Lambda's cost of a million requests in dollars, at the prices of the first step, for a memory setting in MB and a
    /// mean billed duration in ms.
    pub(crate) fn lambda_per_million(
        &self,
        architecture: Architecture,
        memory_mb: i32,
        billed_ms: f64,
    ) -> f64 {
        let first_step = |meter, units: f64| {
            let price = self.tariff(meter).and_then(|tariff| tariff.prices.first());
            price.copied().unwrap_or_default() * units
        };
        first_step(Meter::LambdaRequests, 1.0)
            + first_step(duration_meter(architecture), MILLION * gb_seconds(memory_mb, billed_ms))
    }
}

/// Lambda's lines are listed even if the free tier covers them.
fn is_always_listed(meter: Meter) -> bool {
    matches!(meter, Meter::LambdaRequests | Meter::LambdaX86 | Meter::LambdaArm)
}

fn duration_meter(architecture: Architecture) -> Meter {
    match architecture {
        Architecture::X86_64 => Meter::LambdaX86,
        Architecture::Arm64 => Meter::LambdaArm,
    }
}

fn gb_seconds(memory_mb: i32, billed_ms: f64) -> f64 {
    f64::from(memory_mb) / 1024.0 * billed_ms / 1000.0
}

fn line(meter: Meter, tariff: &Tariff, units: f64, requests: f64) -> BillLine {
    let usd = tariff.charge(units);
    BillLine {
        meter,
        service: tariff.service.clone(),
        what: tariff.what.clone(),
        units,
        unit: tariff.unit.clone(),
        prices: tariff.applied_prices(units),
        usd,
        usd_per_million: per_million(usd, requests),
        source: tariff.page.clone(),
        as_of: tariff.as_of.clone(),
        checked: tariff.checked.clone(),
    }
}

fn per_million(usd: f64, requests: f64) -> f64 {
    if requests > 0.0 { usd / requests * MILLION } else { 0.0 }
}

/// Formats an amount of dollars with cents, or with three significant digits below a dollar.
pub(crate) fn dollars(usd: f64) -> String {
    let decimals: usize = match usd {
        1.0.. => 2,
        // Smaller amounts are shown as zero.
        ..0.000_000_001 => 2,
        _ => {
            let mut decimals = 3;
            let mut digit = usd * 10.0;
            while digit < 1.0 {
                digit *= 10.0;
                decimals += 1;
            }
            decimals
        }
    };
    let text = format!("{usd:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "00"));
    let mut fraction = fraction;
    while fraction.len() > 2 && fraction.ends_with('0') {
        fraction = &fraction[..fraction.len() - 1];
    }
    format!("${}.{fraction}", grouped(whole))
}

/// Inserts commas between thousands.
pub(crate) fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
