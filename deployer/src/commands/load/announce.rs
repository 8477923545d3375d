//! What is said, and asked, before the first request.

use super::super::Session;
use super::price;
use crate::cost::{Prices, dollars, grouped};
use crate::error::Result;
use crate::load::{Plan, Request};

/// A load that costs this much, in dollars, is asked about.
const ASKED_FROM: f64 = 1.0;

/// What AWS lets through by default, in each account and region: requests a second, and at once.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html>
const ACCOUNT_RATE: u32 = 10_000;
const ACCOUNT_BURST: i32 = 5_000;

/// What Lambda runs at once by default, in each account and region; new accounts begin with less.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>
const ACCOUNT_CONCURRENCY: i32 = 1_000;

/// # Errors
/// A no, where it costs so much that it is asked.
pub(super) async fn run(
    session: &Session<'_>,
    plan: &Plan,
    cleanup: bool,
    function: &str,
    region: &str,
) -> Result<()> {
    let config = session.config;
    let console = session.console;
    let requests = plan.schedule.total();
    let made = price::part(&plan.mix, Request::makes_an_item);
    let warmup = plan.schedule.of_warmup();
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
    if made > 0.0 && !cleanup {
        console.talk(&format!(
            "It leaves items whose ids begin with {}-; --cleanup deletes them afterwards.",
            plan.run.text()
        ));
    }
    for warning in warnings(session, plan, function) {
        console.talk(&format!("warning: {warning}"));
    }
    let Some(declared) = config.manifest.functions.get(function) else { return Ok(()) };
    if config.target.is_local() {
        return Ok(());
    }
    let Ok(prices) = Prices::of(region) else {
        console.talk(&format!("What it costs in {region} is not known."));
        return Ok(());
    };
    let cost = price::beforehand(&prices, &config.manifest, declared, plan, cleanup);
    spend(session, cost).await
}

/// Says what is going to be spent, in dollars, and asks where it is much.
///
/// # Errors
/// A no.
pub(in crate::commands) async fn spend(session: &Session<'_>, cost: f64) -> Result<()> {
    session.console.talk(&format!("It costs about {}, by list prices.", dollars(cost)));
    if cost < ASKED_FROM {
        return Ok(());
    }
    session.console.confirm(&format!("Spend about {} on this load?", dollars(cost)), session.stop).await
}

/// What may turn requests away.
pub(in crate::commands) fn warnings(session: &Session<'_>, plan: &Plan, function: &str) -> Vec<String> {
    let manifest = &session.config.manifest;
    let rate = plan.schedule.rate;
    let mut all = Vec::new();
    let answered = "what comes beyond it is answered with 429, which is counted apart";
    if let Some(throttle) = &manifest.api.throttle
        && f64::from(rate) > throttle.rate
    {
        all.push(format!(
            "the stage lets {} requests a second through (burst {}): {answered}",
            throttle.rate, throttle.burst
        ));
    }
    if rate > ACCOUNT_RATE && !session.config.target.is_local() {
        all.push(format!(
            "AWS lets {ACCOUNT_RATE} requests a second through by default (burst {ACCOUNT_BURST}), in an account and region: {answered}"
        ));
    }
    let reserved = manifest.functions.get(function).and_then(|function| function.reserved_concurrency);
    let limit = reserved.unwrap_or(ACCOUNT_CONCURRENCY);
    let longest = f64::from(limit.max(0)) / f64::from(rate) * 1000.0;
    // Quicker than that answers hardly are, through API Gateway and a table.
    if longest < 20.0 && (reserved.is_some() || !session.config.target.is_local()) {
        let whose =
            if reserved.is_some() { "the function's reserved concurrency" } else { "Lambda's default" };
        all.push(format!(
            "{whose} of {limit} at once carries {rate} requests a second only if each takes less than {longest:.1} ms: {answered}"
        ));
    }
    all
}
