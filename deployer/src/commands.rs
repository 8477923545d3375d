//! One file for each verb, and what they share: the way from a configuration to a stack in AWS.

pub(crate) mod cost;
pub(crate) mod down;
pub(crate) mod init;
pub(crate) mod invoke;
pub(crate) mod load;
pub(crate) mod local;
pub(crate) mod logs;
mod output;
pub(crate) mod plan;
pub(crate) mod status;
pub(crate) mod tune;
pub(crate) mod up;

use crate::aws::{Access, Aws};
use crate::cli::Adopt;
use crate::config::Config;
use crate::engine::{Change, Engine, Id, Kind, Mode, Outcome, Record, Resource, Seen, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::local::Local;
use crate::names::{Owner, Scope};
use crate::orphans;
use crate::packaging::Packages;
use crate::report::console::Console;
use crate::report::json::Document;
use crate::resources::api_gateway::rest_api;
use crate::resources::dynamodb::table::{ItemCount, Table};
use crate::stack::Stack;
use crate::time::Stop;
use tokio::time::Instant;

/// The exit code of `plan` and `status` when they were asked for one and something differs.
pub(crate) const DIFFERENT: u8 = 4;

/// Nothing of the stack exists.
pub(crate) const ABSENT: &str = "absent";

/// Everything is as declared.
pub(crate) const IN_SYNC: &str = "in_sync";

/// Something is not as declared, or was kept.
pub(crate) const DIFFERENT_STATE: &str = "different";

/// A command that is about to run.
pub(crate) struct Session<'a> {
    pub(crate) config: &'a Config,
    pub(crate) console: &'a Console,
    pub(crate) stop: &'a Stop,
}

/// A command that has found its stack.
pub(crate) struct Connected<'a> {
    session: &'a Session<'a>,
    pub(crate) aws: Aws,
    pub(crate) stack: Stack,
    adopt: bool,
    seen: Seen,
}

/// What a walk that only looks has found.
pub(crate) struct Survey {
    pub(crate) records: Vec<Record>,
    pub(crate) api: Option<rest_api::Output>,
    /// What carries our tags and is no longer declared.
    pub(crate) orphans: Stack,
}

impl<'a> Session<'a> {
    /// The function that is meant, by its name in the manifest.
    ///
    /// # Errors
    /// None of this name, or several and no name.
    pub(crate) fn function(&self, wanted: Option<&str>) -> Result<&'a str> {
        let names: Vec<&str> = self.config.manifest.functions.keys().map(String::as_str).collect();
        match (wanted, &names[..]) {
            (None, [only]) => Ok(only),
            (None, _) => Err(Error::usage(format!("the stack has several functions: {}", names.join(", ")))
                .hint("Say which with --function NAME.")),
            (Some(wanted), _) => {
                let is_it = |name: &&&str| **name == wanted || self.config.named(name) == wanted;
                names.iter().find(is_it).copied().ok_or_else(|| {
                    Error::usage(format!("the stack has no function {wanted}"))
                        .hint(format!("It declares {}.", names.join(", ")))
                })
            }
        }
    }

    /// Starts the local AWS if it is the target, and finds out where the stack is.
    pub(crate) async fn connect(&'a self, access: Access, document: &mut Document) -> Result<Connected<'a>> {
        self.connect_to(access, document, Stack::new).await
    }

    /// The same for what is to be deleted, which no mistake in a policy document keeps.
    pub(crate) async fn connect_to_delete(&'a self, document: &mut Document) -> Result<Connected<'a>> {
        self.connect_to(Access::ReadWrite, document, Stack::to_delete).await
    }

    async fn connect_to(
        &'a self,
        access: Access,
        document: &mut Document,
        stack: impl FnOnce(&Config, &Scope) -> Result<Stack>,
    ) -> Result<Connected<'a>> {
        let config = self.config;
        let talk = |line: &str| self.console.talk(line);
        let target = if config.target.local {
            let local = Local::new(&config.local, &config.machine, self.stop)?;
            &local.target(&config.target, talk).await?
        } else {
            &config.target
        };
        let allowed = &config.manifest.allowed_accounts;
        let name = config.stack_name();
        let mut aws = Aws::connect(target, &name, allowed, access, self.stop, config.timeout, talk).await?;
        aws.scope.more_tags.clone_from(&config.manifest.tags);
        document.place(&aws.scope);
        let stack = stack(config, &aws.scope)?;
        Ok(Connected { session: self, aws, stack, adopt: false, seen: Seen::default() })
    }
}

impl Connected<'_> {
    /// The same, taking over what nobody has claimed.
    pub(crate) fn adopting(self, adopt: &Adopt) -> Self {
        Self { stack: self.stack.adopting_api(adopt.adopt_api.as_deref()), adopt: adopt.any(), ..self }
    }

    /// Which stack, and where, in words.
    pub(crate) fn place(&self) -> String {
        let scope = &self.aws.scope;
        format!("the stack {} in {} (account {})", scope.stack, scope.region, scope.account)
    }

    pub(crate) fn engine(&self, mode: Mode) -> Engine<'_> {
        let deadline = Instant::now() + self.session.config.timeout;
        Engine::new(&self.aws, self.session.console, self.session.stop, mode, deadline)
            .adopting(self.adopt)
            .sharing(&self.seen)
    }

    /// What AWS has of one resource, if it stands and is ours.
    ///
    /// # Errors
    /// It does not exist, or is not of this stack.
    pub(crate) async fn standing<R: Resource>(&self, resource: &R) -> Result<R::Observed> {
        let absent = || {
            Error::new(format!("{} does not exist: {} is not up", resource.id(), self.place()))
                .hint("Run deployer up.")
        };
        self.found(resource).await?.ok_or_else(absent)
    }

    /// The same; `None` when it does not exist.
    ///
    /// # Errors
    /// It is not of this stack.
    pub(crate) async fn found<R: Resource>(&self, resource: &R) -> Result<Option<R::Observed>> {
        let id = resource.id();
        let go = self.engine(Mode::Plan);
        let Some(seen) = go.read(id.clone(), async |step| resource.observe(step).await).await? else {
            return Ok(None);
        };
        match resource.owner(&seen).objection() {
            None => Ok(Some(seen)),
            Some(why) => Err(Error::new(format!("{id} is not of this stack: it {why}"))
                .hint("deployer plan --adopt shows what taking it over would change.")),
        }
    }

    /// What carries the stack's tags and is no longer declared, as a stack of its own.
    pub(crate) async fn orphans(&self) -> Result<Stack> {
        let declared = self.stack.declared();
        let id = Id::new(Kind::Tags, &self.aws.scope.stack);
        let find = async |step: &Step<'_>| orphans::find(step, &declared, &self.aws.scope).await;
        Ok(Stack::of(self.engine(Mode::Plan).read(id, find).await?))
    }

    /// Looks at everything and compares it, with what is no longer declared.
    ///
    /// # Errors
    /// What could not be looked at: nothing was changed by then.
    pub(crate) async fn plan(&self, packages: &Packages, delete_data: bool) -> Result<Survey> {
        let go = self.engine(Mode::Plan);
        let (api, orphans) = tokio::join!(self.stack.walk(&go, packages, None), self.orphans());
        let orphans = orphans?;
        orphans.destroy(&go, undeclared_tables(delete_data)).await;
        for warning in self.stack.warnings() {
            self.session.console.talk(&warning);
        }
        Ok(Survey { records: readable(go.finish())?, api, orphans })
    }

    /// The same survey with the code compared, once it is built. AWS is asked again only about what it was asked a while ago.
    ///
    /// # Errors
    /// What could not be built or looked at: nothing was changed by then.
    pub(crate) async fn comparing_code(
        &self,
        survey: Survey,
        packages: &Packages,
        delete_data: bool,
    ) -> Result<Survey> {
        let go = self.engine(Mode::Plan).reusing_seen();
        let api = self.stack.walk(&go, packages, None).await;
        survey.orphans.destroy(&go, undeclared_tables(delete_data)).await;
        Ok(Survey { records: readable(go.finish())?, api, ..survey })
    }
}

/// Why tables that are no longer declared stay, if they do: they hold what nobody can bring back.
pub(crate) fn undeclared_tables(delete_data: bool) -> Option<&'static str> {
    (!delete_data).then_some("no longer declared, and up --delete-data deletes it")
}

/// The records, unless some of them could not be read.
fn readable(records: Vec<Record>) -> Result<Vec<Record>> {
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

/// Refuses to start where something is not ours, or cannot be changed: all of it in one message.
pub(crate) fn refuse(records: &[Record], adopt: bool) -> Result<()> {
    let foreign: Vec<String> = records
        .iter()
        .filter_map(|record| Some((record, record.found.as_ref()?)))
        .filter(|(_, found)| !(adopt && found.owner == Owner::Unclaimed))
        .filter_map(|(record, found)| Some(format!("  {}: it {}", record.id, found.owner.objection()?)))
        .collect();
    if !foreign.is_empty() {
        return Err(Error::new(format!("these exist already and are not of this stack:\n{}", foreign.join("\n")))
            .hint("Nothing was changed. deployer up --adopt takes over what carries no tag, after showing what it would change.")
            .hint("Or use other names in the manifest, or an independent copy with --env NAME."));
    }
    refuse_blocked(records, "Nothing was changed.")?;
    let refused: Vec<String> = records
        .iter()
        .flat_map(|record| record.changes.iter().map(move |change| (record, change)))
        .filter(|(_, change)| matches!(change, Change::Refused { .. }))
        .map(|(record, change)| format!("  {}: {}", record.id, change))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!("the manifest asks for what cannot be done:\n{}", refused.join("\n")))
        .hint("Nothing was changed."))
}

/// Refuses to start where something that is to go cannot be deleted, so that nothing is left half-way.
pub(crate) fn refuse_blocked(records: &[Record], nothing: &str) -> Result<()> {
    let blocked: Vec<String> = records
        .iter()
        .filter(|record| !record.changes.is_empty())
        .flat_map(|record| {
            record.found.iter().flat_map(|found| &found.blockers).map(move |why| (record, why))
        })
        .map(|(record, why)| format!("  {}: it {why}", record.id))
        .collect();
    if blocked.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!("these cannot be deleted:\n{}", blocked.join("\n"))).hint(nothing))
}

/// Those of the tables that are to go and hold items, with how many.
pub(crate) async fn holding<'t>(
    at: &Connected<'_>,
    tables: impl IntoIterator<Item = &'t Table>,
    records: &[Record],
) -> Result<Vec<(&'t Table, ItemCount)>> {
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

/// After a walk that changed things: what failed, what stands, and what to do next.
pub(crate) fn settle(records: &[Record], stop: &Stop, command: &str) -> Result<()> {
    let failed: Vec<(&Record, &Error)> =
        records.iter().filter_map(|record| Some((record, record.result.as_ref().err()?))).collect();
    let mut skipped =
        records.iter().filter(|record| matches!(record.result, Ok(Outcome::Skipped))).peekable();
    if failed.is_empty() && skipped.peek().is_none() {
        return Ok(());
    }
    let skipped: Vec<String> = skipped.map(|record| record.id.to_string()).collect();
    let mut message = match (stop.is_set(), &failed[..]) {
        (true, _) => "interrupted".to_owned(),
        (false, []) => format!("not done, because what it needs is not known: {}", skipped.join(", ")),
        (false, failed) => {
            let failed = failed.iter().map(|(record, error)| format!("{}: {error}", record.id));
            failed.collect::<Vec<_>>().join("\n")
        }
    };
    message.push_str("\nwhat stands now:");
    for record in records {
        let how = match &record.result {
            Ok(Outcome::Absent) if command == "up" => continue,
            Ok(outcome) => outcome.to_string(),
            Err(_) => "failed; it may be half-done".to_owned(),
        };
        message.push_str(&format!("\n  {}: {how}", record.id));
    }
    let mut error = Error::of(ErrorKind::Partial, message);
    for (_, failure) in &failed {
        for hint in failure.hints() {
            error = error.hint(hint);
        }
    }
    Err(error.hint(format!("Run deployer {command} again: it goes on from here.")))
}

/// One word for what a walk found.
pub(crate) fn state(records: &[Record]) -> &'static str {
    if records.iter().all(|record| record.found.is_none()) {
        ABSENT
    } else if records.iter().all(|record| record.changes.is_empty()) {
        IN_SYNC
    } else {
        DIFFERENT_STATE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A step may be left out although nothing failed: that is a mistake of ours, and still has to be said.
    #[test]
    fn what_was_left_out_is_named_also_where_nothing_failed() {
        let skipped = Record {
            id: Id::new(Kind::RestApi, "shop"),
            found: None,
            changes: Vec::new(),
            result: Ok(Outcome::Skipped),
        };
        let error = settle(&[skipped], &Stop::default(), "up").unwrap_err();
        let first = error.to_string().lines().next().unwrap_or_default().to_owned();
        assert_eq!(first, "not done, because what it needs is not known: REST API shop");
    }
}
