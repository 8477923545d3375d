//! From a command line to a stack in AWS.

use crate::aws::{AccessMode, Aws};
use crate::cli::Adopt;
use crate::config::Config;
use crate::engine::{Declared, Engine, Existing as _, Mode, ObservedOf, Seen};
use crate::error::{Command, Error, Flag, Hint, Result, Verb};
use crate::local_aws::Local;
use crate::names::Scope;
use crate::output::console::Console;
use crate::output::json::Document;
use crate::stack::Stack;
use crate::time::Stop;
use tokio::time::Instant;

/// A command before it knows its stack.
pub(crate) struct Session<'a> {
    pub(crate) config: &'a Config,
    pub(crate) console: &'a Console,
    pub(crate) stop: &'a Stop,
}

/// A command that knows its stack.
pub(crate) struct Connected<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) aws: Aws,
    pub(crate) stack: Stack,
    pub(crate) adopt: bool,
    pub(crate) seen: Seen,
}

impl<'a> Session<'a> {
    /// Returns the declared function that is meant, by its name in the manifest.
    ///
    /// # Errors
    /// Fails when there is no such function, or several and none was named.
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

    /// Returns the command that shows the log of a function. It names the function where the stack has several.
    pub(crate) fn logs_of(&self, declared: &str) -> Command {
        let function =
            (self.config.manifest.functions.len() > 1).then(|| Flag::Function(declared.to_owned()));
        function.map_or(Verb::Logs.into(), |function| Verb::Logs.flag(function))
    }

    /// Starts the local AWS if it is the target, and finds out account and region.
    pub(crate) async fn connect(
        &'a self,
        access: AccessMode,
        document: &mut Document,
    ) -> Result<Connected<'a>> {
        self.connect_to(access, document, Stack::new).await
    }

    /// Prepares a deletion, which a mistake in a policy document does not prevent.
    pub(crate) async fn connect_to_delete(&'a self, document: &mut Document) -> Result<Connected<'a>> {
        self.connect_to(AccessMode::ReadWrite, document, Stack::to_delete).await
    }

    async fn connect_to(
        &'a self,
        access: AccessMode,
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
    /// Returns the same session, which also adopts untagged resources.
    pub(crate) fn adopting(self, adopt: &Adopt) -> Self {
        Self { stack: self.stack.adopting_api(adopt.adopt_api.as_deref()), adopt: adopt.any(), ..self }
    }

    /// Describes the stack and its place.
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

    /// Observes one resource.
    ///
    /// # Errors
    /// Fails when it does not exist or belongs to somebody else.
    pub(crate) async fn standing<D: Declared>(&self, declared: &D) -> Result<ObservedOf<D>> {
        let absent = || {
            Error::new(format!("{} does not exist: {} is not up", declared.existing().id(), self.place()))
                .hint(Hint::run(Verb::Up))
        };
        self.found(declared).await?.ok_or_else(absent)
    }

    /// Observes one resource; `None` when it does not exist.
    ///
    /// # Errors
    /// Fails when it belongs to somebody else.
    pub(crate) async fn found<D: Declared>(&self, declared: &D) -> Result<Option<ObservedOf<D>>> {
        let id = declared.existing().id();
        let go = self.engine(Mode::Plan);
        let Some(seen) = go.read(id.clone(), async |step| declared.observe(step).await).await? else {
            return Ok(None);
        };
        match declared.existing().owner(&seen).objection() {
            None => Ok(Some(seen)),
            Some(why) => Err(Error::new(format!("{id} is not of this stack: it {why}")).hint(
                Hint::from(Verb::Plan.flag(Flag::Adopt)).text(" shows what taking it over would change."),
            )),
        }
    }
}
