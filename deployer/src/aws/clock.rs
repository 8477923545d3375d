//! AWS's clock, as the `Date` of its answers tells it.
//!
//! CloudWatch Logs dates what a function writes by AWS's clock. This machine's may be five minutes off before AWS
//! refuses its signatures, and a span of time by this machine's clock is another part of the log then.

use aws_sdk_sts::config::Intercept;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::date_time::Format;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// `Date` has whole seconds, and servers renew it once a second: it may be so many milliseconds late.
const DATE_LATE_MS: i64 = 2_000;

/// How far AWS's clock is from this machine's. Each answer of AWS narrows it down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Arc<Mutex<Option<Ahead>>>);

/// By how many milliseconds AWS's clock is ahead of this machine's, at the least and at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ahead {
    least: i64,
    most: i64,
}

impl Clock {
    /// By how many milliseconds AWS's clock is ahead of this machine's; 0 as long as no answer contradicts that.
    pub(crate) fn ahead_ms(&self) -> i64 {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Ahead { least, most }) if least > 0 || most < 0 => i64::midpoint(least, most),
            _ => 0,
        }
    }

    /// Now by AWS's clock, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        self.at_ms(SystemTime::now())
    }

    /// A moment of this machine's clock by AWS's, in milliseconds since 1970.
    pub(crate) fn at_ms(&self, time: SystemTime) -> i64 {
        local_ms(time).saturating_add(self.ahead_ms())
    }

    /// Learns from the date of an answer whose request was sent, and which came, at these moments of this machine.
    fn learn(&self, date_ms: i64, sent_ms: i64, received_ms: i64) {
        let new = Ahead { least: date_ms - received_ms, most: date_ms + DATE_LATE_MS - sent_ms };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let both = known.map(|old| Ahead { least: old.least.max(new.least), most: old.most.min(new.most) });
        // Nothing fits both when this machine's clock was set meanwhile.
        *known = Some(both.filter(|both| both.least <= both.most).unwrap_or(new));
    }
}

/// When the request under way was sent, in milliseconds since 1970.
#[derive(Debug)]
struct SentMs(i64);

impl Storable for SentMs {
    type Storer = StoreReplace<Self>;
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(SentMs(local_ms(SystemTime::now())));
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        if let (Some(date), Some(SentMs(sent_ms))) = (date, cfg.load::<SentMs>()) {
            self.learn(date.secs().saturating_mul(1000), *sent_ms, local_ms(SystemTime::now()));
        }
        Ok(())
    }
}

fn local_ms(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    /// What a clock takes AWS's for after answers with these dates, each asked for and received at these moments.
    fn after(answers: &[(i64, i64, i64)]) -> i64 {
        let clock = Clock::default();
        for (date, sent, received) in answers {
            clock.learn(*date, *sent, *received);
        }
        clock.ahead_ms()
    }

    #[test]
    fn clocks_that_may_agree_do() {
        assert_eq!(after(&[]), 0);
        // Asked for at 10.9 s and received at 11.1 s: dated at 10, 11, and late at 9.
        for date in [9_000, 10_000, 11_000] {
            assert_eq!(after(&[(date, 10_900, 11_100)]), 0, "{date}");
        }
    }

    #[test]
    fn a_clock_that_is_off_is_known_to_within_a_second() {
        for off in [-4 * 60_000, 4 * 60_000, 30_000, -30_000] {
            // Answers of 100 ms, at all parts of a second.
            let answers: Vec<_> = (0..10)
                .map(|n| {
                    let sent = HOUR_MS + n * 730;
                    ((sent + 50 + off) / 1000 * 1000, sent, sent + 100)
                })
                .collect();
            assert!((after(&answers) - off).abs() <= 1_000, "{off}: {}", after(&answers));
        }
    }

    #[test]
    fn a_clock_that_was_set_meanwhile_counts_from_then_on() {
        let before = (HOUR_MS, HOUR_MS - 60_000, HOUR_MS - 60_000);
        assert!(after(&[before]) > 59_000);
        assert_eq!(after(&[before, (HOUR_MS, HOUR_MS, HOUR_MS)]), 0);
    }
}
