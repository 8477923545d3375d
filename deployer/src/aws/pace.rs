//! AWS lets few calls through to its control planes, and for most of them nobody can raise that. Calls are paced below it
//! rather than refused: a refusal costs more time than the wait.
//!
//! The figures are AWS's published quotas: "Amazon API Gateway quotas" (fixed control-plane rates), "Lambda quotas" (API
//! requests), the API reference of `DynamoDB` (of the operations named here), "CloudWatch Logs quotas". Of IAM, AWS publishes
//! none; what is kept here is what others were let through. Other processes share all of them, so a refusal is still
//! possible, and `engine/retry.rs` handles it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// How much code may be on its way at once, in bytes of zips: a request holds its zip about three and a half times in memory.
const UPLOADING: u32 = 12 << 20;

/// What a small zip counts as, so that no more than eight are on their way.
const SMALL_UPLOAD: u32 = UPLOADING / 8;

/// A call has arrived by then, even if its answer takes longer.
const LONGEST_WAY: Duration = Duration::from_millis(300);

/// How often one operation may be called.
#[derive(Debug)]
pub(crate) struct Quota {
    operation: &'static str,
    /// What a wait for it is called, to follow "waiting for".
    pub(crate) reason: &'static str,
    interval: Duration,
    /// Calls that may come at once after a rest.
    burst: u32,
    /// So many in so long a window, wherever it begins; `None` where AWS counts in another way.
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

/// All operations of API Gateway's together: ten a second, and forty at once after a rest.
const API_GATEWAY: Quota = Quota {
    operation: "apigateway:*",
    reason: "API Gateway's limit of ten calls a second",
    interval: Duration::from_millis(100),
    burst: 40,
    window: None,
};

/// All of Lambda's that have no quota of their own.
const LAMBDA: Quota = window("lambda:*", "Lambda's limit of fifteen calls a second", 15, 1_000, 4);

/// All of IAM's.
const IAM: Quota = window("iam:*", "IAM's limit of some fifty calls a second", 50, 1_000, 5);

/// A quota of so many calls in any window of so many milliseconds, wherever it begins: `burst` may come at once, and the rest
/// evenly. One in ten is left to others, and to calls that arrive less evenly than they were sent.
const fn window(operation: &'static str, reason: &'static str, most: u32, millis: u64, burst: u32) -> Quota {
    let ours = most - most / 10;
    let evenly = ours - burst + 1;
    let interval = Duration::from_micros((millis * 1000).div_ceil(evenly as u64));
    Quota { operation, reason, interval, burst, window: Some((ours as usize, Duration::from_millis(millis))) }
}

/// A call on its way, or answered not long ago.
#[derive(Debug)]
struct Sending {
    number: u64,
    at: Instant,
    answered: Option<Instant>,
}

impl Sending {
    /// AWS counts a call when it arrives, which is between these two.
    fn latest_arrival(&self, now: Instant) -> Instant {
        self.answered.unwrap_or(now).min(self.at + LONGEST_WAY)
    }
}

/// The calls that were sent, as far back as each quota's window goes.
#[derive(Debug, Default)]
struct Sent {
    next: u64,
    of: BTreeMap<&'static str, Vec<Sending>>,
}

/// Which call it is, to tell [`Pace`] of its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number(u64);

/// The calls of this process so far.
#[derive(Debug)]
pub(crate) struct Pace {
    /// When each quota is whole again.
    whole: Mutex<BTreeMap<&'static str, Instant>>,
    sent: Mutex<Sent>,
    uploads: Semaphore,
}

impl Default for Pace {
    fn default() -> Self {
        Self { whole: Mutex::default(), sent: Mutex::default(), uploads: Semaphore::new(UPLOADING as usize) }
    }
}

impl Pace {
    /// Waits for a turn to upload a zip of so many bytes, which lasts until it is dropped. `None` never comes: nobody closes it.
    pub(crate) async fn upload(&self, size: usize) -> Option<SemaphorePermit<'_>> {
        let size = u32::try_from(size).unwrap_or(UPLOADING).clamp(SMALL_UPLOAD, UPLOADING);
        self.uploads.acquire_many(size).await.ok()
    }

    /// Takes the next place for a call: how long to wait for it, and what for. `None` goes at once.
    pub(crate) fn reserve(&self, operation: &str) -> Option<(Duration, &'static Quota)> {
        let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Sends a call whose place has come.
    ///
    /// # Errors
    /// How long it still has to wait: a busy machine wakes calls late, and several at once whose places were apart.
    pub(crate) fn send(&self, operation: &str) -> Result<Number, Duration> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let mut longest = Duration::ZERO;
        for quota in quotas_of(operation) {
            let Some((most, window)) = quota.window else { continue };
            let calls = sent.of.entry(quota.operation).or_default();
            calls.retain(|call| call.latest_arrival(now) + window > now);
            if calls.len() >= most {
                let free = calls.iter().map(|call| call.latest_arrival(now) + window).min();
                longest = longest.max(free.unwrap_or(now).saturating_duration_since(now));
            }
        }
        if !longest.is_zero() {
            return Err(longest);
        }
        let number = sent.next;
        sent.next += 1;
        for quota in quotas_of(operation).filter(|quota| quota.window.is_some()) {
            let call = Sending { number, at: now, answered: None };
            sent.of.entry(quota.operation).or_default().push(call);
        }
        Ok(Number(number))
    }

    /// The call has arrived.
    pub(crate) fn answered(&self, operation: &str, Number(number): Number) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        for quota in quotas_of(operation) {
            let calls = sent.of.entry(quota.operation).or_default();
            if let Some(call) = calls.iter_mut().find(|call| call.number == number) {
                call.answered = Some(Instant::now());
            }
        }
    }

    /// The call was refused for its rate, so it has used up nothing: others have, and when a place is free nobody here
    /// knows.
    pub(crate) fn give_back(&self, operation: &str, Number(number): Number) {
        let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        for quota in quotas_of(operation) {
            if let Some(whole) = whole.get_mut(quota.operation) {
                *whole = whole.checked_sub(quota.interval).unwrap_or(*whole);
            }
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        for quota in quotas_of(operation) {
            sent.of.entry(quota.operation).or_default().retain(|call| call.number != number);
        }
    }
}

fn quotas_of(operation: &str) -> impl Iterator<Item = &'static Quota> {
    let named = QUOTAS.iter().filter(move |quota| quota.operation == operation);
    let shared = match operation.split_once(':') {
        Some(("apigateway", _)) => Some(&API_GATEWAY),
        Some(("lambda", "GetFunction" | "GetPolicy" | "InvokeFunction")) => None,
        Some(("lambda", _)) => Some(&LAMBDA),
        Some(("iam", _)) => Some(&IAM),
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
        for operation in ["lambda:InvokeFunction", "dynamodb:DescribeTable", "tag:GetResources"] {
            for _ in 0..1000 {
                assert_eq!(wait(&pace, operation), Duration::ZERO, "{operation}");
            }
        }
    }

    /// When each of so many calls of an operation is let through that all come at once, in milliseconds.
    fn times(operation: &str, calls: usize) -> Vec<u128> {
        let pace = Pace::default();
        (0..calls).map(|_| wait(&pace, operation).as_millis()).collect()
    }

    /// The most of these times that lie in one window.
    fn most_within(times: &[u128], window: u128) -> usize {
        let in_window =
            |start: u128| times.iter().filter(|time| (start..start + window).contains(*time)).count();
        times.iter().map(|start| in_window(*start)).max().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_calls_than_its_quota_and_nine_in_ten_of_it_are_used() {
        for (operation, most, window) in [
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
            let found = most_within(&times(operation, 300), window);
            assert!(found <= most && found >= most - most / 10 - 1, "{operation}: {found}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_wake_up_late_and_together_are_held_apart() {
        let pace = Pace::default();
        let send = || pace.send("lambda:GetPolicy").map(|Number(number)| number);
        for number in 0..14 {
            assert_eq!(send(), Ok(number));
            pace.answered("lambda:GetPolicy", Number(number));
        }
        advance(Duration::from_millis(400)).await;
        assert_eq!(send(), Err(Duration::from_millis(600)));
        pace.give_back("lambda:GetPolicy", Number(13));
        assert_eq!(send(), Ok(14), "what was refused does not count");
        advance(Duration::from_millis(600)).await;
        assert_eq!(send(), Ok(15));
    }

    /// A call that is slow on its way falls into a later window than that in which it was sent.
    #[tokio::test(start_paused = true)]
    async fn a_call_counts_until_it_has_arrived() {
        let pace = Pace::default();
        let Number(first) = pace.send("apigateway:PutRestApi").unwrap();
        advance(Duration::from_millis(200)).await;
        assert_eq!(pace.send("apigateway:PutRestApi").err(), Some(Duration::from_secs(1)));
        pace.answered("apigateway:PutRestApi", Number(first));
        advance(Duration::from_millis(999)).await;
        assert_eq!(pace.send("apigateway:PutRestApi").err(), Some(Duration::from_millis(1)));
        advance(Duration::from_millis(1)).await;
        let _ = pace.send("apigateway:PutRestApi").unwrap();
        advance(Duration::from_millis(1299)).await;
        assert!(pace.send("apigateway:PutRestApi").is_err());
        advance(Duration::from_millis(1)).await;
        assert!(pace.send("apigateway:PutRestApi").is_ok(), "an answer may take longer than the way there");
    }

    #[tokio::test(start_paused = true)]
    async fn all_operations_of_iam_share_one_quota() {
        let pace = Pace::default();
        let at_once = ["iam:GetRole", "iam:GetPolicy", "iam:ListEntitiesForPolicy"].into_iter().cycle();
        assert_eq!(at_once.take(100).take_while(|operation| wait(&pace, operation).is_zero()).count(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn lambdas_changes_share_one_quota_and_two_of_its_reads_have_their_own() {
        let pace = Pace::default();
        let changes = ["lambda:CreateFunction", "lambda:AddPermission", "lambda:TagResource"];
        let waits: Vec<u128> = (0..45).map(|number| wait(&pace, changes[number % 3]).as_millis()).collect();
        assert_eq!((waits[3], waits[4], waits[5]), (0, 90, 181));
        for (operation, burst) in [("lambda:GetFunction", 40), ("lambda:GetPolicy", 2)] {
            let at_once = (0..100).take_while(|_| wait(&pace, operation).is_zero()).count();
            assert_eq!(at_once, burst, "{operation}");
        }
    }

    #[tokio::test]
    async fn so_much_code_is_on_its_way_at_once() {
        let at_once = async |size: usize| {
            let pace = Pace::default();
            let mut turns = Vec::new();
            while let Some(turn) = crate::time::at_most(Duration::from_millis(10), pace.upload(size)).await {
                turns.push(turn);
            }
            let before = turns.len();
            turns.pop();
            assert!(crate::time::at_most(Duration::from_millis(10), pace.upload(size)).await.is_some());
            before
        };
        assert_eq!((at_once(1_000).await, at_once(5_000_000).await, at_once(50 << 20).await), (8, 2, 1));
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
        pace.give_back("apigateway:DeleteRestApi", Number(0));
        assert_eq!(wait(&pace, "apigateway:DeleteRestApi"), Duration::ZERO);
        assert_eq!(wait(&pace, "apigateway:DeleteRestApi"), Duration::from_secs(30));
        pace.give_back("lambda:GetFunction", Number(0));
        let burst = (0..40).filter(|_| wait(&pace, "apigateway:GetStage").is_zero()).count();
        assert_eq!(burst, 38, "two calls count");
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_what_follows_at_the_rate() {
        let pace = Pace::default();
        let waits: Vec<u128> = (0..42).map(|_| wait(&pace, "apigateway:GetStage").as_millis()).collect();
        assert_eq!((waits[39], waits[40], waits[41]), (0, 100, 200));
    }
}
