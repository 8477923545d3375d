//! Observes and compares everything that a stack declares or once declared.

use super::refusals::refuse;
use super::session::Connected;
use crate::engine::{Change, Id, Kind, Mode, Record, Step};
use crate::error::{Error, Flag, Hint, Result, Verb};
use crate::output::console::Console;
use crate::packaging::Packages;
use crate::resources::api_gateway::rest_api;
use crate::resources::dynamodb::table::{ExistingTable, ItemCount};
use crate::stack::orphans::{self, Orphans};

/// What a planning walk has found.
pub(crate) struct Survey {
    pub(crate) records: Vec<Record>,
    pub(crate) api: Option<rest_api::Output>,
    /// What has our tags and is no longer declared.
    pub(crate) orphans: Orphans,
}

impl Connected<'_> {
    /// Finds what has the stack's tags and is no longer declared.
    pub(crate) async fn orphans(&self) -> Result<Orphans> {
        let declared = self.stack.declared();
        let id = Id::new(Kind::Tags, &self.aws.scope.stack);
        let find = async |step: &Step<'_>| orphans::find(step, &declared, &self.aws.scope).await;
        self.engine(Mode::Plan).read(id, find).await
    }

    /// Observes and compares everything, including what is no longer declared.
    ///
    /// # Errors
    /// Fails when something could not be read. Nothing was changed.
    pub(crate) async fn plan(&self, packages: &Packages, delete_data: bool) -> Result<Survey> {
        let go = self.engine(Mode::Plan);
        let (api, orphans) = tokio::join!(self.stack.walk(&go, packages, None), self.orphans());
        let orphans = orphans?;
        orphans.destroy(&go, undeclared_tables(self.session.console, delete_data).as_deref()).await;
        for warning in self.stack.warnings() {
            self.session.console.talk(&warning);
        }
        Ok(Survey { records: readable(go.finish())?, api, orphans })
    }

    /// Observes everything while Cargo builds. It waits for the build unless all there is to do is to create. Then
    /// what needs no code is created meanwhile, because IAM alone may take 15 s to let Lambda use a new role.
    ///
    /// # Errors
    /// Fails when something could not be built or read, and when `up` refuses to start. Nothing was changed.
    pub(crate) async fn plan_while_building(&self, packages: &Packages, delete_data: bool) -> Result<Survey> {
        let no_code = Packages::not_compared();
        let (survey, begun) = tokio::join!(self.plan(&no_code, delete_data), packages.begun());
        let survey = survey?;
        refuse(&survey.records, self.adopt)?;
        begun?;
        if only_creates(&survey.records) {
            return Ok(survey);
        }
        self.comparing_code(survey, packages, delete_data).await
    }

    /// Compares the code as well, once it is built. AWS is read again only where the observation is old.
    ///
    /// # Errors
    /// Fails when something could not be built or read. Nothing was changed.
    async fn comparing_code(&self, survey: Survey, packages: &Packages, delete_data: bool) -> Result<Survey> {
        let go = self.engine(Mode::Plan).reusing_seen();
        let api = self.stack.walk(&go, packages, None).await;
        survey.orphans.destroy(&go, undeclared_tables(self.session.console, delete_data).as_deref()).await;
        Ok(Survey { records: readable(go.finish())?, api, ..survey })
    }
}

/// Whether nothing that exists is changed, except the code of a function.
fn only_creates(planned: &[Record]) -> bool {
    planned.iter().all(|record| {
        let exists = record.id.kind == Kind::Function && record.found.is_some();
        !exists && record.changes.iter().all(|change| *change == Change::Create)
    })
}

/// Returns why tables that are no longer declared stay, if they do: they hold data that cannot be brought back.
pub(crate) fn undeclared_tables(console: &Console, delete_data: bool) -> Option<String> {
    let deletes = Hint::from("no longer declared, and ").command(Verb::Up.flag(Flag::DeleteData));
    (!delete_data).then(|| console.sentence(&deletes.text(" deletes it")))
}

/// Returns the records, unless something could not be read.
pub(crate) fn readable(records: Vec<Record>) -> Result<Vec<Record>> {
    match records.iter().position(|record| record.result.is_err()) {
        None => Ok(records),
        Some(first) => {
            let failed = records.iter().filter(|record| record.result.is_err()).count();
            let mut records = records;
            let record = records.swap_remove(first);
            let id = record.id;
            let error = record.result.err().unwrap_or_else(|| Error::new("it could not be read"));
            let more = if failed > 1 { format!(" (and {} more)", failed - 1) } else { String::new() };
            Err(error.context(&format!("{id}{more}")).hint("Nothing was changed."))
        }
    }
}

/// Returns the tables that are to be deleted and hold items, with their number.
pub(crate) async fn holding<'t>(
    at: &Connected<'_>,
    tables: impl IntoIterator<Item = &'t ExistingTable>,
    records: &[Record],
) -> Result<Vec<(&'t ExistingTable, ItemCount)>> {
    let mut holding = Vec::new();
    for table in tables {
        let id = Id::new(Kind::Table, &table.name);
        if records.iter().any(|record| record.id == id && record.changes == [Change::Delete]) {
            let count = at.engine(Mode::Plan).read(id, async |step| table.count_items(step).await).await?;
            if count.counted > 0 {
                holding.push((table, count));
            }
        }
    }
    Ok(holding)
}
