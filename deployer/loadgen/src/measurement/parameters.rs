//! The parameters of a load, as a measurement records them.

use super::rounded;
use crate::generator::LoadPlan;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The parameters of a load. Two runs are comparable if rate, mix and concurrency are the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadParameters {
    /// The requests per second.
    pub rate: u32,
    /// The duration of the measurement, in seconds.
    pub duration_s: f64,
    /// The duration of the warm-up, in seconds.
    pub warmup_s: f64,
    /// The maximum number of requests in flight.
    pub concurrency: usize,
    /// The kinds of requests with their shares.
    pub mix: Vec<RequestShare>,
    /// The fingerprint of the mix, [`RequestMix::fingerprint`](crate::RequestMix::fingerprint).
    pub mix_fingerprint: String,
}

/// A kind of request and its share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestShare {
    /// The name of the kind of request.
    pub name: String,
    /// The weight in the mix.
    pub share: u16,
}

impl LoadParameters {
    /// Returns the parameters of a plan.
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
