//! A timer that is exact to some ten microseconds. tokio's is exact to a millisecond, which is as long as a quick answer
//! takes, and would distort the measured latency.

#[cfg(target_os = "linux")]
mod exact {
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
        /// # Errors
        /// The system has no more file descriptors.
        pub(crate) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[expect(
                deprecated,
                reason = "unsound for types that change their file descriptor, which this one does not; what replaces it is unsafe code"
            )]
            Ok(Self(AsyncFd::with_interest(timer, Interest::READABLE)?))
        }

        /// Waits until this moment.
        pub(crate) async fn until(&self, at: Instant) -> io::Result<()> {
            loop {
                let left = at.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(());
                }
                let left = Timespec {
                    tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                    tv_nsec: left.subsec_nanos().into(),
                };
                let once = Itimerspec { it_interval: NEVER, it_value: left };
                timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
                // Setting it again also clears the expiry, so nothing has to be read.
                self.0.readable().await?.clear_ready();
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod exact {
    use std::io;
    use std::time::Instant;

    /// tokio's own.
    #[derive(Debug)]
    pub(crate) struct Timer;

    impl Timer {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits until this moment.
        pub(crate) async fn until(&self, at: Instant) -> io::Result<()> {
            #[expect(
                clippy::disallowed_methods,
                reason = "the schedule of a load decides when a request is sent"
            )]
            tokio::time::sleep_until(at.into()).await;
            Ok(())
        }
    }
}

pub(crate) use exact::Timer;
