//! Renders what `--verbose` shows: calls to AWS, and the SDK's own events.

use super::text::talk;
use crate::aws::CALL_TRACE;
use crate::config::Verbosity;
use std::io::{self, Write};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

/// The SDK's crates. Their `TRACE` level has whole requests and answers with their secrets, so it is never shown.
const SDK: [&str; 6] =
    ["aws_config", "aws_credential_types", "aws_runtime", "aws_sdk", "aws_smithy", "aws_sigv4"];

/// Shows events on stderr from now on. Further calls in one process have no effect.
pub(crate) fn start(verbosity: Verbosity) {
    let shown = match verbosity {
        Verbosity::Quiet | Verbosity::Normal => return,
        Verbosity::Calls => Targets::new().with_target(CALL_TRACE, LevelFilter::DEBUG),
        Verbosity::Sdk => {
            let sdk = SDK.map(|name| (name, LevelFilter::DEBUG));
            Targets::new().with_target(CALL_TRACE, LevelFilter::DEBUG).with_targets(sdk)
        }
    };
    let with_levels = verbosity == Verbosity::Sdk;
    let lines = fmt::layer()
        .with_writer(Lines)
        .with_ansi(false)
        .with_timer(fmt::time::uptime())
        .with_level(with_levels)
        .with_target(with_levels)
        .with_filter(shown);
    let _ = registry().with(lines).try_init();
}

/// Writes each event as text. Quoted text cannot steer the terminal.
struct Lines;

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl Write for Lines {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        talk(String::from_utf8_lossy(event).trim_end());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
