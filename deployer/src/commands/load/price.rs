//! What a load costs: before it, by what is known of its requests, and after it, by what the function was billed.

use crate::cost::{Bill, FreeTier, Prices, Usage};
use crate::load::{Mix, Plan, Request};
use crate::manifest::{Function, Manifest};

/// What an invocation is billed for at a guess, in ms: what is not known before it was measured, and little beside the
/// requests themselves.
pub(super) const BILLED_MS: f64 = 20.0;

const MILLION: f64 = 1e6;

/// In dollars, before it was measured, with the deletion of what it makes.
pub(in crate::commands) fn beforehand(
    prices: &Prices,
    manifest: &Manifest,
    function: &Function,
    plan: &Plan,
    cleanup: bool,
) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no load has 2^53 requests")]
    let sent = plan.schedule.total() as f64;
    let usage = usage(manifest, function, &plan.mix, BILLED_MS);
    let load = prices.bill(&usage, sent, FreeTier::Ignored).usd;
    if !cleanup {
        return load;
    }
    let made = part(&plan.mix, Request::makes_an_item);
    let undo = Usage { write_units: by_request(manifest, function), read_units: 0.0, ..usage };
    load + prices.bill(&undo, sent * made, FreeTier::Ignored).usd
}

/// The bill of a million such requests in a month, with what the function was billed on average, in ms.
pub(super) fn of_a_million(
    prices: &Prices,
    manifest: &Manifest,
    function: &Function,
    mix: &Mix,
    billed_ms: f64,
) -> Bill {
    prices.bill(&usage(manifest, function, mix, billed_ms), MILLION, FreeTier::Ignored)
}

/// Each request that makes an item writes one, of up to a KB; each other one but `ping` reads one, or some small ones.
fn usage(manifest: &Manifest, function: &Function, mix: &Mix, billed_ms: f64) -> Usage {
    let writes = part(mix, Request::makes_an_item);
    let reads = part(mix, |request| !request.makes_an_item() && request.name != "ping");
    let by_request = by_request(manifest, function);
    Usage {
        write_units: writes * by_request,
        read_units: reads * by_request * crate::cost::read_units(1024.0),
        ..Usage::of(function, billed_ms)
    }
}

/// 1 where tables are paid by request, 0 where they are paid by the hour.
fn by_request(manifest: &Manifest, function: &Function) -> f64 {
    if manifest.pays_by_request(function) { 1.0 } else { 0.0 }
}

/// Which part of all requests these are.
pub(super) fn part(mix: &Mix, which: impl Fn(&Request) -> bool) -> f64 {
    mix.requests.iter().filter(|request| which(request)).map(|request| mix.part(request)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::BuiltIn;
    use crate::manifest::Table;

    /// By hand, for a million requests of which a fifth creates: $3.50 + $0.20 + 0.05 GB-seconds each of 2,500 at
    /// $0.0000166667 + writes 0.2 × $0.625 + reads 0.6 × 0.5 × $0.125 + logs; and 200,000 deletions.
    #[test]
    fn what_a_load_will_cost_is_said_with_its_deletions() {
        let manifest =
            Manifest { tables: [("t".to_owned(), Table::default())].into(), ..Manifest::default() };
        let function = Function::default();
        let plan = Plan {
            target: crate::load::Target::new("http://127.0.0.1/Prod", None).unwrap(),
            mix: BuiltIn::default().mix("/", Some(("t", &Table::default()))).unwrap(),
            schedule: crate::load::Schedule {
                rate: 1_000,
                warmup: std::time::Duration::ZERO,
                duration: std::time::Duration::from_secs(1_000),
            },
            concurrency: 1,
            answer_within: std::time::Duration::from_secs(1),
            run: crate::load::RunId::new(),
        };
        let prices = Prices::of("us-east-1").unwrap();
        let logs = |requests: f64| requests * 500.0 / 1_073_741_824.0 * (0.50 + 0.03 * 14.0 / (730.0 / 24.0));
        let lambda = |requests: f64| requests * (0.2e-6 + 128.0 / 1024.0 * 0.020 * 0.000_016_666_7);
        let load = 3.50 + lambda(1e6) + 0.2 * 0.625 + 0.6 * 0.5 * 0.125 + logs(1e6);
        let deletions = 0.2 * 3.50 + lambda(2e5) + 0.2 * 0.625 + logs(2e5);
        let cost = |cleanup| beforehand(&prices, &manifest, &function, &plan, cleanup);
        assert!((cost(false) - load).abs() < 1e-6, "{} is not {load}", cost(false));
        assert!((cost(true) - load - deletions).abs() < 1e-6, "{}", cost(true));
    }

    /// By hand: of 100 requests 20 write (0.2 × $0.625) and 60 read (0.6 × 0.5 × $0.125) of a million each.
    #[test]
    fn a_million_requests_of_the_default_mix() {
        let (manifest, function) = (Manifest::default(), Function::default());
        let mix = BuiltIn::default().mix("/", Some(("t", &Table::default()))).unwrap();
        let manifest = Manifest { tables: [("t".to_owned(), Table::default())].into(), ..manifest };
        let prices = Prices::of("us-east-1").unwrap();
        let bill = of_a_million(&prices, &manifest, &function, &mix, 5.0);
        let dynamodb: f64 =
            bill.lines.iter().filter(|line| line.service == "DynamoDB").map(|line| line.usd).sum();
        assert!((dynamodb - (0.2 * 0.625 + 0.6 * 0.5 * 0.125)).abs() < 1e-9, "{bill:?}");
        // $3.50 for the API, $0.20 and $0.0104 for Lambda, and the log.
        assert!((4.0..4.3).contains(&bill.usd), "{bill:?}");
    }
}
