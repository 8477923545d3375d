//! What a load costs: before it, by what is known of its requests, and after it, by what the function was billed.

use crate::load::{Mix, Plan, Request, Server};
use crate::manifest::{Function, Manifest};
use crate::pricing::{Bill, FreeTier, Prices, Usage};

/// What an invocation is billed for at a guess, in ms: what is not known before it was measured, and little beside the
/// requests themselves.
pub(super) const BILLED_MS: f64 = 20.0;

const MILLION: f64 = 1e6;

/// In dollars, before it was measured, with the deletion of what it makes.
pub(in crate::commands) fn beforehand(
    prices: &Prices,
    manifest: &Manifest,
    plan: &Plan,
    cleanup: bool,
) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no load has 2^53 requests")]
    let sent = plan.schedule.total() as f64;
    let of_one = |name: &str| {
        let Some(function) = manifest.functions.get(name) else { return 0.0 };
        let usage = usage(manifest, name, function, &plan.mix, BILLED_MS);
        let load = prices.bill(&usage, sent * plan.mix.part_of(name), FreeTier::Ignored).usd;
        if !cleanup {
            return load;
        }
        // What takes something back goes to the function that has made it.
        let made = part(&plan.mix, |request| request.function == name && request.makes_an_item());
        let undo = Usage { write_units: by_request(manifest, function), read_units: 0.0, ..usage };
        load + prices.bill(&undo, sent * made, FreeTier::Ignored).usd
    };
    plan.mix.functions().into_iter().map(of_one).sum()
}

/// The bill of a million such requests in a month, with what each function had and was billed; `None` when that is not
/// known of all of them.
pub(super) fn of_a_million<'a>(
    prices: &Prices,
    manifest: &Manifest,
    mix: &Mix,
    server_of: impl Fn(&str) -> Option<&'a Server>,
) -> Option<Bill> {
    let of_one = |name: &str| {
        let server = server_of(name)?;
        // What it really had: a tune that was killed leaves another setting than the declared one.
        let memory = i32::try_from(server.memory_mb).ok()?;
        let function = Function { memory, ..manifest.functions.get(name)?.clone() };
        let usage = usage(manifest, name, &function, mix, server.billed_ms);
        Some(prices.bill(&usage, MILLION * mix.part_of(name), FreeTier::Ignored))
    };
    let bills: Option<Vec<Bill>> = mix.functions().into_iter().map(of_one).collect();
    bills?.into_iter().reduce(Bill::and)
}

/// Of a request to this function: each that makes an item writes one, of up to a KB; each other one but `ping` reads one,
/// or some small ones.
fn usage(manifest: &Manifest, name: &str, function: &Function, mix: &Mix, billed_ms: f64) -> Usage {
    let of_all = |which: fn(&Request) -> bool| {
        part(mix, |request| request.function == name && which(request)) / mix.part_of(name)
    };
    let writes = of_all(Request::makes_an_item);
    let reads = of_all(|request| !request.makes_an_item() && request.name != "ping");
    let by_request = by_request(manifest, function);
    Usage {
        write_units: writes * by_request,
        read_units: reads * by_request * crate::pricing::read_units(1024.0),
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
    use crate::invocation::report::Report;
    use crate::load::BuiltIn;
    use crate::manifest::Table;
    use crate::pricing::Meter;

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
    fn server(memory_mb: u64, billed_ms: f64) -> Server {
        let text = format!(
            "REPORT RequestId: 1\tDuration: 1 ms\tBilled Duration: 2 ms\tMemory Size: {memory_mb} MB\tMax Memory Used: 20 MB\t"
        );
        let reports = [Report::parse(&text).unwrap()];
        Server { billed_ms, ..Server::of("f", &reports, 1).unwrap().unwrap() }
    }

    /// By hand, for a million requests of which a fifth creates: $3.50 + $0.20 + 0.05 GB-seconds each of 2,500 at
    /// $0.0000166667 + writes 0.2 × $0.625 + reads 0.6 × 0.5 × $0.125 + logs; and 200,000 deletions.
    #[test]
    fn what_a_load_will_cost_is_said_with_its_deletions() {
        let manifest = manifest();
        let plan = Plan {
            target: crate::load::Target::new("http://127.0.0.1/Prod", None).unwrap(),
            mix: BuiltIn::default().mix("f", "/", Some(("t", &Table::default()))).unwrap(),
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
        let logs =
            |requests: f64| requests * 500.0 / 1_073_741_824.0 * (0.50 + 0.03 * 0.15 * 14.0 / (730.0 / 24.0));
        let lambda = |requests: f64| requests * (0.2e-6 + 128.0 / 1024.0 * 0.020 * 0.000_016_666_7);
        let load = 3.50 + lambda(1e6) + 0.2 * 0.625 + 0.6 * 0.5 * 0.125 + logs(1e6);
        let deletions = 0.2 * 3.50 + lambda(2e5) + 0.2 * 0.625 + logs(2e5);
        let cost = |cleanup| beforehand(&prices, &manifest, &plan, cleanup);
        assert!((cost(false) - load).abs() < 1e-6, "{} is not {load}", cost(false));
        assert!((cost(true) - load - deletions).abs() < 1e-6, "{}", cost(true));
    }

    /// By hand: of 100 requests 20 write (0.2 × $0.625) and 60 read (0.6 × 0.5 × $0.125) of a million each.
    #[test]
    fn a_million_requests_of_the_default_mix() {
        let manifest = manifest();
        let mix = BuiltIn::default().mix("f", "/", Some(("t", &Table::default()))).unwrap();
        let prices = Prices::of("us-east-1").unwrap();
        let server = server(128, 5.0);
        let bill = of_a_million(&prices, &manifest, &mix, |_| Some(&server)).unwrap();
        let dynamodb: f64 =
            bill.lines.iter().filter(|line| line.service == "DynamoDB").map(|line| line.usd).sum();
        assert!((dynamodb - (0.2 * 0.625 + 0.6 * 0.5 * 0.125)).abs() < 1e-9, "{bill:?}");
        // $3.50 for the API, $0.20 and $0.0104 for Lambda, and the log.
        assert!((4.0..4.3).contains(&bill.usd), "{bill:?}");
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
        let mix = Mix::read(&file, None, function_of).unwrap();
        let (large, small) = (server(512, 50.0), server(128, 2.0));
        let prices = Prices::of("us-east-1").unwrap();
        let both = |name: &str| Some(if name == "large" { &large } else { &small });
        let bill = of_a_million(&prices, &manifest(), &mix, both).unwrap();
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
        assert!(
            of_a_million(&prices, &manifest(), &mix, |name| both(name).filter(|_| name == "f")).is_none()
        );
        // What the function really had is billed, and not what is declared.
        let (tuned, declared) = (server(2048, 5.0), server(128, 5.0));
        let mix = BuiltIn::default().mix("f", "/", Some(("t", &Table::default()))).unwrap();
        let [tuned, declared] = [tuned, declared]
            .map(|server| of_a_million(&prices, &manifest(), &mix, |_| Some(&server)).unwrap().usd);
        assert!(tuned > declared + 0.1, "{tuned} is not more than {declared}");
    }
}
