//! What a number of requests in one month costs, meter by meter.

use super::prices::{Meter, Prices, Tariff};
use super::usage::Usage;
use crate::manifest::Architecture;
use serde::Serialize;

/// What a free tier takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FreeTier {
    /// Nothing: list prices.
    Ignored,
    /// Lambda's, which every account has for ever: a million requests and 400,000 GB-seconds a month.
    Lambda,
}

const FREE_LAMBDA_MILLION_REQUESTS: f64 = 1.0;
const FREE_LAMBDA_GB_SECONDS: f64 = 400_000.0;

/// As AWS counts an average month.
const HOURS_A_MONTH: f64 = 730.0;
const DAYS_A_MONTH: f64 = HOURS_A_MONTH / 24.0;

/// What is left of logs when CloudWatch has compressed them, which is what their storage is billed by. AWS's pricing
/// calculator assumes it (calculator.aws, 2021); it depends on what is logged.
pub(crate) const LOG_COMPRESSION: f64 = 0.15;

const MILLION: f64 = 1e6;
const GB: f64 = 1_073_741_824.0;

/// A month's bill, as if nothing else in the account counted towards its steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Bill {
    /// Where.
    pub region: String,
    /// How many requests.
    pub requests: f64,
    /// Meter by meter, in the order of a request's way.
    pub lines: Vec<Line>,
    /// The sum, in dollars.
    pub usd: f64,
    /// The sum for a million requests, at this number of them.
    pub usd_per_million: f64,
}

/// One meter of a bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    /// Which.
    pub meter: Meter,
    /// AWS's name of the service.
    pub service: String,
    /// What is counted, in words.
    pub what: String,
    /// How much of it.
    pub units: f64,
    /// Of what.
    pub unit: String,
    /// The prices of a unit that it is charged at, in dollars.
    pub prices: Vec<f64>,
    /// What it comes to, in dollars.
    pub usd: f64,
    /// The same for a million requests.
    pub usd_per_million: f64,
    /// The page that the prices stand on.
    pub source: String,
    /// The day that they stood there.
    pub as_of: String,
    /// What a second, later source said too.
    pub checked: String,
}

impl Bill {
    /// Both together, as of one month.
    pub(crate) fn and(mut self, other: Self) -> Self {
        for line in other.lines {
            match self.lines.iter_mut().find(|own| own.meter == line.meter) {
                Some(own) => {
                    own.units += line.units;
                    own.usd += line.usd;
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
    /// What this many requests in a month cost.
    pub(crate) fn bill(&self, usage: &Usage, requests: f64, free_tier: FreeTier) -> Bill {
        let millions = requests / MILLION;
        let gb_seconds = requests * gb_seconds(usage.memory_mb, usage.billed_ms);
        let free = if free_tier == FreeTier::Lambda { 1.0 } else { 0.0 };
        let log_gb = requests * usage.log_bytes / GB;
        let hours = [usage.capacity.write * HOURS_A_MONTH, usage.capacity.read * HOURS_A_MONTH];
        let lines: Vec<Line> = [
            (Meter::RestApiRequests, if usage.through_api { millions } else { 0.0 }),
            (Meter::LambdaRequests, (millions - free * FREE_LAMBDA_MILLION_REQUESTS).max(0.0)),
            (duration(usage.architecture), (gb_seconds - free * FREE_LAMBDA_GB_SECONDS).max(0.0)),
            (Meter::WriteRequests, millions * usage.write_units),
            (Meter::ReadRequests, millions * usage.read_units),
            (Meter::WriteCapacity, hours[0]),
            (Meter::ReadCapacity, hours[1]),
            (Meter::LogsIngested, log_gb),
            // What is taken in within a month is kept for so many, in the steady state too.
            (Meter::LogsStored, log_gb * LOG_COMPRESSION * f64::from(usage.log_days) / DAYS_A_MONTH),
        ]
        .into_iter()
        .filter(|(meter, units)| *units > 0.0 || always(*meter))
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

    /// What Lambda alone takes for a million requests, in dollars, at the prices of the first step: for a memory setting
    /// in MB and a mean billed duration in ms.
    pub(crate) fn lambda_per_million(
        &self,
        architecture: Architecture,
        memory_mb: i32,
        billed_ms: f64,
    ) -> f64 {
        let first = |meter, units: f64| {
            let price = self.tariff(meter).and_then(|tariff| tariff.prices.first());
            price.copied().unwrap_or_default() * units
        };
        first(Meter::LambdaRequests, 1.0)
            + first(duration(architecture), MILLION * gb_seconds(memory_mb, billed_ms))
    }
}

/// Lambda's are shown also when the free tier leaves nothing of them.
fn always(meter: Meter) -> bool {
    matches!(meter, Meter::LambdaRequests | Meter::LambdaX86 | Meter::LambdaArm)
}

fn duration(architecture: Architecture) -> Meter {
    match architecture {
        Architecture::X86_64 => Meter::LambdaX86,
        Architecture::Arm64 => Meter::LambdaArm,
    }
}

fn gb_seconds(memory_mb: i32, billed_ms: f64) -> f64 {
    f64::from(memory_mb) / 1024.0 * billed_ms / 1000.0
}

fn line(meter: Meter, tariff: &Tariff, units: f64, requests: f64) -> Line {
    let usd = tariff.charge(units);
    Line {
        meter,
        service: tariff.service.clone(),
        what: tariff.what.clone(),
        units,
        unit: tariff.unit.clone(),
        prices: tariff.applied(units),
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

/// An amount as people read it: with cents, and below a dollar with three digits that say something.
pub(crate) fn dollars(usd: f64) -> String {
    let decimals: usize = match usd {
        1.0.. => 2,
        // Of less, nobody has a bill.
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

/// With commas between thousands.
pub(crate) fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
