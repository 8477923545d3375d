//! What is said, and asked, before the first setting.

use super::super::load::{announce, price};
use crate::app::session::{Connected, Session};
use crate::error::Result;
use crate::load::Plan;
use crate::pricing::{Prices, grouped};
use crate::tuning::Setting;

/// # Errors
/// A no, where it costs so much that it is asked.
pub(super) async fn run(
    session: &Session<'_>,
    at: &Connected<'_>,
    plan: &Plan,
    cleanup: bool,
    function: &str,
    settings: &[Setting],
) -> Result<()> {
    let (config, console) = (session.config, session.console);
    let all: Vec<String> = settings.iter().map(|setting| setting.text()).collect();
    console.talk(&format!(
        "{} gets {} settings, one after the other: {}.",
        config.named(function),
        settings.len(),
        all.join("; ")
    ));
    console.talk(&format!(
        "Each gets {} requests in {} s, the first {} to warm up. What is declared comes back at the end.",
        grouped(&plan.schedule.total().to_string()),
        plan.schedule.length().as_secs(),
        grouped(&plan.schedule.of_warmup().to_string())
    ));
    announce::warn(session, at, plan).await;
    if config.target.is_local() {
        return Ok(());
    }
    let region = &at.aws.scope.region;
    let Ok(prices) = Prices::of(region) else {
        console.talk(&format!("What it costs in {region} is not known, so that nothing will be chosen."));
        return Ok(());
    };
    let mut cost = 0.0;
    for setting in settings {
        let config = super::setting::config(config, function, *setting);
        cost += price::beforehand(&prices, &config.manifest, plan, cleanup);
    }
    announce::spend(session, cost).await
}
