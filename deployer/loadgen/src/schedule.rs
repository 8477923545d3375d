//! The times at which requests are due: evenly spaced at a fixed rate, independent of earlier requests.

use std::time::Duration;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// A fixed rate of requests for a fixed time: a warm-up, then the measurement.
///
/// Both parts share one numbering of requests, from 0. Number 0 is due at the start, number n exactly n/`rate` seconds
/// later. Rounding errors do not accumulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The requests per second. At least 1.
    pub rate: u32,
    /// The duration of the warm-up. Its requests are not measured.
    pub warmup: Duration,
    /// The duration of the measurement.
    pub duration: Duration,
}

impl Schedule {
    /// Returns the number of all requests, including the warm-up.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.due_before(self.length())
    }

    /// Returns the number of requests in the warm-up, which are the first ones.
    #[must_use]
    pub fn warmup_requests(&self) -> u64 {
        self.due_before(self.warmup)
    }

    /// Returns the number of requests in the measurement.
    #[must_use]
    pub fn measured(&self) -> u64 {
        self.total() - self.warmup_requests()
    }

    /// Returns the duration of warm-up and measurement together.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.warmup + self.duration
    }

    /// Returns the time at which a request is due, since the start.
    pub(crate) fn due_time(&self, number: u64) -> Duration {
        let nanos = (u128::from(number) * NANOS_PER_SECOND).div_ceil(u128::from(self.rate));
        Duration::new(
            u64::try_from(nanos / NANOS_PER_SECOND).unwrap_or(u64::MAX),
            u32::try_from(nanos % NANOS_PER_SECOND).unwrap_or_default(),
        )
    }

    /// Returns the number of requests that are due at this time or before.
    fn due_by(&self, now: Duration) -> u64 {
        u64::try_from(now.as_nanos() * u128::from(self.rate) / NANOS_PER_SECOND + 1).unwrap_or(u64::MAX)
    }

    /// Returns the number of requests that are due before this time.
    fn due_before(&self, time: Duration) -> u64 {
        u64::try_from((time.as_nanos() * u128::from(self.rate)).div_ceil(NANOS_PER_SECOND))
            .unwrap_or(u64::MAX)
    }
}

/// The requests of a schedule that one of n threads sends: every n-th request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadSchedule {
    schedule: Schedule,
    first: u64,
    threads: u64,
}

impl ThreadSchedule {
    /// Creates the schedule of thread number `first` of `threads`.
    pub(crate) fn new(schedule: Schedule, first: u64, threads: u64) -> Self {
        Self { schedule, first, threads }
    }

    /// Returns the number of requests that this thread sends.
    pub(crate) fn total(&self) -> u64 {
        self.share_of(self.schedule.total())
    }

    /// Returns the number of this thread's requests that are due at this time or before.
    pub(crate) fn due(&self, now: Duration) -> u64 {
        self.share_of(self.schedule.due_by(now)).min(self.total())
    }

    /// Returns the number in the whole schedule of this thread's request with this index.
    pub(crate) fn number(&self, index: u64) -> u64 {
        self.first + index * self.threads
    }

    /// Returns how many of the schedule's first `count` requests belong to this thread.
    fn share_of(&self, count: u64) -> u64 {
        count.saturating_sub(self.first).div_ceil(self.threads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn schedule(rate: u32, warmup_ms: u64, duration_ms: u64) -> Schedule {
        Schedule {
            rate,
            warmup: Duration::from_millis(warmup_ms),
            duration: Duration::from_millis(duration_ms),
        }
    }

    #[test]
    fn the_count_is_rate_times_duration() {
        let cases = [
            (schedule(20, 0, 20_000), 400, 400),
            (schedule(20, 2_000, 20_000), 440, 400),
            (schedule(5_000, 0, 600_000), 3_000_000, 3_000_000),
            (schedule(1, 0, 1_000), 1, 1),
            (schedule(3, 1_000, 10_000), 33, 30),
        ];
        for (schedule, total, measured) in cases {
            assert_eq!((schedule.total(), schedule.measured()), (total, measured), "{schedule:?}");
        }
    }

    #[test]
    fn requests_are_evenly_spaced_and_do_not_drift() {
        let due_time = |number| schedule(3, 0, 1_000).due_time(number);
        assert_eq!([due_time(0), due_time(3), due_time(6)], [0, 1, 2].map(Duration::from_secs));
        assert_eq!(due_time(1), Duration::from_nanos(333_333_334));
        // The last request of a day is exact to the nanosecond, although 1/7 s is not.
        assert_eq!(schedule(7, 0, 86_400_000).due_time(7 * 86_400), Duration::from_hours(24));
    }

    proptest! {
        #[test]
        fn each_request_belongs_to_one_thread_and_is_due_at_its_time(
            rate in 1_u32..100_000, ms in 1_u64..5_000, threads in 1_u64..5, pick in 0_u64..10_000
        ) {
            let schedule = schedule(rate, 0, ms);
            let shares: Vec<ThreadSchedule> = (0..threads).map(|n| ThreadSchedule::new(schedule, n, threads)).collect();
            prop_assert_eq!(shares.iter().map(ThreadSchedule::total).sum::<u64>(), schedule.total());
            let number = pick % schedule.total();
            let (share, index) = (&shares[usize::try_from(number % threads).unwrap()], number / threads);
            prop_assert_eq!(share.number(index), number);
            let due_time = schedule.due_time(number);
            prop_assert_eq!(share.due(due_time), index + 1);
            if let Some(before) = due_time.checked_sub(Duration::from_nanos(1)) {
                prop_assert_eq!(share.due(before), index);
            }
        }
    }
}
