//! Gives a function one setting after the other, and the declared one again at the end.

use super::setting::Setting;
use crate::app::session::{Connected, Session};
use crate::app::summary::summarise;
use crate::config::Config;
use crate::engine::{Approval, Engine, Id, Kind, Mode, Pauses, Record};
use crate::error::{AwsError, Error, Hint, Result, Verb};
use crate::packaging::Packages;
use crate::resources::api_gateway::rest_api;
use crate::stack::Stack;
use crate::time::{Cadence, Stop, secs};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// The function must not keep a setting of the test because the network was down for a while.
static SETTING_RESTORED: Cadence =
    Cadence { reason: "AWS to be reached again", first: secs(1), longest: secs(8), within: secs(600) };

/// The function that is tuned, in its stack.
pub(crate) struct TunedFunction<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) connected: &'a Connected<'a>,
    pub(crate) api: &'a rest_api::Output,
    /// Its name in the manifest.
    pub(crate) function: &'a str,
    /// What is declared, and what AWS has before and after.
    pub(crate) declared: Setting,
    /// The code for each processor; not compared where there is one only.
    packages: BTreeMap<&'static str, Packages>,
}

impl<'a> TunedFunction<'a> {
    /// Builds the code for each setting before anything is changed.
    ///
    /// # Errors
    /// Code that cannot be built for one of the processors.
    pub(crate) async fn new(
        session: &'a Session<'a>,
        connected: &'a Connected<'a>,
        api: &'a rest_api::Output,
        function: &'a str,
        settings: &[Setting],
    ) -> Result<Self> {
        let declared = declared(session.config, function)?;
        let mut packages = BTreeMap::new();
        let compares_code = settings.iter().any(|setting| setting.architecture != declared.architecture);
        for setting in settings.iter().chain([&declared]) {
            let code = if compares_code {
                let code = Stack::packages(&with_setting(session.config, function, *setting))?;
                let engine = connected.engine(Mode::Plan);
                if code.get(&engine, &session.config.named(function)).await.is_none() {
                    let failed = engine.finish().into_iter().find_map(|record| record.result.err());
                    let error = failed.unwrap_or_else(|| Error::new("the code could not be built"));
                    return Err(error.context(&setting.text()).hint("Nothing was changed."));
                }
                code
            } else {
                Packages::not_compared()
            };
            packages.entry(setting.architecture.name()).or_insert(code);
        }
        Ok(Self { session, connected, api, function, declared, packages })
    }

    /// Gives the function a setting, as `up` would with that manifest, and waits until requests reach it.
    ///
    /// # Errors
    /// What AWS refuses; Ctrl-C.
    pub(crate) async fn apply(&self, setting: Setting) -> Result<()> {
        let stop = self.session.stop;
        summarise(&self.walk(setting, stop, self.deadline()).await?, stop, Verb::Up)
    }

    /// Gives the function the declared setting again, also after Ctrl-C, and while AWS cannot be reached for some minutes.
    /// The second Ctrl-C ends it.
    ///
    /// # Errors
    /// The function may keep a setting of the test; the hint says what to do.
    pub(crate) async fn restore(&self) -> Result<()> {
        let (stop, deadline) = (Stop::default(), self.deadline());
        let engine = Engine::new(&self.connected.aws, self.session.console, &stop, Mode::Apply, deadline);
        let id = Id::new(Kind::Function, self.session.config.named(self.function));
        let restored = engine.read(id, async |step| {
            let mut pauses = Pauses::new(&SETTING_RESTORED);
            loop {
                let records = self.walk(self.declared, &stop, deadline).await?;
                let result = summarise(&records, &stop, Verb::Up);
                if result.is_ok() || !records.iter().any(was_outage) || !pauses.wait(step, None).await? {
                    return result;
                }
            }
        });
        restored.await.map_err(|error| error.hint(self.restore_hint()))
    }

    /// What to tell somebody who does not wait until the declared setting is restored.
    pub(crate) fn restore_hint(&self) -> Hint {
        let function = self.session.config.named(self.function);
        Hint::from(format!("{function} may still have a setting of the test: "))
            .command(Verb::Up)
            .text(format!(" gives it {} again.", self.declared.text()))
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.session.config.timeout
    }

    async fn walk(&self, setting: Setting, stop: &Stop, deadline: Instant) -> Result<Vec<Record>> {
        let config = with_setting(self.session.config, self.function, setting);
        let stack = Stack::new(&config, &self.connected.aws.scope)?;
        let Some(packages) = self.packages.get(setting.architecture.name()) else {
            return Err(Error::new(format!("there is no code for {}", setting.text())));
        };
        let engine = Engine::new(&self.connected.aws, self.session.console, stop, Mode::Apply, deadline);
        // The stack was as declared, so nobody was asked about any loss.
        let engine = engine.approved(Approval::default());
        stack.walk(&engine, packages, Some(self.api)).await;
        Ok(engine.finish())
    }
}

/// Whether AWS could not be reached, or had an internal error.
fn was_outage(record: &Record) -> bool {
    let error = record.result.as_ref().err().and_then(Error::aws);
    error.is_some_and(AwsError::is_outage)
}

/// Returns the setting that the manifest declares for a function.
///
/// # Errors
/// It declares no such function.
pub(crate) fn declared(config: &Config, function: &str) -> Result<Setting> {
    let declared = config.manifest.functions.get(function);
    let declared = declared.ok_or_else(|| Error::usage(format!("there is no function {function}")))?;
    Ok(Setting { memory_mb: declared.memory, architecture: declared.architecture })
}

/// Returns the configuration with another setting of one function.
pub(crate) fn with_setting(config: &Config, function: &str, setting: Setting) -> Config {
    let mut config = config.clone();
    if let Some(declared) = config.manifest.functions.get_mut(function) {
        declared.memory = setting.memory_mb;
        declared.architecture = setting.architecture;
    }
    config
}
