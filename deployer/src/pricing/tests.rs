//! Bills, compared with manual calculations from the prices of AWS's pages.

use super::prices::Meter;
use super::*;
use crate::manifest::{Architecture, Billing, Function, Provisioned, Table};

/// Asserts that two amounts are equal, except for rounding errors of `f64`.
fn assert_usd(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{actual} is not {expected}");
}

fn prices(region: &str) -> Prices {
    Prices::for_region(region).unwrap()
}

/// The usage of the lab's `create` of a small item, with a duration of 5 ms.
fn create_usage() -> Usage {
    Usage { write_units: write_units(100.0), ..Usage::for_function(&Function::default(), 5.0) }
}

fn usd(bill: &Bill, meter: Meter) -> f64 {
    bill.lines.iter().find(|line| line.meter == meter).map_or(0.0, |line| line.usd)
}

/// Returns the cost of this many units of a meter.
fn charge(region: &str, meter: Meter, units: f64) -> f64 {
    prices(region).tariff(meter).unwrap().charge(units)
}

#[test]
fn bills_a_million_creates_of_the_lab() {
    let bill = prices("us-east-1").bill(&create_usage(), 1e6, FreeTier::Ignored);
    let gb_of_logs = 500e6 / 1_073_741_824.0;
    let expected = [
        (Meter::RestApiRequests, 3.50),
        (Meter::LambdaRequests, 0.20),
        // 128 MB are 0.125 GB; a million times 5 ms are 5,000 s.
        (Meter::LambdaX86, 625.0 * 0.000_016_666_7),
        (Meter::WriteRequests, 0.625),
        (Meter::LogsIngested, gb_of_logs * 0.50),
        (Meter::LogsStored, gb_of_logs * 0.15 * 14.0 / (730.0 / 24.0) * 0.03),
    ];
    assert_eq!(
        bill.lines.iter().map(|line| line.meter).collect::<Vec<_>>(),
        expected.map(|(meter, _)| meter)
    );
    for (meter, expected_usd) in expected {
        assert_usd(usd(&bill, meter), expected_usd);
    }
    assert_usd(bill.usd, expected.iter().map(|(_, usd)| usd).sum());
    assert_eq!(dollars(bill.usd), "$4.57");
    assert_usd(bill.usd_per_million, bill.usd);
}

#[test]
fn a_few_requests_cost_their_share_of_a_million() {
    let bill = prices("us-east-1").bill(&create_usage(), 400.0, FreeTier::Ignored);
    let million = prices("us-east-1").bill(&create_usage(), 1e6, FreeTier::Ignored);
    assert_usd(bill.usd, million.usd * 400.0 / 1e6);
    assert_usd(bill.usd_per_million, million.usd);
}

/// Charges one unit below a step, at the step, and one unit above it, where the next price applies.
#[test]
fn charges_each_step_at_its_own_price() {
    for (meter, steps, prices) in [
        (Meter::RestApiRequests, vec![333.0, 1000.0, 20_000.0], vec![3.50, 2.80, 2.38, 1.51]),
        (Meter::LambdaX86, vec![6e9, 15e9], vec![0.000_016_666_7, 0.000_015, 0.000_013_333_4]),
        (Meter::LambdaArm, vec![7.5e9, 18.75e9], vec![0.000_013_333_4, 0.000_012_000_1, 0.000_010_666_7]),
        (Meter::LogsIngested, vec![10_240.0, 30_720.0, 51_200.0], vec![0.50, 0.25, 0.10, 0.05]),
    ] {
        let (mut full, mut start) = (0.0, 0.0);
        for (index, end) in steps.iter().enumerate() {
            let total = full + (end - start) * prices[index];
            assert_usd(charge("us-east-1", meter, end - 1.0), total - prices[index]);
            assert_usd(charge("us-east-1", meter, *end), total);
            assert_usd(charge("us-east-1", meter, end + 1.0), total + prices[index + 1]);
            (full, start) = (total, *end);
        }
        let last = prices.len() - 1;
        assert_usd(charge("us-east-1", meter, start * 2.0), full + start * prices[last]);
    }
}

#[test]
fn totals_at_the_steps_match_manual_calculations() {
    // 333 × 3.50 + 667 × 2.80 + 19,000 × 2.38.
    assert_usd(charge("us-east-1", Meter::RestApiRequests, 333.0), 1165.50);
    assert_usd(charge("us-east-1", Meter::RestApiRequests, 1000.0), 3033.10);
    assert_usd(charge("us-east-1", Meter::RestApiRequests, 20_000.0), 48_253.10);
    // 6 × 16,666.70 + 9 × 15,000, for each thousand million.
    assert_usd(charge("us-east-1", Meter::LambdaX86, 6e9), 100_000.20);
    assert_usd(charge("us-east-1", Meter::LambdaX86, 15e9), 235_000.20);
    assert_usd(charge("us-east-1", Meter::LambdaArm, 7.5e9), 100_000.50);
    assert_usd(charge("us-east-1", Meter::LambdaArm, 18.75e9), 235_001.625);
    // An example of AWS: 60 TB of Lambda's logs.
    assert_usd(charge("us-east-1", Meter::LogsIngested, 51_200.0), 5120.0 + 5120.0 + 2048.0);
}

#[test]
fn charges_meters_without_steps() {
    assert_usd(charge("us-east-1", Meter::LambdaRequests, 3.0), 0.60);
    assert_usd(charge("eu-central-1", Meter::WriteRequests, 4.0), 3.05);
    assert_usd(charge("ap-northeast-1", Meter::ReadRequests, 4.0), 0.57);
    assert_usd(charge("us-east-1", Meter::LogsStored, 10.0), 0.30);
}

#[test]
fn a_bill_line_lists_the_price_of_each_step_that_applies() {
    let bill = prices("eu-central-1").bill(&create_usage(), 334e6, FreeTier::Ignored);
    let line = &bill.lines[0];
    assert_eq!((line.units, &line.prices[..]), (334.0, &[3.70, 3.19][..]));
    assert_usd(line.usd, 333.0 * 3.70 + 3.19);
    assert_usd(line.usd_per_million, line.usd / 334.0);
}

#[test]
fn rounds_request_units_up_to_the_next_block() {
    for (bytes, write, read) in [
        (1.0, 1.0, 0.5),
        (1024.0, 1.0, 0.5),
        (1025.0, 2.0, 0.5),
        (4096.0, 4.0, 0.5),
        (4097.0, 5.0, 1.0),
        (409_600.0, 400.0, 50.0),
    ] {
        assert_eq!((write_units(bytes), read_units(bytes)), (write, read), "{bytes}");
    }
}

#[test]
fn bills_a_million_reads() {
    let usage = Usage { write_units: 0.0, read_units: read_units(100.0), ..create_usage() };
    let bill = prices("us-east-1").bill(&usage, 1e6, FreeTier::Ignored);
    assert_usd(usd(&bill, Meter::ReadRequests), 0.0625);
    assert_usd(usd(&bill, Meter::WriteRequests), 0.0);
}

#[test]
fn bills_provisioned_capacity_by_the_hour() {
    let table = |read, write| Table {
        billing: Billing::Provisioned(Provisioned { read, write, max: None }),
        ..Table::default()
    };
    let capacity = Capacity::from_tables([&table(5, 10), &table(1, 1), &Table::default()]);
    let usage = Usage { capacity, ..Usage::for_function(&Function::default(), 5.0) };
    let bill = prices("us-east-1").bill(&usage, 1.0, FreeTier::Ignored);
    // 11 units for 730 hours, and 6.
    assert_usd(usd(&bill, Meter::WriteCapacity), 11.0 * 730.0 * 0.000_65);
    assert_usd(usd(&bill, Meter::ReadCapacity), 6.0 * 730.0 * 0.000_13);
}

#[test]
fn subtracts_lambdas_free_tier() {
    let function = Function { memory: 1024, ..Function::default() };
    let usage = Usage::for_function(&function, 1000.0);
    // Each request takes one GB-second.
    for (requests, requests_usd, duration_usd) in [
        (399_999.0, 0.0, 0.0),
        (400_000.0, 0.0, 0.0),
        (400_001.0, 0.0, 0.000_016_666_7),
        (1_000_000.0, 0.0, 600_000.0 * 0.000_016_666_7),
        (1_000_001.0, 0.000_000_2, 600_001.0 * 0.000_016_666_7),
    ] {
        let bill = prices("us-east-1").bill(&usage, requests, FreeTier::Lambda);
        assert_usd(usd(&bill, Meter::LambdaRequests), requests_usd);
        assert_usd(usd(&bill, Meter::LambdaX86), duration_usd);
    }
}

#[test]
fn calculates_lambdas_cost_alone() {
    let lambda = |architecture, memory, ms| prices("us-east-1").lambda_per_million(architecture, memory, ms);
    assert_usd(lambda(Architecture::X86_64, 128, 5.0), 0.20 + 625.0 * 0.000_016_666_7);
    assert_usd(lambda(Architecture::Arm64, 1769, 2.5), 0.20 + 1769.0 / 1024.0 * 2500.0 * 0.000_013_333_4);
}

#[test]
fn bills_no_api_requests_for_a_function_without_a_route() {
    let usage = Usage { through_api: false, ..create_usage() };
    let bill = prices("us-east-1").bill(&usage, 1e6, FreeTier::Ignored);
    assert_usd(usd(&bill, Meter::RestApiRequests), 0.0);
}

#[test]
fn formats_amounts_with_cents_or_three_significant_digits() {
    for (usd, text) in [
        (0.0, "$0.00"),
        (0.000_016_666_7, "$0.0000167"),
        (0.010_416, "$0.0104"),
        (0.2, "$0.20"),
        (0.9999, "$1.00"),
        (1.0, "$1.00"),
        (999.999, "$1,000.00"),
        (1_234_567.891, "$1,234,567.89"),
    ] {
        assert_eq!(dollars(usd), text);
    }
}
