//! Takes resources through one command. Only this module decides what a failure stops, and reports how a step went.

mod approval;
mod arn;
mod change;
mod diff;
mod events;
mod lookup;
mod needs;
mod observations;
mod record;
mod removal;
mod resource;
mod retry;
mod shared;
mod stack_state;
mod step;
mod task;

pub(crate) use approval::Approval;
pub(crate) use change::{Change, Id, Impact, Kind, Shown};
pub(crate) use diff::{Diff, Difference, TagsDiff};
pub(crate) use events::{Event, Outcome, Reporter};
pub(crate) use lookup::{absent, pages};
pub(crate) use needs::{both, nothing};
pub(crate) use observations::Seen;
pub(crate) use record::{Found, Record};
pub(crate) use resource::{Applied, Declared, Existing, ObservedOf};
#[cfg(test)]
pub(crate) use retry::THROTTLED;
pub(crate) use retry::{ANSWER_UNCLEAR, Pauses};
pub(crate) use shared::PolicyPaths;
pub(crate) use stack_state::StackState;
pub(crate) use step::Step;

use crate::aws::Aws;
use crate::error::{AwsError, Error, ErrorKind, Result};
use crate::names::Owner;
use crate::time::Stop;
use shared::Shared;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// Whether a walk only looks, or also makes it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Reads only.
    Plan,
    /// Reads, then changes what differs.
    Apply,
}

/// How often one resource may turn out to be other than it was compared with, before this run gives up on it.
const MOST_OUTDATED: u32 = 5;

/// One walk over a stack.
pub(crate) struct Engine<'a> {
    aws: &'a Aws,
    report: &'a dyn Reporter,
    stop: &'a Stop,
    mode: Mode,
    adopt: bool,
    approval: Option<Approval>,
    seen: Option<&'a Seen>,
    reuses_seen: bool,
    deadline: Instant,
    records: Mutex<Vec<Record>>,
    shared: Rc<Shared>,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(
        aws: &'a Aws,
        report: &'a dyn Reporter,
        stop: &'a Stop,
        mode: Mode,
        deadline: Instant,
    ) -> Self {
        Self {
            aws,
            report,
            stop,
            mode,
            adopt: false,
            approval: None,
            seen: None,
            reuses_seen: false,
            deadline,
            records: Mutex::default(),
            shared: Rc::default(),
        }
    }

    /// The same walk, which shares what it sees with the one before or after it.
    pub(crate) fn sharing(mut self, seen: &'a Seen) -> Self {
        self.seen = Some(seen);
        self
    }

    /// The same walk, which looks again only at what was not seen a moment ago, even when it only plans.
    pub(crate) fn reusing_seen(mut self) -> Self {
        self.reuses_seen = true;
        self
    }

    /// The same walk, which also takes over what nobody has claimed.
    pub(crate) fn adopting(mut self, adopt: bool) -> Self {
        self.adopt = adopt;
        self
    }

    /// The same walk, which loses and opens only what was approved. Without this call anything may be lost.
    pub(crate) fn approved(mut self, approval: Approval) -> Self {
        self.approval = Some(approval);
        self
    }

    /// Takes one resource through this walk. `Some` means known: what dependents may build on.
    ///
    /// An error stays here, in the records: it skips the dependents and never cancels a sibling, because a sibling's
    /// call may already have changed AWS.
    pub(crate) async fn step<D: Declared>(
        &self,
        declared: &D,
        needs: impl Future<Output = Option<D::Needs>>,
    ) -> Option<D::Output> {
        let id = declared.existing().id();
        let step = self.at(id.clone());
        let mut record = Record { id, found: None, changes: Vec::new(), result: Ok(Outcome::Unchanged) };
        step.started();
        let result = self.try_step(declared, needs, &step, &mut record).await;
        let output = match result {
            Ok((outcome, output)) => {
                record.result = Ok(outcome);
                output
            }
            Err(error) => {
                record.result = Err(error);
                None
            }
        };
        self.close(&step, record);
        output
    }

    async fn try_step<D: Declared>(
        &self,
        declared: &D,
        needs: impl Future<Output = Option<D::Needs>>,
        step: &Step<'_>,
        record: &mut Record,
    ) -> Result<(Outcome, Option<D::Output>)> {
        let existing = declared.existing();
        // Names are ours, so looking needs nobody: observe while the parents are still being made.
        let look = self.look::<D::Existing>(step, Box::pin(declared.observe(step)));
        let (needs, seen) = tokio::join!(needs, look);
        let seen = match seen {
            Err(error) if is_interruption(&error) => return Ok((Outcome::Skipped, None)),
            seen => seen?,
        };
        record.found = seen.as_ref().map(|seen| Found {
            owner: existing.owner(seen),
            state: existing.state(seen),
            blockers: Vec::new(),
            takes_along: Vec::new(),
        });
        if self.mode == Mode::Apply {
            // The plan was fine with it, but that was a while ago.
            if let Some(seen) = &seen {
                self.may_change(existing, seen)?;
            }
            if needs.is_none() {
                return Ok((Outcome::Skipped, None));
            }
        }
        let diff = declared.diff(needs.as_ref(), seen.as_ref());
        record.changes = diff.changes();
        let output = seen.as_ref().map(|seen| declared.output(seen));
        if self.mode == Mode::Plan {
            self.report.event(Event::Planned { id: record.id.clone(), changes: record.changes.clone() });
            self.remember::<D::Existing>(&record.id, seen);
            return Ok((Outcome::Unchanged, output));
        }
        if record.changes.is_empty() {
            // Nothing is there, and nothing is declared that would have to be.
            let outcome = if seen.is_none() { Outcome::Absent } else { Outcome::Unchanged };
            return Ok((outcome, output));
        }
        let Some(needs) = needs else {
            return Ok((Outcome::Skipped, None));
        };
        if self.stop.is_set() {
            return Ok((Outcome::Skipped, None));
        }
        self.may_make(&record.id, &record.changes)?;
        let outcome = if seen.is_none() { Outcome::Created } else { Outcome::Updated };
        self.report.event(Event::Applying { id: record.id.clone(), changes: record.changes.clone() });
        let output = self.settle(declared, needs, seen, diff, step).await?;
        Ok((outcome, Some(output)))
    }

    /// Applies, and compares again where the diff was out of date. It also looks again where the answer says too little: it
    /// was lost, or something of this name exists after all, because another run or a call of our own got there first.
    async fn settle<D: Declared>(
        &self,
        declared: &D,
        needs: D::Needs,
        mut seen: Option<ObservedOf<D>>,
        mut diff: D::Diff,
        step: &Step<'_>,
    ) -> Result<D::Output> {
        let (mut pauses, mut outdated) = (None, 0);
        loop {
            // On the heap, as all that a kind does: nested in one another, the futures of a whole walk would take a large
            // part of a thread's stack.
            let error;
            let goes_on;
            (error, goes_on, seen) = match Box::pin(declared.apply(step, needs.clone(), seen, diff)).await {
                Ok(Applied::Done(output)) => return Ok(output),
                Ok(Applied::Outdated { observed, why }) => {
                    outdated += 1;
                    (Error::new(why), outdated < MOST_OUTDATED, observed)
                }
                Err(error) if !error.aws().is_some_and(is_unclear) => return Err(error),
                Err(error) => {
                    // From the first unclear answer on: the call itself may have taken minutes.
                    let pauses = pauses.get_or_insert_with(|| Pauses::new(&ANSWER_UNCLEAR));
                    let goes_on = pauses.wait(step, None).await?;
                    let error = if goes_on { error } else { error.context(&pauses.gave_up()) };
                    step.shared.forget().await;
                    (error, goes_on, Box::pin(declared.observe(step)).await?)
                }
            };
            diff = declared.diff(Some(&needs), seen.as_ref());
            let changes = diff.changes();
            if let Some(seen) = &seen {
                if let Err(foreign) = self.may_change(declared.existing(), seen) {
                    return Err(error.context(&foreign.to_string()));
                }
                if changes.is_empty() {
                    return Ok(declared.output(seen));
                }
            }
            if let Err(stopped) = self.may_make(&step.id, &changes) {
                let context = stopped.to_string();
                return Err(stopped.hints().into_iter().fold(error.context(&context), Error::hint));
            }
            if !goes_on {
                return Err(error);
            }
        }
    }

    /// What AWS has, or had when the plan looked, if that was a moment ago: nobody was asked anything in between.
    ///
    /// The look is on the heap: many are going on at once, and a thread's stack holds few.
    async fn look<E: Existing>(
        &self,
        step: &Step<'_>,
        look: Pin<Box<impl Future<Output = Result<Option<E::Observed>>>>>,
    ) -> Result<Option<E::Observed>> {
        let remembered = match self.mode {
            Mode::Plan if !self.reuses_seen => None,
            Mode::Plan | Mode::Apply => self.seen.and_then(|seen| seen.take::<E>(&step.id)),
        };
        match remembered {
            Some(seen) => Ok(seen),
            None => look.await,
        }
    }

    /// Keeps what a plan has seen for the walk that follows it.
    fn remember<E: Existing>(&self, id: &Id, seen: Option<E::Observed>) {
        if let (Mode::Plan, Some(all)) = (self.mode, self.seen) {
            all.put::<E>(id.clone(), seen);
        }
    }

    /// Refuses what is not ours, and not to be adopted either.
    fn may_change<E: Existing>(&self, existing: &E, seen: &E::Observed) -> Result<()> {
        let owner = existing.owner(seen);
        match owner.objection() {
            Some(why) if !(self.adopt && owner == Owner::Unclaimed) => {
                Err(Error::new(format!("{} is not of this stack: it {why}", existing.id())))
            }
            _ => Ok(()),
        }
    }

    /// Refuses changes that are never made, and losses and openings that were not approved.
    fn may_make(&self, id: &Id, changes: &[Change]) -> Result<()> {
        refuse(changes)?;
        self.approval.as_ref().map_or(Ok(()), |approval| approval.check(id, changes))
    }

    /// Whether nothing has failed or been skipped so far.
    pub(crate) fn is_well(&self) -> bool {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().all(|record| matches!(&record.result, Ok(outcome) if *outcome != Outcome::Skipped))
    }

    /// Everything that happened, in the order it ended.
    pub(crate) fn finish(self) -> Vec<Record> {
        self.records.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, id: Id) -> Step<'a> {
        Step {
            aws: self.aws,
            report: self.report,
            stop: self.stop,
            id,
            mode: self.mode,
            begun: Instant::now(),
            deadline: self.deadline,
            shared: Rc::clone(&self.shared),
        }
    }

    /// A plan's finding was its event, and what it could not look at is the command's error.
    fn close(&self, step: &Step<'_>, record: Record) {
        if self.mode == Mode::Apply {
            self.finished(step, &record.result);
        }
        self.keep_record(record);
    }

    fn finished(&self, step: &Step<'_>, result: &Result<Outcome>) {
        let outcome = match result {
            Ok(outcome) => outcome.clone(),
            Err(error) => Outcome::Failed { error: error.to_string() },
        };
        self.report.event(Event::Finished { id: step.id.clone(), outcome, elapsed: step.begun.elapsed() });
    }

    /// What is taken in two steps is one thing to people.
    fn keep_record(&self, record: Record) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        match records.iter_mut().find(|earlier| earlier.id == record.id) {
            Some(earlier) => earlier.merge(record),
            None => records.push(record),
        }
    }
}

/// Stops at a change that would lose something.
fn refuse(changes: &[Change]) -> Result<()> {
    match changes.iter().find(|change| matches!(change, Change::Refused { .. })) {
        Some(refused) => Err(Error::new(refused.to_string())),
        None => Ok(()),
    }
}

/// Whether only another look can tell what a call did.
fn is_unclear(error: &AwsError) -> bool {
    error.outcome_unknown()
        || matches!(error.code.as_str(), "EntityAlreadyExists" | "ResourceAlreadyExistsException")
        || error.code == "ResourceInUseException" && error.message.contains("already exists")
        || error.code == "ResourceConflictException" && error.message.contains("already exist")
}

/// Whether Ctrl-C came while something was only being looked at, so that nothing has become of it.
fn is_interruption(error: &Error) -> bool {
    error.kind() == ErrorKind::Partial
}

#[cfg(test)]
mod tests;
