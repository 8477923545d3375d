//! Decides whether two runs can be compared.

use crate::measurement::{LoadParameters, Measurement};

/// The minimum duration of a run. A block takes at least a second, so a shorter run has too few blocks.
const MIN_DURATION_S: f64 = 5.0;

/// Returns the reasons why a run with these parameters cannot be compared with an earlier one. Without reasons it can.
///
/// Each reason is a clause, such as `the rate was 20, and is 50`.
#[must_use]
pub fn differences(before: &Measurement, parameters: &LoadParameters) -> Vec<String> {
    let earlier = &before.asked;
    let mut differences = Vec::new();
    if earlier.rate != parameters.rate {
        differences.push(format!("the rate was {}, and is {}", earlier.rate, parameters.rate));
    }
    if earlier.mix_fingerprint != parameters.mix_fingerprint {
        let (old, new) = (shares(earlier), shares(parameters));
        differences.push(if old == new {
            "the requests of the mix were different".to_owned()
        } else {
            format!("the mix was {old}, and is {new}")
        });
    }
    if earlier.concurrency != parameters.concurrency {
        let (old, new) = (earlier.concurrency, parameters.concurrency);
        differences.push(format!("the concurrency was {old}, and is {new}"));
    }
    if parameters.duration_s < MIN_DURATION_S {
        differences.push(format!("a run of less than {MIN_DURATION_S} s is too short to estimate its noise"));
    }
    differences
}

fn shares(parameters: &LoadParameters) -> String {
    let mix = parameters.mix.iter();
    mix.map(|request| format!("{}={}", request.name, request.share)).collect::<Vec<_>>().join(",")
}
