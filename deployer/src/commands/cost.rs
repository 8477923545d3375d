//! `cost`: estimates the declared stack's cost from the price book. It needs neither AWS nor credentials.

use crate::app::session::Session;
use crate::cli::Cost;
use crate::error::{Error, ExitStatus, Result};
use crate::manifest::{Billing, Function, Manifest};
use crate::output::cost::{self as report, Estimate};
use crate::output::json::Document;
use crate::pricing::{Capacity, FreeTier, Prices, Usage, read_units, write_units};

pub(crate) fn run(session: &Session<'_>, args: &Cost, document: &mut Document) -> Result<ExitStatus> {
    let config = session.config;
    let region = config.configured_region().ok_or_else(|| {
        Error::usage("prices differ by region, and none is named")
            .hint("Name one with --region, region in the manifest, or AWS_REGION.")
    })?;
    document.declared(config.stack_name(), &region);
    let prices = Prices::for_region(&region)?;
    let manifest = &config.manifest;
    let name = session.function(args.function.as_deref())?;
    let function = &manifest.functions[name];
    let usage = usage(manifest, name, function, args);
    let free_tier = if args.free_tier { FreeTier::Lambda } else { FreeTier::Ignored };
    let bill = prices.bill(&usage, args.requests, free_tier);

    let console = session.console;
    let architecture = usage.architecture.name();
    let setting = format!("{} MB, {architecture}, {} ms billed each", usage.memory_mb, usage.billed_ms);
    console.data(&format!(
        "{} requests a month to {name} in {region} ({setting}):",
        report::number(args.requests)
    ));
    for line in report::table(&bill) {
        console.data(&line);
    }
    console.talk(&report::remarks(function, &usage, args.free_tier, scales(manifest)));
    document.own(&Estimate::new(name, &usage, args.free_tier, &bill));
    Ok(ExitStatus::Success)
}

fn usage(manifest: &Manifest, name: &str, function: &Function, args: &Cost) -> Usage {
    let through_api = manifest.api.routes.iter().any(|route| route.function == name);
    let by_request = if manifest.pays_by_request(function) { 1.0 } else { 0.0 };
    let default = Usage::for_function(function, args.duration_ms.ceil());
    Usage {
        memory_mb: args.memory.unwrap_or(default.memory_mb),
        architecture: args.architecture.unwrap_or(default.architecture),
        through_api,
        write_units: by_request * args.writes * write_units(args.item_size),
        read_units: by_request * args.reads * read_units(args.item_size),
        log_bytes: args.log_bytes,
        capacity: Capacity::from_tables(manifest.tables.values()),
        ..default
    }
}

/// Whether provisioned capacity may scale beyond what is billed.
fn scales(manifest: &Manifest) -> bool {
    manifest.tables.values().any(|table| matches!(&table.billing, Billing::Provisioned(p) if p.max.is_some()))
}
