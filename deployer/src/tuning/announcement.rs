//! What is said before the first setting, and asked where it is expensive.

use super::setting::Setting;
use super::tuned_function::with_setting;
use crate::app::session::{Connected, Session};
use crate::error::Result;
use crate::loadtest::announcement::confirm_cost;
use crate::loadtest::{cost, limits};
use crate::pricing::{Prices, grouped};
use loadgen::LoadPlan;

/// Says which settings are tried, what is sent to each, which limits that exceeds and what it costs.
///
/// # Errors
/// The person declines the cost.
pub(crate) async fn announce(
    session: &Session<'_>,
    connected: &Connected<'_>,
    plan: &LoadPlan,
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
        grouped(&plan.schedule.warmup_requests().to_string())
    ));
    limits::warn(session, connected, plan).await;
    if config.target.is_local() {
        return Ok(());
    }
    let region = &connected.aws.scope.region;
    let Ok(prices) = Prices::for_region(region) else {
        console.talk(&format!("What it costs in {region} is not known, so that nothing will be chosen."));
        return Ok(());
    };
    let mut usd = 0.0;
    for setting in settings {
        let config = with_setting(config, function, *setting);
        usd += cost::estimate(&prices, &config.manifest, plan, cleanup);
    }
    confirm_cost(session, usd).await
}
