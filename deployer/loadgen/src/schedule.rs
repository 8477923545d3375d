//! When each request is due: evenly spaced at a fixed rate, whatever becomes of earlier requests.

use std::time::Duration;

const NANOS: u128 = 1_000_000_000;

/// A fixed rate for a fixed time: a warm-up, then the measurement.
///
/// Requests are numbered from 0 without a gap between the two parts. Number 0 is due at the start, number n exactly
/// n/`rate` seconds later; rounding never accumulates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Requests per second; at least 1.
    pub rate: u32,
    /// How long requests are sent before the measurement begins. They count only as warm-up.
    pub warmup: Duration,
    /// How long the measurement takes.
    pub duration: Duration,
}

impl Schedule {
    /// Returns the number of all requests, including those of the warm-up.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.due(self.length())
    }

    /// Returns the number of requests in the warm-up. They are the first ones.
    #[must_use]
    pub fn of_warmup(&self) -> u64 {
        self.due(self.warmup)
    }

    /// Returns the number of requests that are measured.
    #[must_use]
    pub fn measured(&self) -> u64 {
        self.total() - self.of_warmup()
    }

    /// Returns the time from the first request to the end, when the next one would be due.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.warmup + self.duration
    }

    /// When a request is due, since the start.
    pub(crate) fn at(&self, number: u64) -> Duration {
        let nanos = (u128::from(number) * NANOS).div_ceil(u128::from(self.rate));
        Duration::new(
            u64::try_from(nanos / NANOS).unwrap_or(u64::MAX),
            u32::try_from(nanos % NANOS).unwrap_or_default(),
        )
    }

    /// How many requests are due by this moment, inclusive.
    fn due_at(&self, now: Duration) -> u64 {
        u64::try_from(now.as_nanos() * u128::from(self.rate) / NANOS + 1).unwrap_or(u64::MAX)
    }

    /// How many requests are due before this moment.
    fn due(&self, before: Duration) -> u64 {
        u64::try_from((before.as_nanos() * u128::from(self.rate)).div_ceil(NANOS)).unwrap_or(u64::MAX)
    }
}

/// The part of a schedule that one of several threads sends: every n-th request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadSchedule {
    schedule: Schedule,
    first: u64,
    threads: u64,
}

impl ThreadSchedule {
    /// The schedule of thread number `first` of `threads`.
    pub(crate) fn new(schedule: Schedule, first: u64, threads: u64) -> Self {
        Self { schedule, first, threads }
    }

    /// How many requests this thread sends.
    pub(crate) fn total(&self) -> u64 {
        self.within(self.schedule.total())
    }

    /// How many requests of this thread are due by this moment.
    pub(crate) fn due(&self, now: Duration) -> u64 {
        self.within(self.schedule.due_at(now)).min(self.total())
    }

    /// The number in the whole schedule of this thread's request number `index`.
    pub(crate) fn number(&self, index: u64) -> u64 {
        self.first + index * self.threads
    }

    /// How many of the schedule's first requests are this thread's.
    fn within(&self, first: u64) -> u64 {
        first.saturating_sub(self.first).div_ceil(self.threads)
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
        let at = |number| schedule(3, 0, 1_000).at(number);
        assert_eq!([at(0), at(3), at(6)], [0, 1, 2].map(Duration::from_secs));
        assert_eq!(at(1), Duration::from_nanos(333_333_334));
        // A day at an awkward rate: still exact to the nanosecond.
        assert_eq!(schedule(7, 0, 86_400_000).at(7 * 86_400), Duration::from_hours(24));
    }

    proptest! {
        /// Whatever the rate and the number of threads: each request belongs to one thread, and is due exactly at its time.
        #[test]
        fn shares_are_a_partition_that_is_due_on_time(
            rate in 1_u32..100_000, ms in 1_u64..5_000, threads in 1_u64..5, pick in 0_u64..10_000
        ) {
            let schedule = schedule(rate, 0, ms);
            let shares: Vec<ThreadSchedule> = (0..threads).map(|n| ThreadSchedule::new(schedule, n, threads)).collect();
            prop_assert_eq!(shares.iter().map(ThreadSchedule::total).sum::<u64>(), schedule.total());
            let number = pick % schedule.total();
            let (share, index) = (&shares[usize::try_from(number % threads).unwrap()], number / threads);
            prop_assert_eq!(share.number(index), number);
            let at = schedule.at(number);
            prop_assert_eq!(share.due(at), index + 1);
            if let Some(before) = at.checked_sub(Duration::from_nanos(1)) {
                prop_assert_eq!(share.due(before), index);
            }
        }
    }
}
