//! What is said before the first request, and asked where it is expensive.

use super::{cost, limits};
use crate::app::session::{Connected, Session};
use crate::error::Result;
use crate::pricing::{Prices, dollars, grouped};
use loadgen::{LoadPlan, RequestKind};

/// A load that costs this much, in dollars, needs a confirmation.
const CONFIRMED_FROM: f64 = 1.0;

/// Says what a run sends, what it leaves, which limits it exceeds and what it costs.
///
/// # Errors
/// The person declines the cost.
pub(crate) async fn announce(
    session: &Session<'_>,
    connected: &Connected<'_>,
    plan: &LoadPlan,
    cleanup: bool,
) -> Result<()> {
    let config = session.config;
    let console = session.console;
    let requests = plan.schedule.total();
    let warmup = plan.schedule.warmup_requests();
    let mut text = format!(
        "{} requests in {} s to {}",
        grouped(&requests.to_string()),
        plan.schedule.length().as_secs(),
        plan.target.url()
    );
    if warmup > 0 {
        text.push_str(&format!(", {} of them to warm up", grouped(&warmup.to_string())));
    }
    console.talk(&format!("{text}."));
    if plan.mix.kinds().iter().any(RequestKind::creates_item) && !cleanup {
        console.talk(&format!(
            "It leaves items whose ids begin with {}-; --cleanup deletes them afterwards.",
            plan.run.text()
        ));
    }
    limits::warn(session, connected, plan).await;
    if config.target.is_local() {
        return Ok(());
    }
    let region = &connected.aws.scope.region;
    let Ok(prices) = Prices::for_region(region) else {
        console.talk(&format!("What it costs in {region} is not known."));
        return Ok(());
    };
    confirm_cost(session, cost::estimate(&prices, &config.manifest, plan, cleanup)).await
}

/// Says what a load is going to cost, in dollars, and asks where that is much.
///
/// # Errors
/// The person declines.
pub(crate) async fn confirm_cost(session: &Session<'_>, usd: f64) -> Result<()> {
    session.console.talk(&format!(
        "It costs about {}, by list prices and if {:.0} ms of an invocation are billed.",
        dollars(usd),
        cost::ESTIMATED_BILLED_MS
    ));
    if usd < CONFIRMED_FROM {
        return Ok(());
    }
    session.console.confirm(&format!("Spend about {} on this load?", dollars(usd)), session.stop).await
}
