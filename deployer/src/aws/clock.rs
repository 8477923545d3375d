//! AWS's clock, according to the `Date` header of its responses.
//!
//! CloudWatch Logs dates events by AWS's clock. AWS accepts signatures of a machine whose clock is up to five minutes
//! wrong. A time range by this machine's clock would then select another part of the log.

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

/// How late a `Date` header may be, in milliseconds: it has whole seconds, and servers update it once a second.
const MAX_DATE_DELAY_MS: i64 = 2_000;

/// An estimate of AWS's clock. Each response of AWS makes it more precise.
#[derive(Clone, Debug, Default)]
pub(crate) struct AwsClock(Arc<Mutex<Option<OffsetRange>>>);

/// The possible offsets of AWS's clock from this machine's, in milliseconds. A positive offset means that AWS's is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OffsetRange {
    min: i64,
    max: i64,
}

impl AwsClock {
    /// Returns how far AWS's clock is ahead of this machine's, in milliseconds; 0 if the responses allow that.
    fn offset_ms(&self) -> i64 {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(OffsetRange { min, max }) if min > 0 || max < 0 => i64::midpoint(min, max),
            _ => 0,
        }
    }

    /// Returns the current time by AWS's clock, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        self.convert_ms(SystemTime::now())
    }

    /// Converts a time of this machine's clock to AWS's, in milliseconds since 1970.
    pub(crate) fn convert_ms(&self, time: SystemTime) -> i64 {
        local_ms(time).saturating_add(self.offset_ms())
    }

    /// Narrows the range by one response: its date, and when this machine sent the request and received the response.
    fn update(&self, date_ms: i64, sent_ms: i64, received_ms: i64) {
        let new = OffsetRange { min: date_ms - received_ms, max: date_ms + MAX_DATE_DELAY_MS - sent_ms };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let intersection =
            known.map(|old| OffsetRange { min: old.min.max(new.min), max: old.max.min(new.max) });
        // The ranges do not overlap if this machine's clock was set in between.
        *known = Some(intersection.filter(|range| range.min <= range.max).unwrap_or(new));
    }
}

/// When the current request was sent, in milliseconds since 1970.
#[derive(Debug)]
struct SentMs(i64);

impl Storable for SentMs {
    type Storer = StoreReplace<Self>;
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for AwsClock {
    fn name(&self) -> &'static str {
        "AwsClock"
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
            self.update(date.secs().saturating_mul(1000), *sent_ms, local_ms(SystemTime::now()));
        }
        Ok(())
    }
}

fn local_ms(time: SystemTime) -> i64 {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    /// Returns the offset after responses with these dates, and these times of sending and receiving.
    fn offset_after(responses: &[(i64, i64, i64)]) -> i64 {
        let clock = AwsClock::default();
        for (date, sent, received) in responses {
            clock.update(*date, *sent, *received);
        }
        clock.offset_ms()
    }

    #[test]
    fn assumes_no_offset_unless_a_response_contradicts() {
        assert_eq!(offset_after(&[]), 0);
        // Sent at 10.9 s and received at 11.1 s. The date may be 10 or 11, or 9 if the server updates it late.
        for date in [9_000, 10_000, 11_000] {
            assert_eq!(offset_after(&[(date, 10_900, 11_100)]), 0, "{date}");
        }
    }

    #[test]
    fn estimates_an_offset_to_within_a_second() {
        for offset in [-4 * 60_000, 4 * 60_000, 30_000, -30_000] {
            // Responses take 100 ms and arrive at all fractions of a second.
            let responses: Vec<_> = (0..10)
                .map(|n| {
                    let sent = HOUR_MS + n * 730;
                    ((sent + 50 + offset) / 1000 * 1000, sent, sent + 100)
                })
                .collect();
            let estimate = offset_after(&responses);
            assert!((estimate - offset).abs() <= 1_000, "{offset}: {estimate}");
        }
    }

    #[test]
    fn forgets_earlier_responses_when_the_local_clock_was_set() {
        let before = (HOUR_MS, HOUR_MS - 60_000, HOUR_MS - 60_000);
        assert!(offset_after(&[before]) > 59_000);
        assert_eq!(offset_after(&[before, (HOUR_MS, HOUR_MS, HOUR_MS)]), 0);
    }
}
