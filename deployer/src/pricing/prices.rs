//! The price book: AWS's list prices in US dollars, with their source and date, from `prices.json`.
//!
//! The prices are from a public copy of the data behind AWS's price pages, as AWS published it on the day that `as_of`
//! says, for the regions that every account has switched on. `checked` says which of them a second, later source gave
//! too. A region that is not there was left out, not guessed.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const BOOK: &str = include_str!("prices.json");

/// Something that AWS counts and charges for.
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
    /// What Lambda writes to CloudWatch Logs, in GB of 2³⁰ bytes.
    LogsIngested,
    /// What is kept there, compressed, in GB × months.
    LogsStored,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    sources: Vec<Source>,
    regions: BTreeMap<String, BTreeMap<Meter, Vec<f64>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    service: String,
    page: String,
    as_of: String,
    checked: String,
    meters: BTreeMap<Meter, Scale>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scale {
    what: String,
    unit: String,
    steps: Vec<f64>,
}

/// What one meter costs in one region.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tariff {
    /// AWS's name of the service.
    pub service: String,
    /// What is counted, in words.
    pub what: String,
    /// What a price is for.
    pub unit: String,
    /// Where, in units of a month, the next price begins.
    pub steps: Vec<f64>,
    /// In dollars a unit: one more than there are steps.
    pub prices: Vec<f64>,
    /// AWS's page.
    pub page: String,
    /// When that page said so: `YYYY-MM-DD`.
    pub as_of: String,
    /// What a second, later source said too.
    pub checked: String,
}

/// All prices of one region.
#[derive(Clone, Debug)]
pub(crate) struct Prices {
    /// AWS's name of it.
    pub region: String,
    tariffs: BTreeMap<Meter, Tariff>,
}

impl Prices {
    /// The prices of a region.
    ///
    /// # Errors
    /// A region that is not in the book: the message names those that are.
    pub(crate) fn of(region: &str) -> Result<Self> {
        let book = book()?;
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

    /// What a meter costs; a test sees that the book has all of them.
    pub(crate) fn tariff(&self, meter: Meter) -> Option<&Tariff> {
        self.tariffs.get(&meter)
    }
}

impl Tariff {
    /// What this many units of one month cost, in dollars.
    pub(crate) fn charge(&self, units: f64) -> f64 {
        self.parts(units).map(|(units, price)| units * price).sum()
    }

    /// The prices that this many units are charged at.
    pub(crate) fn applied(&self, units: f64) -> Vec<f64> {
        let all =
            self.parts(units).filter(|(units, _)| *units > 0.0).map(|(_, price)| price).collect::<Vec<_>>();
        if all.is_empty() { self.prices.iter().take(1).copied().collect() } else { all }
    }

    /// How many of the units are in each step, and its price.
    fn parts(&self, units: f64) -> impl Iterator<Item = (f64, f64)> {
        let starts = std::iter::once(0.0).chain(self.steps.iter().copied());
        let ends = self.steps.iter().copied().chain(std::iter::once(f64::INFINITY));
        let steps = starts.zip(ends).map(move |(start, end)| (units.min(end) - start).max(0.0));
        steps.zip(self.prices.iter().copied())
    }
}

fn book() -> Result<Book> {
    serde_json::from_str(BOOK).map_err(|e| Error::new(format!("the price book cannot be read: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_every_meter_with_a_price_for_each_step() {
        let book = book().unwrap();
        let meters: Vec<(Meter, usize)> = book
            .sources
            .iter()
            .flat_map(|source| source.meters.iter().map(|(meter, scale)| (*meter, scale.steps.len() + 1)))
            .collect();
        assert_eq!((meters.len(), book.regions.len()), (10, 17));
        for (region, prices) in &book.regions {
            let has: Vec<(Meter, usize)> = prices.iter().map(|(meter, all)| (*meter, all.len())).collect();
            let mut wanted = meters.clone();
            wanted.sort_unstable();
            assert_eq!(has, wanted, "{region}");
            for (meter, all) in prices {
                assert!(all.iter().all(|price| *price > 0.0), "{region}: {meter:?}");
                assert!(
                    all.windows(2).all(|two| two[1] <= two[0]),
                    "more is never dearer: {region}: {meter:?}"
                );
            }
            assert_eq!(Prices::of(region).unwrap().region, *region);
        }
    }

    #[test]
    fn a_source_has_its_page_and_its_day() {
        for source in book().unwrap().sources {
            assert!(source.page.starts_with("https://aws.amazon.com/"), "{source:?}");
            let day: Vec<usize> = source.as_of.split('-').map(str::len).collect();
            assert_eq!(day, [4, 2, 2], "{source:?}");
            assert!(!source.checked.is_empty());
            assert!(source.meters.values().all(|scale| scale.steps.is_sorted()), "{source:?}");
        }
    }

    #[test]
    fn of_an_unknown_region_the_known_ones_are_named() {
        let error = Prices::of("eu-south-9").unwrap_err();
        assert_eq!(error.to_string(), "the prices of eu-south-9 are not known here");
        let hint = crate::testing::hints(&error).join("");
        for region in book().unwrap().regions.keys() {
            assert!(hint.contains(region.as_str()), "{region}: {hint}");
        }
    }
}
