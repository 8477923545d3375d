//! The price book: AWS's list prices in US dollars, with their source and date, from `prices.json`.
//!
//! The prices are from a public copy of the data behind AWS's price pages, for the regions that are enabled in every
//! account. `as_of` is the day on which AWS published them. `checked` says which prices a second, later source confirmed.
//! Prices are never guessed: a region without data is left out.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const PRICES_JSON: &str = include_str!("prices.json");

/// A quantity that AWS charges for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Meter {
    /// Requests that reach a REST API, in millions.
    RestApiRequests,
    /// Invocations, in millions.
    LambdaRequests,
    /// Memory × billed duration on Intel and AMD, in GB-seconds.
    #[serde(rename = "lambda_x86_64")]
    LambdaX86,
    /// The same on Graviton.
    #[serde(rename = "lambda_arm64")]
    LambdaArm,
    /// Write request units of on-demand tables, in millions.
    WriteRequests,
    /// Read request units of on-demand tables, in millions.
    ReadRequests,
    /// Provisioned write capacity, in units × hours.
    WriteCapacity,
    /// Provisioned read capacity, in units × hours.
    ReadCapacity,
    /// Logs that Lambda writes to CloudWatch Logs, in GB of 2³⁰ bytes.
    LogsIngested,
    /// Logs that CloudWatch Logs stores, compressed, in GB × months.
    LogsStored,
}

/// The contents of `prices.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceBook {
    sources: Vec<Source>,
    regions: BTreeMap<String, BTreeMap<Meter, Vec<f64>>>,
}

/// A price page, and the meters that it has prices for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    service: String,
    page: String,
    as_of: String,
    checked: String,
    meters: BTreeMap<Meter, MeterDescription>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MeterDescription {
    what: String,
    unit: String,
    steps: Vec<f64>,
}

/// The prices of one meter in one region.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tariff {
    /// AWS's name of the service.
    pub service: String,
    /// What is counted, in words.
    pub what: String,
    /// The name of the unit.
    pub unit: String,
    /// The quantities, in units a month, above which the next price applies.
    pub steps: Vec<f64>,
    /// The price of each step, in dollars a unit: one more than `steps`.
    pub prices: Vec<f64>,
    /// The URL of AWS's price page.
    pub page: String,
    /// The date of the prices: `YYYY-MM-DD`.
    pub as_of: String,
    /// Which of the prices a second, later source confirmed.
    pub checked: String,
}

/// All prices of one region.
#[derive(Clone, Debug)]
pub(crate) struct Prices {
    /// The name of the region.
    pub region: String,
    tariffs: BTreeMap<Meter, Tariff>,
}

impl Prices {
    /// Returns the prices of a region.
    ///
    /// # Errors
    /// A region that is not in the price book; the hint names those that are.
    pub(crate) fn for_region(region: &str) -> Result<Self> {
        let book = price_book()?;
        let Some(prices) = book.regions.get(region) else {
            let known: Vec<&str> = book.regions.keys().map(String::as_str).collect();
            return Err(Error::usage(format!("the prices of {region} are not known here"))
                .hint(format!("Name a region whose prices are with --region: {}.", known.join(", "))));
        };
        let mut tariffs = BTreeMap::new();
        for source in book.sources {
            for (meter, scale) in source.meters {
                let tariff = Tariff {
                    service: source.service.clone(),
                    what: scale.what,
                    unit: scale.unit,
                    steps: scale.steps,
                    prices: prices.get(&meter).cloned().unwrap_or_default(),
                    page: source.page.clone(),
                    as_of: source.as_of.clone(),
                    checked: source.checked.clone(),
                };
                tariffs.insert(meter, tariff);
            }
        }
        Ok(Self { region: region.to_owned(), tariffs })
    }

    /// Returns the prices of a meter. A test checks that the price book has every meter.
    pub(crate) fn tariff(&self, meter: Meter) -> Option<&Tariff> {
        self.tariffs.get(&meter)
    }
}

impl Tariff {
    /// Returns the cost of this many units in a month, in dollars.
    pub(crate) fn charge(&self, units: f64) -> f64 {
        self.steps_used(units).map(|(units, price)| units * price).sum()
    }

    /// Returns the prices of the steps that apply to this many units.
    pub(crate) fn applied_prices(&self, units: f64) -> Vec<f64> {
        let applied = self.steps_used(units).filter(|(units, _)| *units > 0.0).map(|(_, price)| price);
        let applied = applied.collect::<Vec<_>>();
        if applied.is_empty() { self.prices.iter().take(1).copied().collect() } else { applied }
    }

    /// Returns the units in each step, and the price of the step.
    fn steps_used(&self, units: f64) -> impl Iterator<Item = (f64, f64)> {
        let starts = std::iter::once(0.0).chain(self.steps.iter().copied());
        let ends = self.steps.iter().copied().chain(std::iter::once(f64::INFINITY));
        let steps = starts.zip(ends).map(move |(start, end)| (units.min(end) - start).max(0.0));
        steps.zip(self.prices.iter().copied())
    }
}

fn price_book() -> Result<PriceBook> {
    serde_json::from_str(PRICES_JSON).map_err(|e| Error::new(format!("the price book cannot be read: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_every_meter_with_a_price_for_each_step() {
        let book = price_book().unwrap();
        let meters: Vec<(Meter, usize)> = book
            .sources
            .iter()
            .flat_map(|source| source.meters.iter().map(|(meter, scale)| (*meter, scale.steps.len() + 1)))
            .collect();
        assert_eq!((meters.len(), book.regions.len()), (10, 17));
        for (region, prices) in &book.regions {
            let actual: Vec<(Meter, usize)> =
                prices.iter().map(|(meter, step_prices)| (*meter, step_prices.len())).collect();
            let mut expected = meters.clone();
            expected.sort_unstable();
            assert_eq!(actual, expected, "{region}");
            for (meter, step_prices) in prices {
                assert!(step_prices.iter().all(|price| *price > 0.0), "{region}: {meter:?}");
                assert!(
                    step_prices.windows(2).all(|pair| pair[1] <= pair[0]),
                    "prices never rise with the quantity: {region}: {meter:?}"
                );
            }
            assert_eq!(Prices::for_region(region).unwrap().region, *region);
        }
    }

    #[test]
    fn a_source_has_its_page_and_its_day() {
        for source in price_book().unwrap().sources {
            assert!(source.page.starts_with("https://aws.amazon.com/"), "{source:?}");
            let day: Vec<usize> = source.as_of.split('-').map(str::len).collect();
            assert_eq!(day, [4, 2, 2], "{source:?}");
            assert!(!source.checked.is_empty());
            assert!(source.meters.values().all(|scale| scale.steps.is_sorted()), "{source:?}");
        }
    }

    #[test]
    fn of_an_unknown_region_the_known_ones_are_named() {
        let error = Prices::for_region("eu-south-9").unwrap_err();
        assert_eq!(error.to_string(), "the prices of eu-south-9 are not known here");
        let hint = crate::testing::hints(&error).join("");
        for region in price_book().unwrap().regions.keys() {
            assert!(hint.contains(region.as_str()), "{region}: {hint}");
        }
    }
}
