//! Of any function and any declaration: `apply` makes the calls of the changes and no others.

use super::bridging::{serve, zip};
use super::*;
use crate::names::REGION_TAG;
use crate::testing::effects::{Edits, Effects, check_apply, edited};
use proptest::prelude::*;
use std::sync::OnceLock;

const EFFECTS: Effects = &[
    ("create", "CreateFunction"),
    ("replace", "DeleteFunction CreateFunction"),
    ("tags", "TagResource"),
    // Of an update that failed; a function that is being changed is waited for.
    ("state", "UpdateFunctionCode UpdateFunctionConfiguration"),
    ("code", "UpdateFunctionCode"),
    ("code-in-between", "UpdateFunctionCode!"),
    ("code-with-a-gap", "UpdateFunctionCode"),
    ("architecture", "UpdateFunctionCode"),
    ("description", "UpdateFunctionConfiguration"),
    ("runtime", "UpdateFunctionConfiguration"),
    ("handler", "UpdateFunctionConfiguration"),
    ("memory", "UpdateFunctionConfiguration"),
    ("timeout", "UpdateFunctionConfiguration"),
    ("tracing", "UpdateFunctionConfiguration"),
    ("role", "UpdateFunctionConfiguration"),
    ("log-group", "UpdateFunctionConfiguration"),
    ("environment", "UpdateFunctionConfiguration"),
    ("reserved-concurrency", "PutFunctionConcurrency"),
    ("reserved-concurrency removed", "DeleteFunctionConcurrency"),
];

/// The function of `function()`, with the code of `new_code()`.
fn as_declared() -> Observed {
    Observed {
        state: State::Active,
        last_update: LastUpdateStatus::Successful,
        package_type: PackageType::Zip,
        description: function().description,
        runtime: function().runtime,
        handler: function().handler,
        memory: 128,
        timeout: 10,
        architecture: "x86_64".to_owned(),
        variables: Variables::Readable(BTreeMap::new()),
        tracing: false,
        logging: None,
        reserved_concurrency: None,
        role_arn: scope().role_arn("orders-role"),
        code_sha256: new_code().sha256().to_owned(),
        code_size: 8,
        revision: None,
        code_url: Some(old_code().to_owned()),
        code_out_of_reach: None,
        tags: tags(),
    }
}

fn new_code() -> Package {
    Package::of(zip("bootstrap"))
}

/// Where the old code can be downloaded.
fn old_code() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| serve(usize::MAX, zip("main.py")))
}

const OBSERVED: Edits<Observed> = &[
    ("no tags", |seen| seen.tags.clear()),
    ("no region tag", |seen| drop(seen.tags.remove(REGION_TAG))),
    ("made with another role", |seen| drop(seen.tags.insert(ROLE_ID_TAG.to_owned(), "AROA0".to_owned()))),
    ("built", |seen| drop(seen.tags.insert(BUILD_TAG.to_owned(), "debug".to_owned()))),
    ("idle", |seen| seen.state = State::Inactive),
    ("being made", |seen| seen.state = State::Pending),
    ("not made", |seen| seen.state = State::Failed),
    ("being deleted", |seen| seen.state = State::Deleting),
    ("being changed", |seen| seen.last_update = LastUpdateStatus::InProgress),
    ("not changed", |seen| seen.last_update = LastUpdateStatus::Failed),
    ("an image", |seen| seen.package_type = PackageType::Image),
    ("another description", |seen| seen.description = "other".to_owned()),
    ("another runtime", |seen| seen.runtime = "python3.13".to_owned()),
    ("another handler", |seen| seen.handler = "main.handler".to_owned()),
    ("more memory", |seen| seen.memory = 512),
    ("another timeout", |seen| seen.timeout = 3),
    ("another architecture", |seen| seen.architecture = "arm64".to_owned()),
    ("a variable", |seen| seen.variables = Variables::Readable(environment(&[("LEVEL", "old")]))),
    ("secret variables", |seen| seen.variables = Variables::Unreadable("denied".to_owned())),
    ("traced", |seen| seen.tracing = true),
    ("another log group", |seen| seen.logging = Some(LoggingConfig::builder().log_group("other").build())),
    ("a reserve", |seen| seen.reserved_concurrency = Some(3)),
    ("another role", |seen| seen.role_arn = scope().role_arn("other")),
    ("old code", |seen| seen.code_sha256 = "old".to_owned()),
    ("code out of reach", |seen| seen.code_out_of_reach = Some("HTTP 403".to_owned())),
];

const DECLARED: Edits<Function> = &[
    ("a variable", |function| function.environment = environment(&[("LEVEL", "new"), ("MODE", "fast")])),
    ("a reserve", |function| function.reserved_concurrency = Some(5)),
    ("traced", |function| function.tracing = true),
    ("arm64", |function| function.architecture = Architecture::Arm64),
    ("a runtime", |function| function.runtime = "java21".to_owned()),
    ("a tag", |function| {
        function.existing.scope.more_tags.insert("team".to_owned(), "shop".to_owned());
    }),
];

/// Everything succeeds, and the function is as in `function()`. If it has to be gone first, the first look finds it gone.
fn always_ok(has_to_go: bool) -> World {
    World::new().with_lambda(&[
        answers(mock!(Client::get_function), has_to_go.then(no_such)),
        always(mock!(Client::get_function), found(|_| ())),
        always(mock!(Client::create_function), ready()),
        always(mock!(Client::delete_function), ok()),
        always(mock!(Client::tag_resource), ok()),
        always(mock!(Client::update_function_code), ready()),
        always(mock!(Client::update_function_configuration), ready()),
        always(mock!(Client::put_function_concurrency), ok()),
        always(mock!(Client::delete_function_concurrency), ok()),
    ])
}

/// With a new function goes its reserve, which `CreateFunction` does not set.
fn detailed(diff: &FunctionDiff, reserve: Option<i32>) -> Vec<Change> {
    let mut changes = diff.changes();
    if matches!(diff, FunctionDiff::Create { .. } | FunctionDiff::Replace(_)) {
        changes.extend(Change::update("reserved-concurrency", None, reserve, Impact::None));
    }
    changes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn apply_makes_the_calls_of_the_changes_and_no_others(
        observed in proptest::option::weighted(0.9, edited(as_declared, OBSERVED)),
        declared in edited(function, DECLARED),
        role_is_new in any::<bool>(),
    ) {
        let (observed, declared) = (observed.map(|observed| observed.value), declared.value);
        let needs = (role(if role_is_new { "AROA2" } else { "AROA1" }, role_is_new), Some(new_code()));
        let diff = declared.diff(Some(&needs), observed.as_ref());
        let has_to_go =
            matches!(diff, FunctionDiff::Create { awaits_deletion: true } | FunctionDiff::Replace(_));
        let world = always_ok(has_to_go);
        let reserve = declared.reserved_concurrency;
        // The old code comes through a real connection, which a paused clock would end.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let check = check_apply(EFFECTS, &world, &declared, needs, observed, |diff| detailed(diff, reserve));
        runtime.block_on(check)?;
    }
}
