//! One setting of a function after the other, and the declared one again at the end.

use crate::app::session::{Connected, Session};
use crate::app::summary::summarise;
use crate::config::Config;
use crate::engine::{Engine, Id, Kind, Mode, Pauses, Record};
use crate::error::{AwsError, Error, Result};
use crate::packaging::Packages;
use crate::resources::api_gateway::rest_api;
use crate::stack::Stack;
use crate::time::{Cadence, Stop, secs};
use crate::tuning::Setting;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// `tune` does not leave a function as it should not stay because a network was gone for a while.
static SETTING_BACK: Cadence =
    Cadence { reason: "AWS to be reached again", first: secs(1), longest: secs(8), within: secs(600) };

/// The function that is tuned, in its stack.
pub(super) struct Tuned<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) at: &'a Connected<'a>,
    pub(super) api: &'a rest_api::Output,
    /// Its name in the manifest.
    pub(super) function: &'a str,
    /// What is declared, and what AWS has before and after.
    pub(super) declared: Setting,
    /// The code for each processor; not compared where there is one only.
    packages: BTreeMap<&'static str, Packages>,
}

impl<'a> Tuned<'a> {
    /// With the code for each setting, built before anything is changed.
    ///
    /// # Errors
    /// Code that cannot be built for one of the processors.
    pub(super) async fn new(
        session: &'a Session<'a>,
        at: &'a Connected<'a>,
        api: &'a rest_api::Output,
        function: &'a str,
        settings: &[Setting],
    ) -> Result<Self> {
        let declared = declared(session.config, function)?;
        let mut packages = BTreeMap::new();
        let others = settings.iter().any(|setting| setting.architecture != declared.architecture);
        for setting in settings.iter().chain([&declared]) {
            let of_setting = if others {
                let of_setting = Stack::packages(&config(session.config, function, *setting))?;
                let go = at.engine(Mode::Plan);
                if of_setting.get(&go, &session.config.named(function)).await.is_none() {
                    let failed = go.finish().into_iter().find_map(|record| record.result.err());
                    let error = failed.unwrap_or_else(|| Error::new("the code could not be built"));
                    return Err(error.context(&setting.text()).hint("Nothing was changed."));
                }
                of_setting
            } else {
                Packages::not_compared()
            };
            packages.entry(setting.architecture.name()).or_insert(of_setting);
        }
        Ok(Self { session, at, api, function, declared, packages })
    }

    /// Makes it so, as `up` would with that manifest, and waits until requests meet it.
    ///
    /// # Errors
    /// What AWS refuses; Ctrl-C.
    pub(super) async fn apply(&self, setting: Setting) -> Result<()> {
        let stop = self.session.stop;
        summarise(&self.walk(setting, stop, self.deadline()).await?, stop, "up")
    }

    /// Makes it as declared again, whatever came before, Ctrl-C too, and however often AWS cannot be reached. The second
    /// Ctrl-C ends it.
    ///
    /// # Errors
    /// What stands instead, and what to do.
    pub(super) async fn restore(&self) -> Result<()> {
        let (stop, deadline) = (Stop::default(), self.deadline());
        let go = Engine::new(&self.at.aws, self.session.console, &stop, Mode::Apply, deadline);
        let id = Id::new(Kind::Function, self.session.config.named(self.function));
        let restored = go.read(id, async |step| {
            let mut pauses = Pauses::new(&SETTING_BACK);
            loop {
                let records = self.walk(self.declared, &stop, deadline).await?;
                let result = summarise(&records, &stop, "up");
                if result.is_ok() || !records.iter().any(was_outage) || !pauses.wait(step, None).await? {
                    return result;
                }
            }
        });
        restored.await.map_err(|error| error.hint(self.last_words()))
    }

    /// For somebody who cannot wait until the declared setting is back.
    pub(super) fn last_words(&self) -> String {
        format!(
            "{} may still have a setting of the test: deployer up gives it {} again.",
            self.session.config.named(self.function),
            self.declared.text()
        )
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.session.config.timeout
    }

    async fn walk(&self, setting: Setting, stop: &Stop, deadline: Instant) -> Result<Vec<Record>> {
        let config = config(self.session.config, self.function, setting);
        let stack = Stack::new(&config, &self.at.aws.scope)?;
        let Some(packages) = self.packages.get(setting.architecture.name()) else {
            return Err(Error::new(format!("there is no code for {}", setting.text())));
        };
        let go = Engine::new(&self.at.aws, self.session.console, stop, Mode::Apply, deadline);
        stack.walk(&go, packages, Some(self.api)).await;
        Ok(go.finish())
    }
}

/// Whether AWS could not be reached, or broke.
fn was_outage(record: &Record) -> bool {
    let error = record.result.as_ref().err().and_then(Error::aws);
    error.is_some_and(AwsError::is_outage)
}

/// What the manifest says of a function.
///
/// # Errors
/// It declares no such function.
pub(super) fn declared(config: &Config, function: &str) -> Result<Setting> {
    let declared = config.manifest.functions.get(function);
    let declared = declared.ok_or_else(|| Error::usage(format!("there is no function {function}")))?;
    Ok(Setting { memory_mb: declared.memory, architecture: declared.architecture })
}

/// The same stack, with one setting of one function changed.
pub(super) fn config(config: &Config, function: &str, setting: Setting) -> Config {
    let mut config = config.clone();
    if let Some(declared) = config.manifest.functions.get_mut(function) {
        declared.memory = setting.memory_mb;
        declared.architecture = setting.architecture;
    }
    config
}
