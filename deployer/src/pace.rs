//! The control planes of API Gateway and of Lambda let few calls through, the same for every account, and nobody can raise
//! it. Calls are paced below that, rather than refused: a refusal costs more time than the wait.
//!
//! The figures are AWS's published quotas ("Amazon API Gateway quotas", fixed control-plane rates; "Lambda quotas", API
//! requests). Other processes share them, so a refusal is still possible, and `retry.rs` handles it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often one operation may be called.
#[derive(Debug)]
pub(crate) struct Quota {
    operation: &'static str,
    /// What a wait for it is called, to follow "waiting for".
    pub(crate) reason: &'static str,
    interval: Duration,
    /// Calls that may come at once after a rest.
    burst: u32,
}

const QUOTAS: [Quota; 7] = [
    quota("apigateway:CreateRestApi", "API Gateway's limit of one CreateRestApi in 3 s", 3_000, 1),
    quota("apigateway:PutRestApi", "API Gateway's limit of one PutRestApi a second", 1_000, 1),
    quota("apigateway:DeleteRestApi", "API Gateway's limit of one DeleteRestApi in 30 s", 30_000, 1),
    quota("apigateway:CreateDeployment", "API Gateway's limit of one CreateDeployment in 5 s", 5_000, 1),
    quota("apigateway:GetResources", "API Gateway's limit of five GetResources in 2 s", 400, 5),
    quota("lambda:GetFunction", "Lambda's limit of a hundred GetFunction a second", 10, 80),
    quota("lambda:GetPolicy", "Lambda's limit of fifteen GetPolicy a second", 67, 12),
];

/// All operations of API Gateway's together.
const API_GATEWAY: Quota = quota("apigateway:*", "API Gateway's limit of ten calls a second", 100, 40);

/// All of Lambda's that have no quota of their own. How many may come at once AWS does not say: fewer than a second's.
const LAMBDA: Quota = quota("lambda:*", "Lambda's limit of fifteen calls a second", 67, 12);

const fn quota(operation: &'static str, reason: &'static str, interval_ms: u64, burst: u32) -> Quota {
    Quota { operation, reason, interval: Duration::from_millis(interval_ms), burst }
}

/// The calls of this process so far, as the time at which each quota is whole again.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<BTreeMap<&'static str, Instant>>);

impl Pace {
    /// Takes the next place for a call: how long to wait for it, and what for. `None` goes at once.
    pub(crate) fn reserve(&self, operation: &str) -> Option<(Duration, &'static Quota)> {
        let mut whole = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let mut longest = None;
        for quota in quotas_of(operation) {
            let whole = whole.entry(quota.operation).or_insert(now);
            let spent = whole.saturating_duration_since(now);
            // A rested quota lets a whole burst through; each call of it costs one interval.
            let wait = spent.saturating_sub(quota.interval * (quota.burst - 1));
            *whole = now + spent + quota.interval;
            if !wait.is_zero() && longest.is_none_or(|(before, _)| wait > before) {
                longest = Some((wait, quota));
            }
        }
        longest
    }

    /// The call was refused for its rate, so it has used up nothing: others have, and when a place is free nobody here
    /// knows.
    pub(crate) fn give_back(&self, operation: &str) {
        let mut whole = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for quota in quotas_of(operation) {
            if let Some(whole) = whole.get_mut(quota.operation) {
                *whole = whole.checked_sub(quota.interval).unwrap_or(*whole);
            }
        }
    }
}

fn quotas_of(operation: &str) -> impl Iterator<Item = &'static Quota> {
    let named = QUOTAS.iter().filter(move |quota| quota.operation == operation);
    let shared = match operation.split_once(':') {
        Some(("apigateway", _)) => Some(&API_GATEWAY),
        Some(("lambda", "GetFunction" | "GetPolicy" | "InvokeFunction")) => None,
        Some(("lambda", _)) => Some(&LAMBDA),
        _ => None,
    };
    named.chain(shared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn wait(pace: &Pace, operation: &str) -> Duration {
        pace.reserve(operation).map_or(Duration::ZERO, |(wait, _)| wait)
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_no_such_quota_goes_at_once() {
        let pace = Pace::default();
        for operation in
            ["lambda:InvokeFunction", "iam:GetRole", "dynamodb:DescribeTable", "tag:GetResources"]
        {
            for _ in 0..1000 {
                assert_eq!(wait(&pace, operation), Duration::ZERO, "{operation}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lambdas_changes_share_one_quota_and_two_of_its_reads_have_their_own() {
        let pace = Pace::default();
        let changes = ["lambda:CreateFunction", "lambda:AddPermission", "lambda:TagResource"];
        let waits: Vec<u128> = (0..45).map(|number| wait(&pace, changes[number % 3]).as_millis()).collect();
        assert_eq!((waits[11], waits[12], waits[13], waits[44]), (0, 67, 134, 33 * 67));
        for (operation, burst) in [("lambda:GetFunction", 80), ("lambda:GetPolicy", 12)] {
            let at_once = (0..100).take_while(|_| wait(&pace, operation).is_zero()).count();
            assert_eq!(at_once, burst, "{operation}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_deletion_waits_half_a_minute() {
        let pace = Pace::default();
        assert_eq!(wait(&pace, "apigateway:DeleteRestApi"), Duration::ZERO);
        advance(Duration::from_secs(10)).await;
        let (length, quota) = pace.reserve("apigateway:DeleteRestApi").unwrap();
        assert_eq!(length, Duration::from_secs(20));
        assert!(quota.reason.contains("DeleteRestApi"));
        assert_eq!(wait(&pace, "apigateway:DeleteRestApi"), Duration::from_secs(50));
        advance(Duration::from_secs(200)).await;
        assert_eq!(wait(&pace, "apigateway:DeleteRestApi"), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_call_has_used_up_nothing() {
        let pace = Pace::default();
        assert_eq!(wait(&pace, "apigateway:DeleteRestApi"), Duration::ZERO);
        pace.give_back("apigateway:DeleteRestApi");
        assert_eq!(wait(&pace, "apigateway:DeleteRestApi"), Duration::ZERO);
        assert_eq!(wait(&pace, "apigateway:DeleteRestApi"), Duration::from_secs(30));
        pace.give_back("lambda:GetFunction");
        let burst = (0..40).filter(|_| wait(&pace, "apigateway:GetStage").is_zero()).count();
        assert_eq!(burst, 38, "two calls count");
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_what_follows_at_the_rate() {
        let pace = Pace::default();
        let waits: Vec<u128> = (0..7).map(|_| wait(&pace, "apigateway:GetResources").as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 400, 800]);
        let pace = Pace::default();
        let waits: Vec<u128> = (0..42).map(|_| wait(&pace, "apigateway:GetStage").as_millis()).collect();
        assert_eq!((waits[39], waits[40], waits[41]), (0, 100, 200));
    }
}
