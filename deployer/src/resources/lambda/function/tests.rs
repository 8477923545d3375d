//! The function: its comparison in tables, its calls on scripted answers.

use super::*;
use crate::engine::{Change, Diff as _, Impact, Mode, Outcome};
use crate::testing::script::{Answer, always, answers, done, refused};
use crate::testing::{World, is_about, scope};
use aws_sdk_iam::operation::get_role::GetRoleOutput;
use aws_sdk_iam::primitives::DateTime;
use aws_sdk_lambda::Client;
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};

mod bridging;
mod deleting;
mod diff;
mod making;
mod mending;
mod properties;
mod reading;
mod replacing;

fn function() -> Function {
    Function {
        existing: ExistingFunction { name: "orders".to_owned(), scope: scope() },
        description: "Takes orders".to_owned(),
        runtime: "provided.al2023".to_owned(),
        handler: "bootstrap".to_owned(),
        memory: 128,
        timeout: 10,
        role: "orders-role".to_owned(),
        architecture: Architecture::X86_64,
        environment: BTreeMap::new(),
        tracing: false,
        reserved_concurrency: None,
    }
}

fn declaring(change: impl FnOnce(&mut Function)) -> Function {
    let mut function = function();
    change(&mut function);
    function
}

fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

type Needs = <Function as Declared>::Needs;

/// A role of long ago, and the code that `function()` has.
fn needs() -> Needs {
    (role("AROA1", false), Some(package()))
}

fn role(role_id: &str, fresh: bool) -> role::Output {
    role::Output { arn: scope().role_arn("orders-role"), role_id: role_id.to_owned(), fresh }
}

/// IAM, as long as it has the role of this id.
fn has_role(role_id: &'static str) -> Rule {
    mock!(aws_sdk_iam::Client::get_role).then_output(move || {
        let role = aws_sdk_iam::types::Role::builder().path("/").role_name("orders-role").role_id(role_id);
        let role = role.arn(scope().role_arn("orders-role")).create_date(DateTime::from_secs(0));
        GetRoleOutput::builder().role(role.build().unwrap()).build()
    })
}

fn package() -> Package {
    Package::of(b"the code".to_vec())
}

fn tags() -> Tags {
    function().wanted_tags(&(role("AROA1", false), None), &Tags::new())
}

/// The function of `function()` as Lambda describes it, with all that it fills in by itself.
fn configured(change: impl FnOnce(&mut Value)) -> Value {
    let mut configuration = json!({
        "FunctionName": "orders",
        "FunctionArn": scope().function_arn("orders"),
        "Runtime": "provided.al2023",
        "Role": scope().role_arn("orders-role"),
        "Handler": "bootstrap",
        "CodeSize": 8,
        "CodeSha256": package().sha256(),
        "Description": "Takes orders",
        "Timeout": 10,
        "MemorySize": 128,
        "LastModified": "2026-01-01T00:00:00.000+0000",
        "Version": "$LATEST",
        "TracingConfig": { "Mode": "PassThrough" },
        "RevisionId": "00000000-0000-4000-8000-000000000000",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": { "Size": 512 },
        "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
        "RuntimeVersionConfig": { "RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:1" },
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": "/aws/lambda/orders" },
    });
    change(&mut configuration);
    configuration
}

/// An answer of `GetFunction`.
fn found_with(tags: &Tags, change: impl FnOnce(&mut Value)) -> Answer {
    done(json!({ "Configuration": configured(change), "Code": { "RepositoryType": "S3" }, "Tags": tags }))
}

fn found(change: impl FnOnce(&mut Value)) -> Answer {
    found_with(&tags(), change)
}

/// What Lambda says of it in the answer to a change, and in `GetFunction` under `Configuration`.
fn is(state: &str, last_update: &str) -> Answer {
    done(configured(|function| {
        function["State"] = json!(state);
        function["LastUpdateStatus"] = json!(last_update);
    }))
}

fn ready() -> Answer {
    is("Active", "Successful")
}

fn no_such() -> Answer {
    refused(
        404,
        "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:123456789012:function:orders",
    )
}

fn conflict(message: &str) -> Answer {
    refused(409, "ResourceConflictException", message)
}

fn invalid(message: &str) -> Answer {
    refused(400, "InvalidParameterValueException", message)
}

fn ok() -> Answer {
    done(json!({}))
}

/// Lambda, where `GetFunction` gives these answers one by one: first what is found, then its states.
fn world(
    found: impl IntoIterator<Item = Answer>,
    states: impl IntoIterator<Item = Answer>,
    mut rules: Vec<Rule>,
) -> World {
    let states = states.into_iter().map(|answer| match answer {
        Answer::Done(configuration) => done(json!({ "Configuration": configuration, "Tags": tags() })),
        refused @ Answer::Refused { .. } => refused,
    });
    rules.push(answers(mock!(Client::get_function), found.into_iter().chain(states)));
    World::new().with_lambda(&rules)
}

async fn up(world: &World, function: &Function, needs: Needs) -> Result<Outcome> {
    world.step(Mode::Apply, function, needs).await.1.result
}
