use super::*;
use crate::testing::plain;

fn seen() -> Observed {
    let function = function();
    Observed {
        state: State::Active,
        last_update: LastUpdateStatus::Successful,
        package_type: PackageType::Zip,
        description: function.description.clone(),
        runtime: function.runtime.clone(),
        handler: function.handler.clone(),
        memory: function.memory,
        timeout: function.timeout,
        architecture: "x86_64".to_owned(),
        variables: Variables::Readable(BTreeMap::new()),
        tracing: false,
        logging: None,
        reserved_concurrency: None,
        role_arn: scope().role_arn("orders-role"),
        code_sha256: package().sha256().to_owned(),
        code_size: 8,
        revision: None,
        code_url: None,
        code_out_of_reach: None,
        tags: tags(),
    }
}

fn update(field: &str, from: Option<&str>, to: Option<&str>) -> Change {
    Change::Update { field: field.to_owned(), from: from.into(), to: to.into(), impact: Impact::None }
}

fn diff(function: &Function, seen: &Observed) -> Vec<Change> {
    plain(function.diff(Some(&needs()), Some(seen)).changes())
}

#[test]
fn an_absent_function_is_created() {
    assert_eq!(function().diff(Some(&needs()), None).changes(), [Change::Create]);
    assert_eq!(function().diff(None, None).changes(), [Change::Create]);
}

#[test]
fn a_function_as_declared_does_not_differ() {
    assert_eq!(diff(&function(), &seen()), []);
    let idle = Observed { state: State::Inactive, ..seen() };
    assert_eq!(diff(&function(), &idle), [], "the next invocation makes it ready");
}

#[test]
fn a_function_that_is_being_deleted_is_created_anew() {
    let going = Observed { state: State::Deleting, tags: Tags::new(), ..seen() };
    assert_eq!(diff(&function(), &going), [Change::Create]);
    assert_eq!(function().existing.owner(&going), Owner::Ours, "nobody can be robbed of it");
}

#[test]
fn each_difference_is_one_change() {
    let role_arn = scope().role_arn("orders-role");
    let cases: [(fn(&mut Observed), Change); 16] = [
        (|seen| seen.state = State::Pending, update("state", Some("Pending"), Some("Active"))),
        (
            |seen| seen.last_update = LastUpdateStatus::InProgress,
            update("state", Some("Updating"), Some("Active")),
        ),
        (
            |seen| seen.last_update = LastUpdateStatus::Failed,
            update("state", Some("Update failed"), Some("Active")),
        ),
        (|seen| seen.code_sha256 = "old".to_owned(), update("code", Some("old"), Some(package().sha256()))),
        (
            |seen| seen.architecture = "arm64".to_owned(),
            update("architecture", Some("arm64"), Some("x86_64")),
        ),
        (|seen| seen.description = String::new(), update("description", Some(""), Some("Takes orders"))),
        (
            |seen| seen.runtime = "python3.13".to_owned(),
            update("runtime", Some("python3.13"), Some("provided.al2023")),
        ),
        (|seen| seen.handler = "main.run".to_owned(), update("handler", Some("main.run"), Some("bootstrap"))),
        (|seen| seen.memory = 512, update("memory", Some("512"), Some("128"))),
        (|seen| seen.timeout = 3, update("timeout", Some("3"), Some("10"))),
        (|seen| seen.tracing = true, update("tracing", Some("true"), Some("false"))),
        (|seen| seen.role_arn = "arn:other".to_owned(), update("role", Some("arn:other"), Some(&role_arn))),
        (
            |seen| seen.logging = Some(LoggingConfig::builder().log_group("/shared").build()),
            update("log-group", Some("/shared"), Some("/aws/lambda/orders")),
        ),
        (|seen| seen.reserved_concurrency = Some(5), update("reserved-concurrency", Some("5"), None)),
        (|seen| drop(seen.tags.remove("deployer:stack")), update("tags.deployer:stack", None, Some("lab"))),
        (|seen| drop(seen.tags.remove(ROLE_ID_TAG)), update("tags.deployer:role-id", None, Some("AROA1"))),
    ];
    for (change, expected) in cases {
        let mut seen = seen();
        change(&mut seen);
        assert_eq!(diff(&function(), &seen), [expected]);
    }
    let reserved = declaring(|function| function.reserved_concurrency = Some(5));
    assert_eq!(diff(&reserved, &seen()), [update("reserved-concurrency", None, Some("5"))]);
}

#[test]
fn code_that_was_not_built_is_not_compared() {
    let seen = Observed { code_sha256: "whatever".to_owned(), ..seen() };
    assert_eq!(function().diff(Some(&(role("AROA1", false), None)), Some(&seen)).changes(), []);
}

#[test]
fn variables_are_compared_by_name_and_shown_without_their_values() {
    let function = declaring(|function| {
        function.environment =
            environment(&[("ADDED", "s3cret-1"), ("CHANGED", "s3cret-2"), ("SAME", "s3cret-3")]);
    });
    let environment = environment(&[("CHANGED", "s3cret-4"), ("GONE", "s3cret-5"), ("SAME", "s3cret-3")]);
    let changes = diff(&function, &Observed { variables: Variables::Readable(environment), ..seen() });
    let secret = Some("(secret)");
    assert_eq!(
        changes,
        [
            update("environment.ADDED", None, secret),
            update("environment.CHANGED", secret, secret),
            update("environment.GONE", secret, None),
        ]
    );
    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let everything = format!("{changes:?} {lines:?} {}", serde_json::to_string(&changes).unwrap());
    assert!(everything.contains("environment.CHANGED") && !everything.contains("s3cret"), "{everything}");
}

#[test]
fn foreign_tags_stay() {
    let mut seen = seen();
    seen.tags.insert("cost-centre".to_owned(), "42".to_owned());
    assert_eq!(diff(&function(), &seen), []);
}

/// `UpdateFunctionCode` would refuse the zip, when the function has our tags already.
#[test]
fn a_function_of_an_image_is_not_changed() {
    let adopted = Observed { package_type: PackageType::Image, tags: Tags::new(), ..seen() };
    let changes = diff(&function(), &adopted);
    let [Change::Refused { field, from, to, .. }] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((&**field, &*from.to_string(), &*to.to_string()), ("package-type", "Image", "Zip"));
}

#[test]
fn an_untagged_function_is_not_ours() {
    let untagged = Observed { tags: Tags::new(), ..seen() };
    assert_ne!(function().existing.owner(&untagged), Owner::Ours);
    assert_eq!(diff(&function(), &untagged).len(), tags().len());
}

fn replaced(changes: &[Change]) -> (&str, String, String) {
    let [Change::Replace { field, from, to, .. }] = changes else { panic!("{changes:?}") };
    (field, from.to_string(), to.to_string())
}

#[test]
fn a_function_that_lambda_could_not_make_is_replaced() {
    let failed = Observed { state: State::Failed, memory: 512, ..seen() };
    let changes = diff(&function(), &failed);
    assert_eq!(replaced(&changes), ("state", "Failed".to_owned(), "Active".to_owned()));
}

/// Lambda encrypts the environment for one role, by its id: one of the same name cannot read it.
#[test]
fn a_function_with_an_environment_is_replaced_when_its_role_was_made_again() {
    let function = declaring(|function| function.environment = environment(&[("A", "1")]));
    let seen = Observed { variables: Variables::Readable(environment(&[("A", "1")])), ..seen() };
    let again = (role("AROA2", true), Some(package()));
    let changes = function.diff(Some(&again), Some(&seen)).changes();
    assert_eq!(replaced(&changes), ("role-id", "AROA1".to_owned(), "AROA2".to_owned()));
    assert_eq!(function.diff(Some(&needs()), Some(&seen)).changes(), []);
    // In a plan, where the role is not there yet.
    assert_eq!(replaced(&function.diff(None, Some(&seen)).changes()).0, "role-id");
}

#[test]
fn a_function_without_an_environment_outlives_its_role() {
    let again = (role("AROA2", true), Some(package()));
    let changes = function().diff(Some(&again), Some(&seen())).changes();
    assert_eq!(changes, [update("tags.deployer:role-id", Some("AROA1"), Some("AROA2"))]);
    let announced = update("tags.deployer:role-id", Some("AROA1"), Some("(a new role)"));
    assert_eq!(
        function().diff(None, Some(&seen())).changes(),
        [announced],
        "in a plan, where the role is not there yet"
    );
}

#[test]
fn its_state_is_in_one_word_with_size_and_processor() {
    let cases = [
        (State::Active, LastUpdateStatus::Successful, "active, 128 MB, x86_64"),
        (State::Inactive, LastUpdateStatus::Successful, "active, 128 MB, x86_64"),
        (State::Active, LastUpdateStatus::InProgress, "updating, 128 MB, x86_64"),
        (State::Active, LastUpdateStatus::Failed, "update failed, 128 MB, x86_64"),
        (State::Pending, LastUpdateStatus::Successful, "pending, 128 MB, x86_64"),
        (State::Failed, LastUpdateStatus::Successful, "failed, 128 MB, x86_64"),
    ];
    for (state, last_update, expected) in cases {
        assert_eq!(function().existing.state(&Observed { state, last_update, ..seen() }), expected);
    }
}
