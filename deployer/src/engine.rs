//! Drives one resource through one verb. The only place that decides what a failure stops, and that tells the
//! reporter how a step went.

mod arn;
mod change;
mod events;
mod observations;
mod resource;
mod retry;
mod shared;
mod stack_state;
mod step;

pub(crate) use change::{Change, Id, Impact, Kind, Shown, diff_tags, tags_differ};
pub(crate) use events::{Event, Outcome, Reporter};
pub(crate) use observations::Seen;
pub(crate) use resource::{Declared, Existing, ObservedOf};
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

/// What one walk found or did at one resource.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: Id,
    /// `None` when there is none in AWS, or it could not be read.
    pub(crate) found: Option<Found>,
    pub(crate) changes: Vec<Change>,
    pub(crate) result: Result<Outcome>,
}

impl Record {
    /// Whether it is about something that exists or is declared: not a task, nor what is merely not there.
    pub(crate) fn is_of_the_stack(&self) -> bool {
        let is_task = matches!(self.id.kind, Kind::Package | Kind::SmokeTest | Kind::Tags);
        !is_task && (self.found.is_some() || !self.changes.is_empty() || self.result.is_err())
    }

    /// Adds what a second step did. A failure stays one, and so does a step that was not taken.
    fn go_on(&mut self, second: Self) {
        self.changes.extend(second.changes);
        let over = matches!(self.result, Err(_) | Ok(Outcome::Skipped));
        let did_nothing = matches!(second.result, Ok(Outcome::Unchanged | Outcome::Absent));
        if !over && (!did_nothing || matches!(self.result, Ok(Outcome::Absent))) {
            self.result = second.result;
        }
    }
}

/// What AWS had before the walk touched it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) owner: Owner,
    pub(crate) state: String,
    /// Why it cannot be deleted; asked only when something is to be.
    pub(crate) blockers: Vec<String>,
    /// What goes with it, each in words; asked only when something is to be deleted.
    pub(crate) takes_along: Vec<String>,
}

/// One walk over a stack.
pub(crate) struct Engine<'a> {
    aws: &'a Aws,
    report: &'a dyn Reporter,
    stop: &'a Stop,
    mode: Mode,
    adopt: bool,
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
        record.changes = declared.diff(needs.as_ref(), seen.as_ref());
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
        refuse(&record.changes)?;
        let outcome = if seen.is_none() { Outcome::Created } else { Outcome::Updated };
        self.report.event(Event::Applying { id: record.id.clone(), changes: record.changes.clone() });
        let output = self.settle(declared, needs, seen, step).await?;
        Ok((outcome, Some(output)))
    }

    /// Applies, and looks again where the answer says too little: it was lost, or something of this name exists after
    /// all, because another run or a call of our own got there first.
    async fn settle<D: Declared>(
        &self,
        declared: &D,
        needs: D::Needs,
        mut seen: Option<ObservedOf<D>>,
        step: &Step<'_>,
    ) -> Result<D::Output> {
        let mut pauses = None;
        loop {
            // On the heap, as all that a kind does: nested in one another, the futures of a whole walk would take a large
            // part of a thread's stack.
            let error = match Box::pin(declared.apply(step, needs.clone(), seen)).await {
                Ok(output) => return Ok(output),
                Err(error) if !error.aws().is_some_and(is_unclear) => return Err(error),
                Err(error) => error,
            };
            // From the first unclear answer on: the call itself may have taken minutes.
            let pauses = pauses.get_or_insert_with(|| Pauses::new(&ANSWER_UNCLEAR));
            let goes_on = pauses.wait(step, None).await?;
            step.shared.forget().await;
            seen = Box::pin(declared.observe(step)).await?;
            if let Some(seen) = &seen {
                if let Err(foreign) = self.may_change(declared.existing(), seen) {
                    return Err(error.context(&foreign.to_string()));
                }
                let changes = declared.diff(Some(&needs), Some(seen));
                if changes.is_empty() {
                    return Ok(declared.output(seen));
                }
                if let Err(refused) = refuse(&changes) {
                    return Err(error.context(&refused.to_string()));
                }
            }
            if !goes_on {
                return Err(error.context(&pauses.gave_up()));
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

    /// Removes one resource after `before` is done; true when it is gone. When planning, only looks.
    ///
    /// What is not ours stays. A failure before it keeps this one: its order is AWS's.
    pub(crate) async fn remove<E: Existing>(&self, existing: &E, before: impl Future<Output = bool>) -> bool {
        let id = existing.id();
        let step = self.at(id.clone());
        let mut record = Record { id, found: None, changes: Vec::new(), result: Ok(Outcome::Absent) };
        step.started();
        record.result = self.try_remove(existing, before, &step, &mut record).await;
        let gone = matches!(record.result, Ok(Outcome::Deleted | Outcome::Absent | Outcome::Kept { .. }));
        self.close(&step, record);
        gone
    }

    async fn try_remove<E: Existing>(
        &self,
        existing: &E,
        before: impl Future<Output = bool>,
        step: &Step<'_>,
        record: &mut Record,
    ) -> Result<Outcome> {
        let (clear, seen) = tokio::join!(before, self.look::<E>(step, Box::pin(existing.observe(step))));
        let seen = match seen {
            Err(error) if is_interruption(&error) => return Ok(Outcome::Skipped),
            seen => seen?,
        };
        let Some(seen) = seen else {
            self.remember::<E>(&record.id, None);
            return Ok(Outcome::Absent);
        };
        let owner = existing.owner(&seen);
        record.found = Some(Found {
            owner: owner.clone(),
            state: existing.state(&seen),
            blockers: existing.blockers(&seen),
            takes_along: existing.takes_along(&seen),
        });
        if let Some(why) = owner.objection() {
            return Ok(Outcome::Kept { why: format!("not of this stack: it {why}") });
        }
        record.changes = vec![Change::Delete];
        if self.mode == Mode::Plan {
            self.remember::<E>(&record.id, Some(seen));
            return Ok(Outcome::Unchanged);
        }
        if !clear || self.stop.is_set() {
            return Ok(Outcome::Skipped);
        }
        self.report.event(Event::Applying { id: record.id.clone(), changes: record.changes.clone() });
        Box::pin(existing.delete(step, seen)).await?;
        Ok(Outcome::Deleted)
    }

    /// Leaves one resource where it is, and says why.
    pub(crate) async fn keep<E: Existing>(&self, existing: &E, why: &str) -> bool {
        let step = self.at(existing.id());
        let mut record =
            Record { id: existing.id(), found: None, changes: Vec::new(), result: Ok(Outcome::Absent) };
        match Box::pin(existing.observe(&step)).await {
            Ok(None) => {}
            Ok(Some(seen)) => {
                let (owner, state) = (existing.owner(&seen), existing.state(&seen));
                record.found = Some(Found { owner, state, blockers: Vec::new(), takes_along: Vec::new() });
                record.result = Ok(Outcome::Kept { why: why.to_owned() });
            }
            Err(error) => record.result = Err(error),
        }
        self.close(&step, record);
        true
    }

    /// Takes something that is no resource through the walk: packaging, the smoke test.
    pub(crate) async fn task<T>(
        &self,
        id: Id,
        work: impl AsyncFnOnce(&Step<'_>) -> Result<(Outcome, T)>,
    ) -> Option<T> {
        let step = self.at(id.clone());
        self.report.event(Event::Started { id: id.clone() });
        let (result, value) = match work(&step).await {
            Ok((outcome, value)) => (Ok(outcome), Some(value)),
            Err(error) => (Err(error), None),
        };
        // A plan is silent about what it looks at, but work on this machine may take minutes.
        self.finished(&step, &result);
        self.keep_record(Record { id, found: None, changes: Vec::new(), result });
        value
    }

    /// Whether nothing has failed or been skipped so far.
    pub(crate) fn is_well(&self) -> bool {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().all(|record| matches!(&record.result, Ok(outcome) if *outcome != Outcome::Skipped))
    }

    /// Reads something more about one resource, outside the walk.
    pub(crate) async fn read<T>(&self, id: Id, work: impl AsyncFnOnce(&Step<'_>) -> Result<T>) -> Result<T> {
        work(&self.at(id)).await
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
            Some(earlier) => earlier.go_on(record),
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

/// `None` where AWS says that there is none.
pub(crate) fn absent<T>(result: Result<T>, not_found: &[&str]) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_any(&error, not_found) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Pages of one list. A thousand of the smallest that are asked for hold more than an account may have of anything.
const MOST_PAGES: usize = 1000;

/// All of a list that AWS gives page by page: `page` reads the one that begins at a mark, and says where the next begins.
///
/// # Errors
/// Those of `page`; a list that does not end.
pub(crate) async fn pages<T>(
    mut page: impl AsyncFnMut(Option<String>) -> Result<(Vec<T>, Option<String>)>,
) -> Result<Vec<T>> {
    let (mut all, mut mark) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let (items, next) = page(mark.clone()).await?;
        all.extend(items);
        // Some services end with an empty mark instead of none.
        let next = next.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok(all);
        }
        if next == mark {
            return Err(Error::new("AWS answers with the same page of a list again and again"));
        }
        mark = next;
    }
    Err(Error::new(format!("a list of AWS's does not end: {MOST_PAGES} pages were read")))
}

fn is_any(error: &Error, codes: &[&str]) -> bool {
    codes.iter().any(|code| error.has_code(code))
}

/// Nothing has to exist first.
pub(crate) async fn nothing() -> Option<()> {
    Some(())
}

/// Known once both are.
pub(crate) async fn both<A, B>(
    a: impl Future<Output = Option<A>>,
    b: impl Future<Output = Option<B>>,
) -> Option<(A, B)> {
    let (a, b) = tokio::join!(a, b);
    a.zip(b)
}

#[cfg(test)]
mod tests;
