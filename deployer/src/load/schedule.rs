//! When each request is to be sent: evenly, at a fixed rate, whatever becomes of the ones before it.

use std::time::Duration;

const NANOS: u128 = 1_000_000_000;

/// A fixed rate for a fixed time. Requests are numbered from 0, and number 0 is sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// Requests a second.
    pub(crate) rate: u32,
    /// What comes before the measurement, and is not part of it.
    pub(crate) warmup: Duration,
    /// How long is measured.
    pub(crate) duration: Duration,
}

impl Schedule {
    /// How many requests there are in all, with those of the warm-up.
    pub(crate) fn total(&self) -> u64 {
        self.due(self.length())
    }

    /// How many of them, the first ones, are the warm-up's.
    pub(crate) fn of_warmup(&self) -> u64 {
        self.due(self.warmup)
    }

    /// How many are measured.
    pub(crate) fn measured(&self) -> u64 {
        self.total() - self.of_warmup()
    }

    /// From the first request to the end, when the next one would come.
    pub(crate) fn length(&self) -> Duration {
        self.warmup + self.duration
    }

    /// When a request is to be sent, since the start.
    pub(crate) fn at(&self, number: u64) -> Duration {
        let nanos = (u128::from(number) * NANOS).div_ceil(u128::from(self.rate));
        Duration::new(
            u64::try_from(nanos / NANOS).unwrap_or(u64::MAX),
            u32::try_from(nanos % NANOS).unwrap_or_default(),
        )
    }

    /// How many are to be sent until this moment, with what is due at it.
    fn due_at(&self, now: Duration) -> u64 {
        u64::try_from(now.as_nanos() * u128::from(self.rate) / NANOS + 1).unwrap_or(u64::MAX)
    }

    /// How many are to be sent before this moment.
    fn due(&self, before: Duration) -> u64 {
        u64::try_from((before.as_nanos() * u128::from(self.rate)).div_ceil(NANOS)).unwrap_or(u64::MAX)
    }
}

/// What one of several threads sends: every n-th request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    schedule: Schedule,
    first: u64,
    of: u64,
}

impl Share {
    /// The share number `first` of `of`.
    pub(super) fn new(schedule: Schedule, first: u64, of: u64) -> Self {
        Self { schedule, first, of }
    }

    /// How many requests are in this share.
    pub(super) fn total(&self) -> u64 {
        self.within(self.schedule.total())
    }

    /// How many of this share are due at this moment.
    pub(super) fn due(&self, now: Duration) -> u64 {
        self.within(self.schedule.due_at(now)).min(self.total())
    }

    /// The number in the schedule of one of this share.
    pub(super) fn number(&self, index: u64) -> u64 {
        self.first + index * self.of
    }

    /// How many of the schedule's first requests are in this share.
    fn within(&self, first: u64) -> u64 {
        first.saturating_sub(self.first).div_ceil(self.of)
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
        /// Whatever the rate and the number of threads: each request is in one share, and due exactly at its time.
        #[test]
        fn shares_are_a_partition_that_is_due_on_time(
            rate in 1_u32..100_000, ms in 1_u64..5_000, threads in 1_u64..5, pick in 0_u64..10_000
        ) {
            let schedule = schedule(rate, 0, ms);
            let shares: Vec<Share> = (0..threads).map(|n| Share::new(schedule, n, threads)).collect();
            prop_assert_eq!(shares.iter().map(Share::total).sum::<u64>(), schedule.total());
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
