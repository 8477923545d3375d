//! Keeps calls below the rate quotas of AWS's control planes. The quotas are low, most cannot be raised, and a throttled
//! call costs more time than waiting for a free place.
//!
//! The figures are AWS's published quotas: "Amazon API Gateway quotas" (fixed control-plane rates), "Lambda quotas" (API
//! requests), the API reference of `DynamoDB` (at the operations named here), "CloudWatch Logs quotas". AWS publishes none
//! for IAM; its figure is based on reports of users. Other processes share all quotas, so throttling is still possible;
//! `engine/retry.rs` handles it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// The limit for concurrent uploads of code, in bytes of zips. A request holds about 3.5 times its zip in memory.
const MAX_UPLOAD_BYTES: u32 = 12 << 20;

/// The least that a zip counts, so that at most eight are uploaded at once.
const MIN_UPLOAD_BYTES: u32 = MAX_UPLOAD_BYTES / 8;

/// The longest time from sending a request until AWS receives it. The response may take longer.
const MAX_TRANSIT_TIME: Duration = Duration::from_millis(300);

/// How often an operation, or all operations of a service, may be called.
#[derive(Debug)]
pub(crate) struct Quota {
    operation: &'static str,
    /// Completes the sentence "waiting for …".
    pub(crate) reason: &'static str,
    interval: Duration,
    /// How many calls may be sent at once after an idle time.
    burst: u32,
    /// The most calls in any window of this length; `None` where AWS uses a token bucket.
    window: Option<(usize, Duration)>,
}

const QUOTAS: [Quota; 16] = [
    window("apigateway:CreateRestApi", "API Gateway's limit of one CreateRestApi in 3 s", 1, 3_000, 1),
    window("apigateway:PutRestApi", "API Gateway's limit of one PutRestApi a second", 1, 1_000, 1),
    window("apigateway:DeleteRestApi", "API Gateway's limit of one DeleteRestApi in 30 s", 1, 30_000, 1),
    window("apigateway:CreateDeployment", "API Gateway's limit of one CreateDeployment in 5 s", 1, 5_000, 1),
    window("apigateway:GetResources", "API Gateway's limit of five GetResources in 2 s", 5, 2_000, 2),
    window("lambda:GetFunction", "Lambda's limit of a hundred GetFunction a second", 100, 1_000, 40),
    window("lambda:GetPolicy", "Lambda's limit of fifteen GetPolicy a second", 15, 1_000, 2),
    window(
        "dynamodb:ListTagsOfResource",
        "DynamoDB's limit of ten ListTagsOfResource a second",
        10,
        1_000,
        2,
    ),
    window("dynamodb:TagResource", "DynamoDB's limit of five TagResource a second", 5, 1_000, 1),
    window(
        "dynamodb:DescribeContinuousBackups",
        "DynamoDB's limit of ten DescribeContinuousBackups a second",
        10,
        1_000,
        2,
    ),
    window(
        "logs:DescribeLogGroups",
        "CloudWatch Logs' limit of ten DescribeLogGroups a second",
        10,
        1_000,
        1,
    ),
    window(
        "logs:ListTagsForResource",
        "CloudWatch Logs' limit of ten ListTagsForResource a second",
        10,
        1_000,
        1,
    ),
    window("logs:CreateLogGroup", "CloudWatch Logs' limit of ten CreateLogGroup a second", 10, 1_000, 1),
    window("logs:DeleteLogGroup", "CloudWatch Logs' limit of ten DeleteLogGroup a second", 10, 1_000, 1),
    window(
        "logs:PutRetentionPolicy",
        "CloudWatch Logs' limit of ten PutRetentionPolicy a second",
        10,
        1_000,
        1,
    ),
    window("logs:TagResource", "CloudWatch Logs' limit of ten TagResource a second", 10, 1_000, 1),
];

/// All operations of API Gateway together: ten a second, with bursts of forty.
const API_GATEWAY: Quota = Quota {
    operation: "apigateway:*",
    reason: "API Gateway's limit of ten calls a second",
    interval: Duration::from_millis(100),
    burst: 40,
    window: None,
};

/// All operations of Lambda that have no quota of their own.
const LAMBDA: Quota = window("lambda:*", "Lambda's limit of fifteen calls a second", 15, 1_000, 4);

/// All operations of IAM.
const IAM: Quota = window("iam:*", "IAM's limit of some fifty calls a second", 50, 1_000, 5);

/// Returns a quota of at most `max` calls in any window of `millis` milliseconds. `burst` calls may be sent at once, the
/// others evenly. A tenth of the quota is left to other processes, and to calls that arrive less evenly than they were
/// sent.
const fn window(operation: &'static str, reason: &'static str, max: u32, millis: u64, burst: u32) -> Quota {
    let usable = max - max / 10;
    let spread = usable - burst + 1;
    let interval = Duration::from_micros((millis * 1000).div_ceil(spread as u64));
    Quota {
        operation,
        reason,
        interval,
        burst,
        window: Some((usable as usize, Duration::from_millis(millis))),
    }
}

/// A call that was sent and still counts towards a window.
#[derive(Debug)]
struct SentCall {
    number: u64,
    sent_at: Instant,
    answered_at: Option<Instant>,
}

impl SentCall {
    /// Returns the latest time at which AWS may have received and counted the call.
    fn latest_arrival(&self, now: Instant) -> Instant {
        self.answered_at.unwrap_or(now).min(self.sent_at + MAX_TRANSIT_TIME)
    }
}

/// The calls that still count towards the window of each quota.
#[derive(Debug, Default)]
struct SentCalls {
    next_number: u64,
    by_quota: BTreeMap<&'static str, Vec<SentCall>>,
}

/// Identifies a call that was sent, for [`RateLimiter::answered`] and [`RateLimiter::give_back`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallNumber(u64);

/// Limits the rate of calls of this process, and the uploads that run at once.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    /// When each quota will be unused again.
    refilled_at: Mutex<BTreeMap<&'static str, Instant>>,
    sent: Mutex<SentCalls>,
    uploads: Semaphore,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self {
            refilled_at: Mutex::default(),
            sent: Mutex::default(),
            uploads: Semaphore::new(MAX_UPLOAD_BYTES as usize),
        }
    }
}

impl RateLimiter {
    /// Waits for a permit to upload a zip of `size` bytes. The permit is returned when it is dropped. The result is never
    /// `None`, because the semaphore is never closed.
    pub(crate) async fn acquire_upload(&self, size: usize) -> Option<SemaphorePermit<'_>> {
        let size = u32::try_from(size).unwrap_or(MAX_UPLOAD_BYTES).clamp(MIN_UPLOAD_BYTES, MAX_UPLOAD_BYTES);
        self.uploads.acquire_many(size).await.ok()
    }

    /// Reserves the next place for a call. Returns how long to wait for it and which quota requires that; `None` if the
    /// call can be sent at once.
    pub(crate) fn reserve(&self, operation: &str) -> Option<(Duration, &'static Quota)> {
        let mut refilled_at = self.refilled_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let mut longest_wait = None;
        for quota in quotas_for(operation) {
            let refilled_at = refilled_at.entry(quota.operation).or_insert(now);
            let used = refilled_at.saturating_duration_since(now);
            // An unused quota allows a full burst. Each call uses one interval.
            let wait = used.saturating_sub(quota.interval * (quota.burst - 1));
            *refilled_at = now + used + quota.interval;
            if !wait.is_zero() && longest_wait.is_none_or(|(longest, _)| wait > longest) {
                longest_wait = Some((wait, quota));
            }
        }
        longest_wait
    }

    /// Records that a call is sent, after the wait for its place.
    ///
    /// # Errors
    /// How much longer the call must wait. A busy machine wakes calls late, so that several may be sent at once although
    /// their places were apart.
    pub(crate) fn send(&self, operation: &str) -> Result<CallNumber, Duration> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let mut longest_wait = Duration::ZERO;
        for quota in quotas_for(operation) {
            let Some((max, window)) = quota.window else { continue };
            let calls = sent.by_quota.entry(quota.operation).or_default();
            calls.retain(|call| call.latest_arrival(now) + window > now);
            if calls.len() >= max {
                let free_at = calls.iter().map(|call| call.latest_arrival(now) + window).min();
                longest_wait = longest_wait.max(free_at.unwrap_or(now).saturating_duration_since(now));
            }
        }
        if !longest_wait.is_zero() {
            return Err(longest_wait);
        }
        let number = sent.next_number;
        sent.next_number += 1;
        for quota in quotas_for(operation).filter(|quota| quota.window.is_some()) {
            let call = SentCall { number, sent_at: now, answered_at: None };
            sent.by_quota.entry(quota.operation).or_default().push(call);
        }
        Ok(CallNumber(number))
    }

    /// Records that AWS has answered the call.
    pub(crate) fn answered(&self, operation: &str, CallNumber(number): CallNumber) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        for quota in quotas_for(operation) {
            let calls = sent.by_quota.entry(quota.operation).or_default();
            if let Some(call) = calls.iter_mut().find(|call| call.number == number) {
                call.answered_at = Some(Instant::now());
            }
        }
    }

    /// Gives back the place of a call that AWS throttled: other processes used up the quota, not this call.
    pub(crate) fn give_back(&self, operation: &str, CallNumber(number): CallNumber) {
        let mut refilled_at = self.refilled_at.lock().unwrap_or_else(PoisonError::into_inner);
        for quota in quotas_for(operation) {
            if let Some(refilled_at) = refilled_at.get_mut(quota.operation) {
                *refilled_at = refilled_at.checked_sub(quota.interval).unwrap_or(*refilled_at);
            }
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        for quota in quotas_for(operation) {
            sent.by_quota.entry(quota.operation).or_default().retain(|call| call.number != number);
        }
    }
}

fn quotas_for(operation: &str) -> impl Iterator<Item = &'static Quota> {
    let own = QUOTAS.iter().filter(move |quota| quota.operation == operation);
    let shared = match operation.split_once(':') {
        Some(("apigateway", _)) => Some(&API_GATEWAY),
        Some(("lambda", "GetFunction" | "GetPolicy" | "InvokeFunction")) => None,
        Some(("lambda", _)) => Some(&LAMBDA),
        Some(("iam", _)) => Some(&IAM),
        _ => None,
    };
    own.chain(shared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn wait(limiter: &RateLimiter, operation: &str) -> Duration {
        limiter.reserve(operation).map_or(Duration::ZERO, |(wait, _)| wait)
    }

    #[tokio::test(start_paused = true)]
    async fn calls_without_a_quota_do_not_wait() {
        let limiter = RateLimiter::default();
        for operation in ["lambda:InvokeFunction", "dynamodb:DescribeTable", "tag:GetResources"] {
            for _ in 0..1000 {
                assert_eq!(wait(&limiter, operation), Duration::ZERO, "{operation}");
            }
        }
    }

    /// Returns when each of `calls` calls that are made at once may be sent, in milliseconds.
    fn send_times(operation: &str, calls: usize) -> Vec<u128> {
        let limiter = RateLimiter::default();
        (0..calls).map(|_| wait(&limiter, operation).as_millis()).collect()
    }

    /// Returns the highest number of these times in one window.
    fn max_in_window(times: &[u128], window: u128) -> usize {
        let in_window =
            |start: u128| times.iter().filter(|time| (start..start + window).contains(*time)).count();
        times.iter().map(|start| in_window(*start)).max().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn uses_nine_tenths_of_a_quota_in_a_window_and_never_more_than_all() {
        for (operation, max, window) in [
            ("lambda:CreateFunction", 15, 1_000),
            ("lambda:GetFunction", 100, 1_000),
            ("lambda:GetPolicy", 15, 1_000),
            ("apigateway:GetResources", 5, 2_000),
            ("dynamodb:ListTagsOfResource", 10, 1_000),
            ("dynamodb:TagResource", 5, 1_000),
            ("dynamodb:DescribeContinuousBackups", 10, 1_000),
            ("logs:DescribeLogGroups", 10, 1_000),
            ("iam:GetRole", 50, 1_000),
        ] {
            let found = max_in_window(&send_times(operation, 300), window);
            assert!(found <= max && found >= max - max / 10 - 1, "{operation}: {found}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn spreads_calls_that_wake_up_late_and_together() {
        let limiter = RateLimiter::default();
        let send = || limiter.send("lambda:GetPolicy").map(|CallNumber(number)| number);
        for number in 0..14 {
            assert_eq!(send(), Ok(number));
            limiter.answered("lambda:GetPolicy", CallNumber(number));
        }
        advance(Duration::from_millis(400)).await;
        assert_eq!(send(), Err(Duration::from_millis(600)));
        limiter.give_back("lambda:GetPolicy", CallNumber(13));
        assert_eq!(send(), Ok(14), "a throttled call does not count");
        advance(Duration::from_millis(600)).await;
        assert_eq!(send(), Ok(15));
    }

    /// A call that is slow in transit may count towards a later window than the one in which it was sent.
    #[tokio::test(start_paused = true)]
    async fn a_call_counts_from_its_latest_possible_arrival() {
        let limiter = RateLimiter::default();
        let CallNumber(first) = limiter.send("apigateway:PutRestApi").unwrap();
        advance(Duration::from_millis(200)).await;
        assert_eq!(limiter.send("apigateway:PutRestApi").err(), Some(Duration::from_secs(1)));
        limiter.answered("apigateway:PutRestApi", CallNumber(first));
        advance(Duration::from_millis(999)).await;
        assert_eq!(limiter.send("apigateway:PutRestApi").err(), Some(Duration::from_millis(1)));
        advance(Duration::from_millis(1)).await;
        let _ = limiter.send("apigateway:PutRestApi").unwrap();
        advance(Duration::from_millis(1299)).await;
        assert!(limiter.send("apigateway:PutRestApi").is_err());
        advance(Duration::from_millis(1)).await;
        assert!(
            limiter.send("apigateway:PutRestApi").is_ok(),
            "the response may take longer than the transit"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn all_operations_of_iam_share_one_quota() {
        let limiter = RateLimiter::default();
        let operations = ["iam:GetRole", "iam:GetPolicy", "iam:ListEntitiesForPolicy"].into_iter().cycle();
        assert_eq!(
            operations.take(100).take_while(|operation| wait(&limiter, operation).is_zero()).count(),
            5
        );
    }

    #[tokio::test(start_paused = true)]
    async fn writes_to_lambda_share_one_quota_and_two_reads_have_their_own() {
        let limiter = RateLimiter::default();
        let writes = ["lambda:CreateFunction", "lambda:AddPermission", "lambda:TagResource"];
        let waits: Vec<u128> = (0..45).map(|number| wait(&limiter, writes[number % 3]).as_millis()).collect();
        assert_eq!((waits[3], waits[4], waits[5]), (0, 90, 181));
        for (operation, burst) in [("lambda:GetFunction", 40), ("lambda:GetPolicy", 2)] {
            let at_once = (0..100).take_while(|_| wait(&limiter, operation).is_zero()).count();
            assert_eq!(at_once, burst, "{operation}");
        }
    }

    #[tokio::test]
    async fn limits_concurrent_uploads_by_their_size() {
        let at_once = async |size: usize| {
            let limiter = RateLimiter::default();
            let mut permits = Vec::new();
            while let Some(permit) =
                crate::time::at_most(Duration::from_millis(10), limiter.acquire_upload(size)).await
            {
                permits.push(permit);
            }
            let count = permits.len();
            permits.pop();
            assert!(
                crate::time::at_most(Duration::from_millis(10), limiter.acquire_upload(size)).await.is_some()
            );
            count
        };
        assert_eq!((at_once(1_000).await, at_once(5_000_000).await, at_once(50 << 20).await), (8, 2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_deletion_of_an_api_waits_30_seconds() {
        let limiter = RateLimiter::default();
        assert_eq!(wait(&limiter, "apigateway:DeleteRestApi"), Duration::ZERO);
        advance(Duration::from_secs(10)).await;
        let (duration, quota) = limiter.reserve("apigateway:DeleteRestApi").unwrap();
        assert_eq!(duration, Duration::from_secs(20));
        assert!(quota.reason.contains("DeleteRestApi"));
        assert_eq!(wait(&limiter, "apigateway:DeleteRestApi"), Duration::from_secs(50));
        advance(Duration::from_secs(200)).await;
        assert_eq!(wait(&limiter, "apigateway:DeleteRestApi"), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_call_gives_its_place_back() {
        let limiter = RateLimiter::default();
        assert_eq!(wait(&limiter, "apigateway:DeleteRestApi"), Duration::ZERO);
        limiter.give_back("apigateway:DeleteRestApi", CallNumber(0));
        assert_eq!(wait(&limiter, "apigateway:DeleteRestApi"), Duration::ZERO);
        assert_eq!(wait(&limiter, "apigateway:DeleteRestApi"), Duration::from_secs(30));
        limiter.give_back("lambda:GetFunction", CallNumber(0));
        let burst = (0..40).filter(|_| wait(&limiter, "apigateway:GetStage").is_zero()).count();
        assert_eq!(burst, 38, "two calls count");
    }

    #[tokio::test(start_paused = true)]
    async fn sends_a_burst_at_once_and_then_at_the_rate() {
        let limiter = RateLimiter::default();
        let waits: Vec<u128> = (0..42).map(|_| wait(&limiter, "apigateway:GetStage").as_millis()).collect();
        assert_eq!((waits[39], waits[40], waits[41]), (0, 100, 200));
    }
}
