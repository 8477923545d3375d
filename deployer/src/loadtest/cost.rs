//! What a load costs: an estimate before it, and after it what a million such requests cost by the billed durations.

use super::function_statistics::FunctionStatistics;
use crate::lab;
use crate::manifest::{Function, Manifest};
use crate::pricing::{Bill, FreeTier, Prices, Usage};
use loadgen::{LoadPlan, RequestKind, RequestMix};

/// What an invocation is billed for in an estimate, in ms. It is unknown before it is measured, and little beside the price
/// of the requests themselves.
pub(super) const ESTIMATED_BILLED_MS: f64 = 20.0;

const MILLION: f64 = 1e6;

/// Estimates the cost of a run in dollars, with the deletion of what it creates if `cleanup` is set.
pub(crate) fn estimate(prices: &Prices, manifest: &Manifest, plan: &LoadPlan, cleanup: bool) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no load has 2^53 requests")]
    let sent = plan.schedule.total() as f64;
    let of_one = |name: &str| {
        let Some(function) = manifest.functions.get(name) else { return 0.0 };
        let usage = usage(manifest, name, function, &plan.mix, ESTIMATED_BILLED_MS);
        let load = prices.bill(&usage, sent * handler_part(&plan.mix, name), FreeTier::Ignored).usd;
        if !cleanup {
            return load;
        }
        // An undo request goes to the function that has created the item.
        let created = plan.mix.part_where(|kind| kind.handler() == name && kind.creates_item());
        let undo = Usage { write_units: by_request(manifest, function), read_units: 0.0, ..usage };
        load + prices.bill(&undo, sent * created, FreeTier::Ignored).usd
    };
    plan.mix.handlers().into_iter().map(of_one).sum()
}

/// Returns the bill of a million such requests in a month, by each function's memory and billed duration; `None` when they
/// are not known of every function.
pub(super) fn per_million<'a>(
    prices: &Prices,
    manifest: &Manifest,
    mix: &RequestMix,
    statistics_of: impl Fn(&str) -> Option<&'a FunctionStatistics>,
) -> Option<Bill> {
    let of_one = |name: &str| {
        let statistics = statistics_of(name)?;
        // The memory it had: a tune that was killed leaves another setting than the declared one.
        let memory = i32::try_from(statistics.memory_mb).ok()?;
        let function = Function { memory, ..manifest.functions.get(name)?.clone() };
        let usage = usage(manifest, name, &function, mix, statistics.billed_ms);
        Some(prices.bill(&usage, MILLION * handler_part(mix, name), FreeTier::Ignored))
    };
    let bills: Option<Vec<Bill>> = mix.handlers().into_iter().map(of_one).collect();
    bills?.into_iter().reduce(Bill::plus)
}

/// The usage of one request to this function. Each request that creates an item writes one of up to a KB; every other one
/// reads one, or some small ones, but for those requests of the lab's function that touch no table.
fn usage(manifest: &Manifest, name: &str, function: &Function, mix: &RequestMix, billed_ms: f64) -> Usage {
    let part = |condition: &dyn Fn(&RequestKind) -> bool| {
        mix.part_where(|kind| kind.handler() == name && condition(kind)) / handler_part(mix, name)
    };
    let touches_table = |kind: &RequestKind| !function.lab || lab::touches_table(kind.name());
    let writes = part(&RequestKind::creates_item);
    let reads = part(&|kind| !kind.creates_item() && touches_table(kind));
    let by_request = by_request(manifest, function);
    Usage {
        write_units: writes * by_request,
        read_units: reads * by_request * crate::pricing::read_units(1024.0),
        ..Usage::for_function(function, billed_ms)
    }
}

/// 1 where tables are paid by request, 0 where they are paid by the hour.
fn by_request(manifest: &Manifest, function: &Function) -> f64 {
    if manifest.pays_by_request(function) { 1.0 } else { 0.0 }
}

/// Which part of all requests goes to this function.
fn handler_part(mix: &RequestMix, function: &str) -> f64 {
    mix.part_where(|kind| kind.handler() == function)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invocation::report::Report;
    use crate::lab::{BuiltInMix, DEFAULT_SHARES};
    use crate::loadtest::mix::{self, item_table};
    use crate::manifest::Table;
    use crate::pricing::Meter;

    fn built_in_mix() -> RequestMix {
        let table = Table::default();
        let shares = BuiltInMix::parse(DEFAULT_SHARES).unwrap().unwrap();
        shares.mix("f", "/", Some(&item_table("t".to_owned(), &table))).unwrap()
    }

    /// With a function of 128 MB and one of 512 MB, and a table.
    fn manifest() -> Manifest {
        let large = Function { memory: 512, ..Function::default() };
        Manifest {
            functions: [("f".to_owned(), Function::default()), ("large".to_owned(), large)].into(),
            tables: [("t".to_owned(), Table::default())].into(),
            ..Manifest::default()
        }
    }

    /// What a function with so much memory said that was billed for so long.
    fn statistics(memory_mb: u64, billed_ms: f64) -> FunctionStatistics {
        let text = format!(
            "REPORT RequestId: 1\tDuration: 1 ms\tBilled Duration: 2 ms\tMemory Size: {memory_mb} MB\tMax Memory Used: 20 MB\t"
        );
        let reports = [Report::parse(&text).unwrap()];
        FunctionStatistics { billed_ms, ..FunctionStatistics::new("f", &reports, 1).unwrap().unwrap() }
    }

    /// By hand, for a million requests of which a fifth creates: $3.50 + $0.20 + 0.05 GB-seconds each of 2,500 at
    /// $0.0000166667 + writes 0.2 × $0.625 + reads 0.6 × 0.5 × $0.125 + logs; and 200,000 deletions.
    #[test]
    fn what_a_load_will_cost_is_said_with_its_deletions() {
        let manifest = manifest();
        let plan = LoadPlan {
            target: loadgen::Target::new("http://127.0.0.1/Prod", &[]).unwrap(),
            mix: built_in_mix(),
            schedule: loadgen::Schedule {
                rate: 1_000,
                warmup: std::time::Duration::ZERO,
                duration: std::time::Duration::from_secs(1_000),
            },
            concurrency: 1,
            timeout: std::time::Duration::from_secs(1),
            user_agent: loadgen::HeaderValue::from_static("test"),
            run: loadgen::RunId::random(),
        };
        let prices = Prices::for_region("us-east-1").unwrap();
        let logs =
            |requests: f64| requests * 500.0 / 1_073_741_824.0 * (0.50 + 0.03 * 0.15 * 14.0 / (730.0 / 24.0));
        let lambda = |requests: f64| requests * (0.2e-6 + 128.0 / 1024.0 * 0.020 * 0.000_016_666_7);
        let load = 3.50 + lambda(1e6) + 0.2 * 0.625 + 0.6 * 0.5 * 0.125 + logs(1e6);
        let deletions = 0.2 * 3.50 + lambda(2e5) + 0.2 * 0.625 + logs(2e5);
        let cost = |cleanup| estimate(&prices, &manifest, &plan, cleanup);
        assert!((cost(false) - load).abs() < 1e-6, "{} is not {load}", cost(false));
        assert!((cost(true) - load - deletions).abs() < 1e-6, "{}", cost(true));
    }

    /// By hand: of 100 requests 20 write (0.2 × $0.625) and 60 read (0.6 × 0.5 × $0.125) of a million each.
    #[test]
    fn a_million_requests_of_the_default_mix() {
        let manifest = manifest();
        let mix = built_in_mix();
        let prices = Prices::for_region("us-east-1").unwrap();
        let function = statistics(128, 5.0);
        let bill = per_million(&prices, &manifest, &mix, |_| Some(&function)).unwrap();
        let dynamodb: f64 =
            bill.lines.iter().filter(|line| line.service == "DynamoDB").map(|line| line.usd).sum();
        assert!((dynamodb - (0.2 * 0.625 + 0.6 * 0.5 * 0.125)).abs() < 1e-9, "{bill:?}");
        // $3.50 for the API, $0.20 and $0.0104 for Lambda, and the log.
        assert!((4.0..4.3).contains(&bill.usd), "{bill:?}");
        // Another function may read for any request, whatever its name.
        let other = Function { lab: false, ..Function::default() };
        let manifest = Manifest { functions: [("f".to_owned(), other)].into(), ..manifest };
        let of_other = per_million(&prices, &manifest, &mix, |_| Some(&function)).unwrap();
        assert!((of_other.usd - bill.usd - 0.2 * 0.5 * 0.125).abs() < 1e-9, "{of_other:?}");
    }

    /// By hand, of a million: 0.9 × 0.5 GB × 0.05 s and 0.1 × 0.125 GB × 0.002 s at $0.0000166667 each, the other meters
    /// as for one function.
    #[test]
    fn each_function_is_billed_by_its_own_reports() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mix.json");
        let text = r#"{"requests": [{"name": "a", "share": 9, "path": "/l"}, {"name": "ping", "share": 1, "path": "/f"}]}"#;
        std::fs::write(&file, text).unwrap();
        let function_of = |_: &str, path: &str| Ok(if path == "/l" { "large" } else { "f" }.to_owned());
        let mix = mix::read(&file, None, function_of).unwrap();
        let (large, small) = (statistics(512, 50.0), statistics(128, 2.0));
        let prices = Prices::for_region("us-east-1").unwrap();
        let both = |name: &str| Some(if name == "large" { &large } else { &small });
        let bill = per_million(&prices, &manifest(), &mix, both).unwrap();
        let of = |what: Meter| {
            bill.lines.iter().filter(|line| line.meter == what).map(|line| line.usd).sum::<f64>()
        };
        let seconds = 0.9 * 0.5 * 0.050 + 0.1 * 0.125 * 0.002;
        assert!((of(Meter::LambdaX86) - seconds * 16.666_7).abs() < 1e-6, "{bill:?}");
        assert!(
            (of(Meter::RestApiRequests) - 3.5).abs() < 1e-9 && (of(Meter::LambdaRequests) - 0.2).abs() < 1e-9
        );
        assert!((bill.requests - 1e6).abs() < 1e-3 && (bill.usd - bill.usd_per_million).abs() < 1e-6);
        let meters: Vec<Meter> = bill.lines.iter().map(|line| line.meter).collect();
        assert!(meters.is_sorted() && meters.windows(2).all(|two| two[0] != two[1]), "each once: {meters:?}");
        assert!(per_million(&prices, &manifest(), &mix, |name| both(name).filter(|_| name == "f")).is_none());
        // What the function really had is billed, and not what is declared.
        let (tuned, declared) = (statistics(2048, 5.0), statistics(128, 5.0));
        let mix = built_in_mix();
        let [tuned, declared] = [tuned, declared]
            .map(|function| per_million(&prices, &manifest(), &mix, |_| Some(&function)).unwrap().usd);
        assert!(tuned > declared + 0.1, "{tuned} is not more than {declared}");
    }
}
