//! The limits that a load may exceed: the stage's, the account's, the functions', and the load generator's own.

use crate::app::session::{Connected, Session};
use crate::engine::{Id, Kind, Mode};
use crate::manifest::{Manifest, Throttle};
use crate::pricing::grouped;
use crate::resources::account_limits::{DEFAULT_CONCURRENCY, DEFAULT_REQUESTS, Limits};
use loadgen::LoadPlan;

/// Warns of every limit that the load will exceed.
pub(crate) async fn warn(session: &Session<'_>, connected: &Connected<'_>, plan: &LoadPlan) {
    let (config, rate) = (session.config, plan.schedule.rate);
    // The local AWS has no account with limits.
    let limits = if config.target.is_local() {
        None
    } else {
        let id = Id::new(Kind::Load, format!("{rate}/s"));
        connected.engine(Mode::Plan).read(id, async |step| Ok(Limits::of(step).await)).await.ok()
    };
    let concurrency = too_few_connections(rate, plan.concurrency);
    let part = |function: &str| plan.mix.part_where(|kind| kind.handler() == function);
    let functions: Vec<(&str, f64)> =
        plan.mix.handlers().into_iter().map(|function| (function, part(function))).collect();
    for warning in warnings(&config.manifest, rate, &functions, limits).into_iter().chain(concurrency) {
        session.console.talk(&format!("warning: {warning}"));
    }
}

/// Some answers take longer than this: from far away, from a new environment, from a large table.
const USUAL_MS: f64 = 100.0;

/// Warns that `--concurrency` is too low for the rate: requests that are sent late or never say little about the stack.
fn too_few_connections(rate: u32, concurrency: usize) -> Option<String> {
    let concurrency = u32::try_from(concurrency).unwrap_or(u32::MAX);
    let longest = f64::from(concurrency) / f64::from(rate) * 1000.0;
    (longest < USUAL_MS).then(|| {
        format!(
            "--concurrency {concurrency} carries {rate} requests a second only if each is answered within {longest:.1} ms: beyond that they are sent late, and those that are left at the end never"
        )
    })
}

/// Answers through API Gateway and a table are rarely faster than this, in ms.
const QUICK_MS: f64 = 20.0;

/// Returns the warnings about limits. `functions` go with their part of the rate; `limits` are the account's, unless it has
/// none.
fn warnings(
    manifest: &Manifest,
    rate: u32,
    functions: &[(&str, f64)],
    limits: Option<Limits>,
) -> Vec<String> {
    let rate = f64::from(rate);
    let mut all = Vec::new();
    let mut throttled = |whose: &str, throttle: Throttle| {
        if rate > throttle.rate {
            all.push(format!(
                "{whose} {} requests a second through (burst {}): what comes beyond it is answered with 429, which is counted apart",
                grouped(&throttle.rate.to_string()),
                grouped(&throttle.burst.to_string())
            ));
        }
    };
    if let Some(stage) = &manifest.api.throttle {
        throttled("the stage lets", *stage);
    }
    match limits.map(|limits| limits.requests) {
        Some(Some(known)) => throttled("the account lets all its APIs together", known),
        Some(None) => throttled("AWS by default lets all APIs of an account together", DEFAULT_REQUESTS),
        None => {}
    }
    let mut carries = |whose: &str, limit: i32, rate: f64| {
        let longest = f64::from(limit.max(0)) / rate * 1000.0;
        if longest < QUICK_MS {
            // API Gateway says 500 when Lambda says 429, and nothing in an API's definition can map it.
            // <https://repost.aws/knowledge-center/api-gateway-internal-server-error>
            all.push(format!(
                "{whose} of {} at once carries {rate:.0} requests a second only if each takes less than {longest:.1} ms: what comes beyond it is answered with 500 and counts as failed",
                grouped(&limit.to_string())
            ));
        }
    };
    let mut unreserved = 0.0;
    for (name, part) in functions {
        match manifest.functions.get(*name).and_then(|function| function.reserved_concurrency) {
            Some(reserved) => {
                carries(&format!("{name} with its reserved concurrency"), reserved, rate * part);
            }
            None => unreserved += rate * part,
        }
    }
    if unreserved > 0.0 {
        match limits.map(|limits| limits.concurrency) {
            Some(Some(known)) => carries("the account's unreserved concurrency", known, unreserved),
            Some(None) => carries("Lambda's default concurrency", DEFAULT_CONCURRENCY, unreserved),
            None => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn told(stack: &str, rate: u32, limits: Option<Limits>) -> Vec<String> {
        let manifest = Manifest::parse(stack, Path::new("stack.toml"), "").unwrap();
        warnings(&manifest, rate, &[("LambdaFunctionOverHttps", 1.0)], limits)
    }

    #[test]
    fn what_the_stack_declares_holds_everywhere() {
        let throttle = "[api]\nthrottle = { rate = 100, burst = 2000 }";
        assert_eq!(told(throttle, 100, None), [""; 0]);
        assert_eq!(
            told(throttle, 101, None),
            [
                "the stage lets 100 requests a second through (burst 2,000): what comes beyond it is answered with 429, which is counted apart"
            ]
        );
        let reserved = "[functions.LambdaFunctionOverHttps]\nreserved-concurrency = 2";
        assert_eq!(told(reserved, 100, None), [""; 0]);
        assert_eq!(
            told(reserved, 200, None),
            [
                "LambdaFunctionOverHttps with its reserved concurrency of 2 at once carries 200 requests a second only if each takes less than 10.0 ms: what comes beyond it is answered with 500 and counts as failed"
            ]
        );
    }

    #[test]
    fn a_rate_takes_connections() {
        assert_eq!(too_few_connections(20, 100), None);
        assert_eq!(too_few_connections(1_000, 100), None);
        assert_eq!(
            too_few_connections(400, 1).as_deref(),
            Some(
                "--concurrency 1 carries 400 requests a second only if each is answered within 2.5 ms: beyond that they are sent late, and those that are left at the end never"
            )
        );
    }

    #[test]
    fn an_accounts_limits_are_those_that_it_has() {
        let young = Limits { requests: Some(Throttle { rate: 600.0, burst: 300 }), concurrency: Some(10) };
        assert_eq!(told("", 500, Some(young)), [""; 0]);
        let warned = told("", 1_000, Some(young));
        assert!(warned[0].starts_with(
            "the account lets all its APIs together 600 requests a second through (burst 300): "
        ));
        assert!(warned[1].starts_with("the account's unreserved concurrency of 10 at once carries 1000 requests a second only if each takes less than 10.0 ms: "));
        assert_eq!(warned.len(), 2);
    }

    #[test]
    fn what_aws_does_not_tell_is_as_by_default() {
        assert_eq!(told("", 10_000, Some(Limits::default())), [""; 0]);
        let warned = told("", 60_000, Some(Limits::default()));
        assert!(warned[0].starts_with("AWS by default lets all APIs of an account together 10,000 requests a second through (burst 5,000): "));
        assert!(warned[1].starts_with("Lambda's default concurrency of 1,000 at once carries 60000 requests a second only if each takes less than 16.7 ms: "));
        assert_eq!(told("", 60_000, None), [""; 0]);
    }
}
