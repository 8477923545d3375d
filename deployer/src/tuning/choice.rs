//! Which of several settings of a function to take, from what was measured at each. Pure.
//!
//! The choices are those of AWS Lambda Power Tuning (<https://github.com/alexcasalboni/aws-lambda-power-tuning>,
//! `lambda/analyzer.js`): the cheapest, the fastest, and the one with the lowest sum of cost and duration, each as a part
//! of the largest. Cost is that of the billed duration, without what each request costs at any setting. Duration is what a
//! request waits for, which is not rounded up to whole milliseconds: the handler's duration and the start of its
//! environment. As there, both means leave out the lowest and the highest fifth: how many environments had to start is
//! chance.

use super::setting::Setting;
use serde::Serialize;
use std::cmp::Ordering;

/// The weight of cost in the balance; duration has the rest.
const WEIGHT: f64 = 0.5;

/// A setting that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) setting: Setting,
    /// The mean duration of a request in Lambda, in ms.
    pub(crate) duration_ms: f64,
    /// What the billed duration of a million requests costs.
    pub(crate) usd: f64,
}

/// The setting to take, by what matters.
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
    /// Chooses; `None` when there is no candidate.
    pub(crate) fn new(candidates: &[Candidate]) -> Option<Self> {
        let largest = |of: fn(&Candidate) -> f64| candidates.iter().map(of).fold(0.0, f64::max);
        let (usd, duration_ms) =
            (largest(|candidate| candidate.usd), largest(|candidate| candidate.duration_ms));
        let sum = |candidate: &Candidate| {
            WEIGHT * part(candidate.usd, usd) + (1.0 - WEIGHT) * part(candidate.duration_ms, duration_ms)
        };
        let least = |by: &dyn Fn(&Candidate) -> (f64, f64)| {
            let order = |a: &&Candidate, b: &&Candidate| in_order(by(a), by(b));
            candidates.iter().min_by(order).map(|candidate| candidate.setting)
        };
        Some(Self {
            cheapest: least(&|candidate| (candidate.usd, candidate.duration_ms))?,
            fastest: least(&|candidate| (candidate.duration_ms, candidate.usd))?,
            balanced: least(&|candidate| (sum(candidate), 0.0))?,
        })
    }

    /// Returns what a setting was chosen for.
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
    use crate::manifest::Architecture;

    fn setting(memory_mb: i32) -> Setting {
        Setting { memory_mb, architecture: Architecture::X86_64 }
    }

    fn point((memory_mb, duration_ms, usd): (i32, f64, f64)) -> Candidate {
        Candidate { setting: setting(memory_mb), duration_ms, usd }
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
            let candidates: Vec<Candidate> = points.iter().copied().map(point).collect();
            let expected = Choice {
                cheapest: setting(cheapest),
                fastest: setting(fastest),
                balanced: setting(balanced),
            };
            assert_eq!(Choice::new(&candidates), Some(expected), "{candidates:?}");
        }
        assert_eq!(Choice::new(&[]), None);
    }

    #[test]
    fn a_setting_may_be_chosen_for_several_reasons() {
        let choice = Choice { cheapest: setting(128), fastest: setting(512), balanced: setting(128) };
        assert_eq!(choice.reasons(setting(128)), ["cheapest", "balanced"]);
        assert_eq!(choice.reasons(setting(512)), ["fastest"]);
        assert!(choice.reasons(setting(256)).is_empty());
    }
}
