//! Deletes the items that a run has created, through the API that it has loaded.

use crate::app::session::{Connected, Session};
use crate::engine::{Event, Id, Kind, Mode, Outcome, Pauses, Reporter as _};
use crate::error::{Error, ErrorKind, Result};
use crate::time::{Cadence, ms, secs};
use loadgen::{CleanupResult, LoadPlan, Measurement};
use std::time::Instant;

/// The API that was just loaded may turn deletions away for a while.
static DELETIONS_ACCEPTED: Cadence =
    Cadence { reason: "the API to take the deletions", first: ms(500), longest: secs(8), within: secs(120) };

/// How many rounds of deletions there are after Ctrl-C, without waits in between.
const ROUNDS_AFTER_STOP: u32 = 3;

/// Deletes what a run has created, also after Ctrl-C, so that the stack is as it was before.
///
/// # Errors
/// A timer that the system refuses. Items that are left are no error: see [`require_none_left`].
pub(crate) async fn clean_up(
    session: &Session<'_>,
    connected: &Connected<'_>,
    plan: &LoadPlan,
    measurement: &Measurement,
) -> Result<CleanupResult> {
    let console = session.console;
    let id = Id::new(Kind::CleanUp, plan.run.text());
    let begun = Instant::now();
    console.event(Event::Started { id: id.clone() });
    let engine = connected.engine(Mode::Plan);
    let cleaned_up = engine.read(id.clone(), async |step| {
        let (mut pauses, mut rounds) = (Pauses::new(&DELETIONS_ACCEPTED), 1);
        let again = async |deleted_some: bool| {
            rounds += 1;
            if session.stop.is_set() {
                return rounds <= ROUNDS_AFTER_STOP;
            }
            // An API that accepts some deletions will accept the rest, however long that takes.
            if deleted_some {
                pauses = Pauses::new(&DELETIONS_ACCEPTED);
            }
            // Ctrl-C only ends the wait.
            pauses.wait(step, None).await.unwrap_or(true)
        };
        let progress = |done: u64| {
            if done.is_multiple_of(100) {
                console.event(Event::Measuring { id: id.clone(), what: format!("{done} items deleted") });
            }
        };
        Ok(loadgen::clean_up(plan, measurement, progress, again).await?)
    });
    let result = cleaned_up.await;
    let outcome = match &result {
        Ok(CleanupResult { left: 0, .. }) => Outcome::Done,
        Ok(CleanupResult { left, .. }) => Outcome::Failed { error: format!("{left} items may be left") },
        Err(error) => Outcome::Failed { error: error.to_string() },
    };
    console.event(Event::Finished { id, outcome, elapsed: begun.elapsed() });
    result
}

/// # Errors
/// Items of the run may be left, with what their ids begin with.
pub(crate) fn require_none_left(cleaned_up: CleanupResult, measurement: &Measurement) -> Result<()> {
    let left = cleaned_up.left;
    if left == 0 {
        return Ok(());
    }
    let message =
        format!("{left} items of this run may be left: their deletions were not answered as they should be");
    Err(Error::of(ErrorKind::Partial, message).hint(format!("Their ids begin with {}-.", measurement.run)))
}
