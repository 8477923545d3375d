//! The statements of one function: comparison in tables, calls on scripted answers.

use super::*;
use crate::engine::{Change, Diff as _, Mode, Outcome};
use crate::testing::{World, scope, wire};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::add_permission::AddPermissionOutput;
use aws_sdk_lambda::operation::get_policy::GetPolicyOutput;
use aws_sdk_lambda::operation::remove_permission::RemovePermissionOutput;
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::json;
use std::collections::BTreeMap;

mod adding;
mod diff;
mod properties;
mod removing;

const API: &str = "api1";

fn permission() -> Permission {
    with_routes(&[("POST", "/DynamoDBManager")])
}

fn with_routes(routes: &[(&str, &str)]) -> Permission {
    let routes = routes.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    Permission {
        existing: ExistingPermission { function: "lab".to_owned() },
        routes,
        part: Part::All,
        scope: scope(),
    }
}

fn needs() -> (function::Output, rest_api::Output) {
    (function::Output { fresh: false }, api(API))
}

/// The function was made a moment ago.
fn fresh() -> (function::Output, rest_api::Output) {
    (function::Output { fresh: true }, api(API))
}

fn api(id: &str) -> rest_api::Output {
    rest_api::Output { id: id.to_owned(), spelling: BTreeMap::new() }
}

/// What a statement of this API's route names as its source.
fn source(api: &str) -> String {
    format!("arn:aws:execute-api:us-east-1:123456789012:{api}/*/POST/DynamoDBManager")
}

/// The id of our statement for this source.
fn id_of(source: &str) -> String {
    free_id(source, &Observed::default())
}

/// A statement as Lambda writes it.
fn statement(id: &str, source: &str) -> Value {
    json!({
        "Sid": id, "Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": scope().function_arn("lab"),
        "Condition": {"ArnLike": {"AWS:SourceArn": source}},
    })
}

fn ours(source: &str) -> Value {
    statement(&id_of(source), source)
}

fn seen(all: &[Value]) -> Observed {
    Observed { statements: statements(&json!({"Statement": all}).to_string()) }
}

fn policy_of(all: &[Value]) -> impl Fn() -> GetPolicyOutput + Send + Sync + 'static {
    let policy = json!({"Version": "2012-10-17", "Id": "default", "Statement": all}).to_string();
    move || GetPolicyOutput::builder().policy(&policy).build()
}

/// `GetPolicy` shows these from now on.
fn present(all: &[Value]) -> Rule {
    mock!(Client::get_policy).then_output(policy_of(all))
}

/// `GetPolicy` shows these once.
fn shown(all: &[Value]) -> Rule {
    mock!(Client::get_policy).sequence().output(policy_of(all)).build()
}

fn no_policy() -> HttpResponse {
    wire::json(404, "ResourceNotFoundException", "The resource you requested does not exist.")
}

/// The function has no policy, or is not there itself, so many times.
fn absent(times: usize) -> Rule {
    mock!(Client::get_policy).sequence().http_response(no_policy).times(times).build()
}

fn added(id: String, source: String) -> Rule {
    mock!(Client::add_permission)
        .match_requests(move |request| {
            request.function_name() == Some("lab")
                && request.statement_id() == Some(&id)
                && request.source_arn() == Some(&source)
                && request.principal() == Some("apigateway.amazonaws.com")
                && request.action() == Some("lambda:InvokeFunction")
        })
        .then_output(|| AddPermissionOutput::builder().build())
}

fn removed(id: &str) -> Rule {
    let id = id.to_owned();
    mock!(Client::remove_permission)
        .match_requests(move |request| request.statement_id() == Some(&id))
        .then_output(|| RemovePermissionOutput::builder().build())
}
