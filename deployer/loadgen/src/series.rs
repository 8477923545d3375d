//! The course of a run over time. It sums up the seconds of all threads, in a limited number of points.

use crate::error::Result;
use crate::histogram::LatencyHistogram;
use crate::thread_record::Second;
use std::time::Duration;

/// The number of points above which points get wider. A chart cannot show more.
const MAX_POINTS: u64 = 600;

/// The points of a run, in order and without gaps.
#[derive(Debug)]
pub(crate) struct Series {
    /// The number of seconds that one point covers.
    width: u32,
    points: Vec<Point>,
}

/// The requests that ended in the seconds of one point.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) ok: u64,
    pub(crate) throttled: u64,
    pub(crate) failed: u64,
    pub(crate) latencies: LatencyHistogram,
}

impl Point {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { ok: 0, throttled: 0, failed: 0, latencies: LatencyHistogram::coarse()? })
    }

    fn add_second(&mut self, second: &Second) {
        self.ok += u64::from(second.ok);
        self.throttled += u64::from(second.throttled);
        self.failed += u64::from(second.failed);
        for (us, count) in &second.latencies {
            self.latencies.record_us(u64::from(*us), *count);
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.ok += other.ok;
        self.throttled += other.throttled;
        self.failed += other.failed;
        self.latencies.add(&other.latencies);
    }
}

impl Series {
    pub(crate) fn new(duration: Duration) -> Self {
        let width = u32::try_from(duration.as_secs().div_ceil(MAX_POINTS)).unwrap_or(u32::MAX).max(1);
        Self { width, points: Vec::new() }
    }

    pub(crate) fn add(&mut self, second: &Second) -> Result<()> {
        // The last point counts all later answers, so that they cannot extend the series.
        let last = usize::try_from(MAX_POINTS).unwrap_or(usize::MAX) + 60;
        let index = usize::try_from(second.number / self.width).unwrap_or(last).min(last);
        while self.points.len() <= index {
            self.points.push(Point::new()?);
        }
        self.points[index].add_second(second);
        Ok(())
    }

    pub(crate) fn width(&self) -> u32 {
        self.width
    }

    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// Merges the points into at most `max_blocks` blocks. Answers after `seconds` go into the last block, because a block of
    /// their own would have far fewer answers than the others.
    pub(crate) fn to_blocks(&self, max_blocks: usize, seconds: f64) -> Result<Vec<Point>> {
        let regular = (1..self.points.len()).take_while(|n| self.start_time(*n) < seconds).count() + 1;
        let (points, late_points) = self.points.split_at(regular.min(self.points.len()));
        let size = points.len().div_ceil(max_blocks).max(1);
        let mut blocks: Vec<Point> = Vec::new();
        for chunk in points.chunks(size) {
            let mut block = Point::new()?;
            for point in chunk {
                block.add(point);
            }
            blocks.push(block);
        }
        if let Some(last) = blocks.last_mut() {
            for point in late_points {
                last.add(point);
            }
        }
        Ok(blocks)
    }

    /// Returns the start of a point, in seconds.
    fn start_time(&self, point: usize) -> f64 {
        f64::from(u32::try_from(point).unwrap_or(u32::MAX)) * f64::from(self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(point: &Point) -> u64 {
        point.ok + point.throttled + point.failed
    }

    fn second(number: u32, us: u32) -> Second {
        Second { number, ok: 2, throttled: 1, failed: 0, latencies: vec![(us, 2)] }
    }

    #[test]
    fn sums_up_the_seconds_of_all_threads_in_one_point() {
        let mut series = Series::new(Duration::from_secs(10));
        for second in [second(0, 1000), second(2, 5000), second(0, 3000)] {
            series.add(&second).unwrap();
        }
        let counts: Vec<u64> = series.points().iter().map(answered).collect();
        assert_eq!(counts, [6, 0, 3]);
        assert!(series.points()[0].latencies.max().abs_diff(3000) <= 30);
        let blocks = |max_blocks, seconds| {
            series.to_blocks(max_blocks, seconds).unwrap().iter().map(answered).collect::<Vec<_>>()
        };
        assert_eq!(blocks(2, 3.0), [6, 3]);
        assert_eq!(blocks(30, 3.0), [6, 0, 3]);
        // The last answer arrived after all requests were sent.
        assert_eq!(blocks(30, 2.0), [6, 3]);
        assert_eq!(blocks(30, 1.5), [6, 3]);
        assert_eq!(blocks(30, 0.0), [9]);
        assert!(Series::new(Duration::from_secs(10)).to_blocks(30, 10.0).unwrap().is_empty());
    }

    #[test]
    fn limits_the_number_of_points_of_a_long_run() {
        let mut series = Series::new(Duration::from_hours(24));
        assert_eq!(series.width(), 144);
        for number in [0, 86_399, 86_500, u32::MAX] {
            series.add(&second(number, 1000)).unwrap();
        }
        assert_eq!(series.points().len(), 661);
        assert_eq!(series.points().iter().map(answered).sum::<u64>(), 12);
    }
}
