//! What a run was to do.

use super::rounded;
use crate::generator::LoadPlan;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a run was to do. Two runs can be compared if rate, mix and concurrency are the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadParameters {
    /// Requests per second.
    pub rate: u32,
    /// How long it was to measure, in seconds.
    pub duration_s: f64,
    /// How long it was to warm up before that, in seconds.
    pub warmup_s: f64,
    /// How many requests could be in flight at once.
    pub concurrency: usize,
    /// The kinds of requests with their shares.
    pub mix: Vec<RequestShare>,
    /// The same for the same requests in the same shares: [`RequestMix::fingerprint`].
    pub mix_fingerprint: String,
}

/// A kind of request and its share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestShare {
    /// Its name.
    pub name: String,
    /// Its weight in the mix.
    pub share: u16,
}

impl LoadParameters {
    /// Returns what a run of this plan is to do.
    #[must_use]
    pub fn new(plan: &LoadPlan) -> Self {
        let seconds = |time: Duration| rounded(time.as_secs_f64());
        Self {
            rate: plan.schedule.rate,
            duration_s: seconds(plan.schedule.duration),
            warmup_s: seconds(plan.schedule.warmup),
            concurrency: plan.concurrency,
            mix: plan
                .mix
                .kinds()
                .iter()
                .map(|kind| RequestShare { name: kind.name().to_owned(), share: kind.share() })
                .collect(),
            mix_fingerprint: plan.mix.fingerprint(),
        }
    }
}
