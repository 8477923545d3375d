//! The role: its comparison in tables, its calls on scripted answers.

use super::*;
use crate::engine::{Change, Diff, Mode, Outcome};
use crate::testing::{World, is_about, scope, wire};
use aws_sdk_iam::Client;
use aws_sdk_iam::operation::create_role::CreateRoleOutput;
use aws_sdk_iam::operation::get_role::GetRoleOutput;
use aws_sdk_iam::operation::list_attached_role_policies::ListAttachedRolePoliciesOutput;
use aws_sdk_iam::operation::list_instance_profiles_for_role::ListInstanceProfilesForRoleOutput;
use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::{AttachedPermissionsBoundary, AttachedPolicy, InstanceProfile, Role as IamRole};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::json;
use std::time::{Duration, SystemTime};

mod diff;
mod making;
mod mending;
mod properties;
mod removing;

fn role() -> Role {
    Role {
        existing: ExistingRole { name: "lab-role".to_owned(), scope: scope() },
        trust: json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ]}),
        description: "Runs the functions of lab + more".to_owned(),
        boundary: None,
    }
}

/// The role of `role()`, as declared, made long ago.
fn seen() -> Observed {
    Observed {
        role_id: "AROA1".to_owned(),
        path: "/".to_owned(),
        trust: role().trust,
        description: role().description,
        max_session: 3600,
        boundary: None,
        attached: vec![scope().policy_arn("lab-policy")],
        instance_profiles: Vec::new(),
        tags: scope().tags(),
        fresh: false,
    }
}

fn boundary() -> String {
    scope().policy_arn("boundary")
}

fn no_such() -> HttpResponse {
    wire::xml(404, "NoSuchEntity", "The role with name lab-role cannot be found.")
}

/// IAM does not know the role, so many times.
fn absent(times: usize) -> Vec<Rule> {
    vec![
        mock!(Client::get_role).sequence().http_response(no_such).times(times).build(),
        mock!(Client::list_attached_role_policies).sequence().http_response(no_such).times(times).build(),
        mock!(Client::list_instance_profiles_for_role).sequence().http_response(no_such).times(times).build(),
    ]
}

/// IAM shows this from now on.
fn present(seen: Observed) -> Vec<Rule> {
    made_at(seen, SystemTime::now() - Duration::from_secs(86_400))
}

fn made_at(seen: Observed, created: SystemTime) -> Vec<Rule> {
    let (attached, profiles) = (seen.attached.clone(), seen.instance_profiles.clone());
    let get = mock!(Client::get_role).then_output(move || {
        let role = IamRole::builder()
            .path(&seen.path)
            .role_name("lab-role")
            .role_id(&seen.role_id)
            // What IAM shows for a moment in place of the ARN.
            .arn(&seen.role_id)
            .create_date(DateTime::from(created))
            .assume_role_policy_document(percent_encoded(&seen.trust))
            .description(&seen.description)
            .max_session_duration(seen.max_session)
            .set_permissions_boundary(
                seen.boundary
                    .as_ref()
                    .map(|arn| AttachedPermissionsBoundary::builder().permissions_boundary_arn(arn).build()),
            )
            .set_tags(Some(iam_tags(&seen.tags).unwrap()));
        GetRoleOutput::builder().role(role.build().unwrap()).build()
    });
    let list = mock!(Client::list_attached_role_policies).then_output(move || attachments(&attached, None));
    let profiles =
        mock!(Client::list_instance_profiles_for_role).then_output(move || holding(&profiles, None));
    vec![get, list, profiles]
}

fn holding(names: &[String], marker: Option<&str>) -> ListInstanceProfilesForRoleOutput {
    let profile = |name: &String| {
        let profile = InstanceProfile::builder().path("/").instance_profile_name(name);
        let profile = profile.instance_profile_id("AIPA1").arn("arn:profile");
        profile.create_date(DateTime::from_secs(0)).set_roles(Some(Vec::new())).build().unwrap()
    };
    ListInstanceProfilesForRoleOutput::builder()
        .set_instance_profiles(Some(names.iter().map(profile).collect()))
        .set_marker(marker.map(str::to_owned))
        .build()
        .unwrap()
}

fn attachments(arns: &[String], marker: Option<&str>) -> ListAttachedRolePoliciesOutput {
    let policy = |arn: &String| AttachedPolicy::builder().policy_arn(arn).build();
    ListAttachedRolePoliciesOutput::builder()
        .set_attached_policies(Some(arns.iter().map(policy).collect()))
        .set_marker(marker.map(str::to_owned))
        .build()
}

/// As IAM returns documents: everything but letters and digits escaped.
fn percent_encoded(document: &Value) -> String {
    let escaped = |byte: u8| match char::from(byte) {
        plain if plain.is_ascii_alphanumeric() => plain.to_string(),
        _ => format!("%{byte:02X}"),
    };
    document.to_string().bytes().map(escaped).collect()
}

fn created() -> Rule {
    let role = || {
        IamRole::builder()
            .path("/")
            .role_name("lab-role")
            .role_id("AROA1")
            .arn(scope().role_arn("lab-role"))
            .create_date(DateTime::from_secs(0))
            .build()
            .unwrap()
    };
    mock!(Client::create_role).then_output(move || CreateRoleOutput::builder().role(role()).build())
}

/// `CreateRole` fails like this, so many times.
fn not_created(times: usize, answer: fn() -> HttpResponse) -> Rule {
    mock!(Client::create_role).sequence().http_response(answer).times(times).build()
}
