//! Runs the load generator and reports its progress.

use crate::app::session::Session;
use crate::engine::{Event, Id, Kind, Outcome, Reporter as _};
use crate::error::Result;
use loadgen::{LoadPlan, Measurement, Progress};
use std::time::{Duration, Instant};

/// Sends the requests of a plan and measures them, until the end or Ctrl-C.
///
/// # Errors
/// What the system refuses, such as threads. Answers are never an error.
pub(crate) async fn measure(session: &Session<'_>, plan: &LoadPlan) -> Result<Measurement> {
    let console = session.console;
    let id = Id::new(Kind::Load, format!("{}/s", plan.schedule.rate));
    let begun = Instant::now();
    console.event(Event::Started { id: id.clone() });
    let measured = plan.schedule.measured();
    let result = loadgen::run(plan.clone(), session.stop.until_set(), |progress| {
        console.event(Event::Measuring { id: id.clone(), what: progress_text(progress, measured) });
    })
    .await;
    let outcome = match &result {
        Ok(measurement) if measurement.interrupted => Outcome::Interrupted,
        Ok(_) => Outcome::Done,
        Err(error) => Outcome::Failed { error: error.to_string() },
    };
    console.event(Event::Finished { id, outcome, elapsed: begun.elapsed() });
    Ok(result?)
}

/// One second in words.
fn progress_text(progress: &Progress, measured: u64) -> String {
    let Progress { second, ok, throttled, failed, rate, p50, p99 } = progress;
    let ms = |time: &Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    let answered = ok + throttled + failed;
    let mut text = format!(
        "{answered} of {measured} after {} s, {rate}/s, p50 {}, p99 {}",
        second + 1,
        ms(p50),
        ms(p99)
    );
    for (count, what) in [(throttled, "throttled"), (failed, "failed")] {
        if *count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}
