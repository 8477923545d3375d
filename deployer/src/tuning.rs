//! Which of several settings of a function to take, from what each was measured at. Pure.
//!
//! The choices are those of AWS Lambda Power Tuning (<https://github.com/alexcasalboni/aws-lambda-power-tuning>,
//! `lambda/analyzer.js`): the cheapest, the fastest, and the one with the lowest sum of cost and duration, each as a part
//! of the largest. Cost is that of the billed duration, without what each request costs at any setting. Duration is what a
//! request waits for, which is not rounded up to whole milliseconds: the handler's duration and the start of its
//! environment. As there, both means leave out the lowest and the highest fifth: how many environments had to start is
//! chance.

use crate::load::{Measurement, Percentiles, Server};
use crate::manifest::Architecture;
use crate::pricing::Prices;
use serde::Serialize;
use std::cmp::Ordering;

/// What each of cost and duration counts in the balance.
const WEIGHT: f64 = 0.5;

/// What can be tried of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Setting {
    pub(crate) memory_mb: i32,
    pub(crate) architecture: Architecture,
}

impl Setting {
    /// Every memory setting with every processor, each once.
    pub(crate) fn all(memory: &[i32], architectures: &[Architecture]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for architecture in architectures {
            for memory_mb in memory {
                let setting = Self { memory_mb: *memory_mb, architecture: *architecture };
                if !all.contains(&setting) {
                    all.push(setting);
                }
            }
        }
        all
    }

    /// In words: `256 MB, x86_64`.
    pub(crate) fn text(self) -> String {
        format!("{} MB, {}", self.memory_mb, self.architecture.name())
    }
}

/// What requests came to at one setting.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Trial {
    #[serde(flatten)]
    pub(crate) setting: Setting,
    /// Answers that were no errors, per second.
    pub(crate) throughput: f64,
    pub(crate) requests: u64,
    pub(crate) throttled: u64,
    /// Of the answers, and of the function itself.
    pub(crate) failed: u64,
    /// Never sent, because no connection was free until the end.
    pub(crate) unsent: u64,
    /// From the intended time to the end of the answer.
    pub(crate) latency_ms: Option<Percentiles>,
    /// The mean duration with the start of the environment, without the lowest and the highest fifth; null where the
    /// function's reports could not be found.
    pub(crate) duration_ms: Option<f64>,
    /// The mean of what Lambda bills, likewise.
    pub(crate) billed_ms: Option<f64>,
    pub(crate) max_memory_used_mb: Option<u64>,
    /// What Lambda takes for a million such requests; null where prices are not known.
    pub(crate) lambda_usd_per_million: Option<f64>,
    /// The part of it that is the same at any setting.
    #[serde(skip)]
    pub(crate) requests_usd: f64,
}

impl Trial {
    pub(crate) fn of(
        setting: Setting,
        measurement: &Measurement,
        server: Option<&Server>,
        prices: Option<&Prices>,
    ) -> Self {
        let counts = &measurement.counts;
        let usd = |memory_mb: i32, billed_ms: f64| {
            Some(prices?.lambda_per_million(setting.architecture, memory_mb, billed_ms))
        };
        Self {
            setting,
            throughput: measurement.throughput,
            requests: counts.sent,
            throttled: counts.throttled,
            failed: counts.failed() + server.map_or(0, |server| server.failures),
            unsent: counts.unsent,
            latency_ms: measurement.latency_ms,
            duration_ms: server.map(|server| server.duration_trimmed_ms),
            billed_ms: server.map(|server| server.billed_trimmed_ms),
            max_memory_used_mb: server.map(|server| server.max_memory_used_mb),
            lambda_usd_per_million: server
                .and_then(|server| usd(setting.memory_mb, server.billed_trimmed_ms)),
            requests_usd: usd(0, 0.0).unwrap_or_default(),
        }
    }

    /// What a choice needs of it; `None` when something failed, which may be quick and cheap, when the setting did not
    /// carry the load, or when a figure is not known.
    pub(crate) fn point(&self) -> Option<Point> {
        let (duration_ms, usd) = (self.duration_ms?, self.lambda_usd_per_million? - self.requests_usd);
        (self.failed + self.unsent == 0).then_some(Point { setting: self.setting, duration_ms, usd })
    }
}

/// A setting as a choice sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) setting: Setting,
    /// The mean duration of a request in Lambda, in ms.
    pub(crate) duration_ms: f64,
    /// What the billed duration of a million requests costs.
    pub(crate) usd: f64,
}

/// What to take, by what matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Choice {
    /// Of several with the same cost, the fastest.
    pub(crate) cheapest: Setting,
    /// Of several with the same duration, the cheapest.
    pub(crate) fastest: Setting,
    /// Half cost and half duration.
    pub(crate) balanced: Setting,
}

impl Choice {
    /// `None` when there is nothing to choose from.
    pub(crate) fn of(points: &[Point]) -> Option<Self> {
        let largest = |of: fn(&Point) -> f64| points.iter().map(of).fold(0.0, f64::max);
        let (usd, duration_ms) = (largest(|point| point.usd), largest(|point| point.duration_ms));
        let sum = |point: &Point| {
            WEIGHT * part(point.usd, usd) + (1.0 - WEIGHT) * part(point.duration_ms, duration_ms)
        };
        let least = |by: &dyn Fn(&Point) -> (f64, f64)| {
            let order = |a: &&Point, b: &&Point| in_order(by(a), by(b));
            points.iter().min_by(order).map(|point| point.setting)
        };
        Some(Self {
            cheapest: least(&|point| (point.usd, point.duration_ms))?,
            fastest: least(&|point| (point.duration_ms, point.usd))?,
            balanced: least(&|point| (sum(point), 0.0))?,
        })
    }

    /// What a setting was chosen for.
    pub(crate) fn reasons(&self, setting: Setting) -> Vec<&'static str> {
        let choices = [(self.cheapest, "cheapest"), (self.fastest, "fastest"), (self.balanced, "balanced")];
        choices.into_iter().filter(|(chosen, _)| *chosen == setting).map(|(_, why)| why).collect()
    }
}

fn part(of: f64, largest: f64) -> f64 {
    if largest > 0.0 { of / largest } else { 0.0 }
}

fn in_order(a: (f64, f64), b: (f64, f64)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(memory_mb: i32) -> Setting {
        Setting { memory_mb, architecture: Architecture::X86_64 }
    }

    fn point((memory_mb, duration_ms, usd): (i32, f64, f64)) -> Point {
        Point { setting: setting(memory_mb), duration_ms, usd }
    }

    #[test]
    fn the_choices_are_those_of_power_tuning() {
        // Memory, duration, cost; then cheapest, fastest, balanced by hand.
        let cases: [(&[(i32, f64, f64)], [i32; 3]); 6] = [
            (&[(128, 10.0, 2.0)], [128; 3]),
            // Waits for others: more memory is only dearer. 0.5+0.25, 0.49+0.5.
            (&[(128, 10.0, 2.0), (256, 9.8, 4.0)], [128, 256, 128]),
            // Computes: twice the memory, half the time, the same price. Of the same cost the fastest is cheapest.
            (&[(128, 100.0, 2.0), (256, 50.0, 2.0), (512, 25.0, 2.0)], [512, 512, 512]),
            // 0.5·1/6+0.5·1=0.583, 0.5·2/6+0.5·0.4=0.367, 0.5·1+0.5·0.3=0.65.
            (&[(128, 100.0, 1.0), (512, 40.0, 2.0), (1769, 30.0, 6.0)], [128, 1769, 512]),
            // As quick: the cheaper one is the fastest.
            (&[(1024, 5.0, 8.0), (512, 5.0, 4.0)], [512, 512, 512]),
            // The same in all: the first.
            (&[(256, 5.0, 4.0), (128, 5.0, 4.0)], [256, 256, 256]),
        ];
        for (points, [cheapest, fastest, balanced]) in cases {
            let points: Vec<Point> = points.iter().copied().map(point).collect();
            let expected = Choice {
                cheapest: setting(cheapest),
                fastest: setting(fastest),
                balanced: setting(balanced),
            };
            assert_eq!(Choice::of(&points), Some(expected), "{points:?}");
        }
        assert_eq!(Choice::of(&[]), None);
    }

    #[test]
    fn a_setting_may_be_chosen_for_several_reasons() {
        let choice = Choice { cheapest: setting(128), fastest: setting(512), balanced: setting(128) };
        assert_eq!(choice.reasons(setting(128)), ["cheapest", "balanced"]);
        assert_eq!(choice.reasons(setting(512)), ["fastest"]);
        assert!(choice.reasons(setting(256)).is_empty());
    }

    #[test]
    fn settings_are_all_combinations_each_once() {
        let both = [Architecture::X86_64, Architecture::Arm64];
        let all: Vec<String> = Setting::all(&[256, 128, 256], &both).into_iter().map(Setting::text).collect();
        assert_eq!(all, ["256 MB, x86_64", "128 MB, x86_64", "256 MB, arm64", "128 MB, arm64"]);
    }
}
