//! Deletes everything that a stack declares or once declared, and checks that nothing is left.

use super::session::{Connected, Session};
use super::summary::summarise;
use super::survey::readable;
use crate::engine::{Id, Kind, Mode, Outcome, Pauses, Record, Step};
use crate::error::{Error, Hint, Result, Verb};
use crate::stack::orphans::Orphans;
use crate::time::{Cadence, ms, pause, secs};
use std::collections::BTreeSet;
use std::time::Duration;

/// AWS may list a resource for a while after its deletion.
static ALL_GONE: Cadence = Cadence {
    reason: "AWS to show that everything is gone",
    first: ms(500),
    longest: secs(4),
    within: secs(15),
};

/// AWS delivers logs for a while after a function is deleted. The local AWS does not.
const LATE_LOGS: Duration = Duration::from_secs(10);

/// The deletion of a whole stack.
pub(crate) struct Teardown<'a> {
    pub(crate) connected: Connected<'a>,
    /// Why tables stay, if they do.
    keep_tables: Option<&'static str>,
}

impl<'a> Teardown<'a> {
    pub(crate) fn new(connected: Connected<'a>, keeps_tables: bool) -> Self {
        Self { connected, keep_tables: keeps_tables.then_some("as asked") }
    }

    fn session(&self) -> &Session<'a> {
        self.connected.session
    }

    /// Finds out what would be deleted, and what stays.
    ///
    /// # Errors
    /// Fails when something could not be read. Nothing was changed.
    pub(crate) async fn survey(&self) -> Result<(Vec<Record>, Orphans)> {
        let engine = self.connected.engine(Mode::Plan);
        let ((), orphans) =
            tokio::join!(self.connected.stack.destroy(&engine, self.keep_tables), self.connected.orphans());
        let orphans = orphans?;
        orphans.destroy(&engine, self.keep_tables).await;
        Ok((readable(engine.finish())?, orphans))
    }

    /// Deletes in AWS's order, and returns the records.
    pub(crate) async fn delete(&self, orphans: &Orphans) -> Vec<Record> {
        let engine = self.connected.engine(Mode::Apply);
        tokio::join!(
            self.connected.stack.destroy(&engine, self.keep_tables),
            orphans.destroy(&engine, self.keep_tables)
        );
        engine.finish()
    }

    /// Checks that everything is gone, and deletes what has come back: a late log line creates a deleted log group
    /// again.
    ///
    /// # Errors
    /// Fails when something is still there.
    pub(crate) async fn verify(mut self, records: &[Record]) -> Result<()> {
        let functions = deleted_functions(records);
        let logs_may_be_late = !functions.is_empty() && !self.session().config.target.is_local();
        let waits: &[Duration] =
            if logs_may_be_late { &[Duration::ZERO, LATE_LOGS] } else { &[Duration::ZERO] };
        self.connected.stack = self.connected.stack.claiming_logs_of(&functions);
        let mut left = Vec::new();
        for wait in waits {
            if !wait.is_zero() {
                self.session().console.talk("Waiting whether a late log line makes the log group again…");
            }
            pause(self.session().stop, *wait).await?;
            left = self.remaining().await?;
        }
        if left.is_empty() {
            return Ok(());
        }
        Err(Error::new(format!("these are still there:\n{}", left.join("\n")))
            .hint(Hint::from("Run ").command(Verb::Down).text(" again.")))
    }

    /// Deletes once more, and returns what is left.
    async fn remaining(&self) -> Result<Vec<String>> {
        let (left, orphans) = self.survey().await?;
        if left.iter().all(|record| record.changes.is_empty()) {
            return Ok(Vec::new());
        }
        summarise(&self.delete(&orphans).await, self.session().stop, Verb::Down)?;
        let id = Id::new(Kind::Tags, &self.connected.aws.scope.stack);
        self.connected.engine(Mode::Plan).read(id, async |step| self.still_there(step).await).await
    }

    /// Polls until nothing is left, for as long as AWS's answers may be out of date.
    async fn still_there(&self, step: &Step<'_>) -> Result<Vec<String>> {
        let mut pauses = Pauses::new(&ALL_GONE);
        loop {
            let (records, _) = self.survey().await?;
            let left = records.iter().filter(|record| !record.changes.is_empty());
            let left: Vec<String> = left.map(|record| format!("  {}", record.id)).collect();
            if left.is_empty() || !pauses.wait(step, None).await? {
                return Ok(left);
            }
        }
    }
}

fn deleted_functions(records: &[Record]) -> BTreeSet<String> {
    records
        .iter()
        .filter(|record| record.id.kind == Kind::Function && matches!(record.result, Ok(Outcome::Deleted)))
        .map(|record| record.id.name.clone())
        .collect()
}
