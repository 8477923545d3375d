//! Which runs can be compared.

use crate::measurement::{LoadParameters, Measurement};

/// A shorter run has too few blocks, which are at least a second long.
const SHORTEST_S: f64 = 5.0;

/// Returns why a run with these parameters cannot be compared with an earlier one; empty when it can.
///
/// Each reason is a clause in words, such as `the rate was 20, and is 50`.
#[must_use]
pub fn differences(before: &Measurement, parameters: &LoadParameters) -> Vec<String> {
    let then = &before.asked;
    let mut differences = Vec::new();
    if then.rate != parameters.rate {
        differences.push(format!("the rate was {}, and is {}", then.rate, parameters.rate));
    }
    if then.mix_fingerprint != parameters.mix_fingerprint {
        let (old, new) = (shares(then), shares(parameters));
        differences.push(if old == new {
            "the requests of the mix were others".to_owned()
        } else {
            format!("the mix was {old}, and is {new}")
        });
    }
    if then.concurrency != parameters.concurrency {
        let (old, new) = (then.concurrency, parameters.concurrency);
        differences.push(format!("the concurrency was {old}, and is {new}"));
    }
    if parameters.duration_s < SHORTEST_S {
        differences.push(format!("one that takes less than {SHORTEST_S} s knows nothing of its noise"));
    }
    differences
}

fn shares(parameters: &LoadParameters) -> String {
    let mix = parameters.mix.iter();
    mix.map(|request| format!("{}={}", request.name, request.share)).collect::<Vec<_>>().join(",")
}
