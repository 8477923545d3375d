//! The sections of a run that a comparison resamples.

use crate::series::Point;
use serde::{Deserialize, Serialize};

/// A section of a run with all its latencies. A comparison resamples blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The number of answers with a status below 400.
    pub ok: u64,
    /// The number of answers with status 429.
    pub throttled: u64,
    /// The number of requests with another error or without an answer.
    pub failed: u64,
    /// The latencies in microseconds, with a precision of 1 %, each with its count. They serialize as text, such as
    /// `1023:4 1031:2`.
    #[serde(with = "compact")]
    pub latency_us: Vec<(u64, u64)>,
}

impl Block {
    pub(super) fn new(point: &Point) -> Self {
        Self {
            ok: point.ok,
            throttled: point.throttled,
            failed: point.failed,
            latency_us: point.latencies.recorded().collect(),
        }
    }

    pub(crate) fn answered(&self) -> u64 {
        self.ok + self.throttled + self.failed
    }
}

/// Serializes pairs as one text. A list of lists would take thousands of lines.
mod compact {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(pairs: &[(u64, u64)], serializer: S) -> Result<S::Ok, S::Error> {
        let text: Vec<String> = pairs.iter().map(|(us, count)| format!("{us}:{count}")).collect();
        serializer.serialize_str(&text.join(" "))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(u64, u64)>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pair = |pair: &str| {
            let (us, count) = pair.split_once(':')?;
            Some((us.parse().ok()?, count.parse().ok()?))
        };
        let pairs = text.split_whitespace().map(|text| pair(text).ok_or_else(|| D::Error::custom(text)));
        pairs.collect()
    }
}
