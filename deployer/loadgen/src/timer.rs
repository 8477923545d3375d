//! A timer with a precision of some ten microseconds. tokio's timer has a precision of one millisecond, which would distort
//! the latency of fast answers.

#[cfg(target_os = "linux")]
mod platform {
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Instant;
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    const NEVER: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

    /// A timer for one wait at a time.
    #[derive(Debug)]
    pub(crate) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        /// Creates a timer.
        ///
        /// # Errors
        /// The system has no file descriptor left.
        pub(crate) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[expect(
                deprecated,
                reason = "unsound for types that change their file descriptor, which this one does not; the replacement is unsafe"
            )]
            Ok(Self(AsyncFd::with_interest(timer, Interest::READABLE)?))
        }

        /// Waits until the deadline.
        pub(crate) async fn until(&self, deadline: Instant) -> io::Result<()> {
            loop {
                let remaining = deadline.saturating_duration_since(Instant::now());
                if remaining.is_zero() {
                    return Ok(());
                }
                let timeout = Timespec {
                    tv_sec: i64::try_from(remaining.as_secs()).unwrap_or(i64::MAX),
                    tv_nsec: remaining.subsec_nanos().into(),
                };
                let once = Itimerspec { it_interval: NEVER, it_value: timeout };
                timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
                // Setting the timer again also clears its expiration, so no read is necessary.
                self.0.readable().await?.clear_ready();
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::io;
    use std::time::Instant;

    /// tokio's timer.
    #[derive(Debug)]
    pub(crate) struct Timer;

    impl Timer {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits until the deadline.
        pub(crate) async fn until(&self, deadline: Instant) -> io::Result<()> {
            #[expect(clippy::disallowed_methods, reason = "the load sends requests at scheduled times")]
            tokio::time::sleep_until(deadline.into()).await;
            Ok(())
        }
    }
}

pub(crate) use platform::Timer;
