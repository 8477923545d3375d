//! The policy and its attachment: comparison in tables, calls on scripted answers.

use super::*;
use crate::engine::{Change, Diff, Mode, Outcome};
use crate::testing::{World, is_about, scope, wire};
use aws_sdk_iam::Client;
use aws_sdk_iam::operation::attach_role_policy::AttachRolePolicyOutput;
use aws_sdk_iam::operation::create_policy::CreatePolicyOutput;
use aws_sdk_iam::operation::get_policy::GetPolicyOutput;
use aws_sdk_iam::operation::get_policy_version::GetPolicyVersionOutput;
use aws_sdk_iam::operation::list_entities_for_policy::ListEntitiesForPolicyOutput;
use aws_sdk_iam::operation::list_policies::ListPoliciesOutput;
use aws_sdk_iam::operation::list_policy_versions::ListPolicyVersionsOutput;
use aws_sdk_iam::types::{Policy as IamPolicy, PolicyRole, PolicyVersion};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::json;

mod diff;
mod making;
mod properties;
mod removing;
mod versions;

fn policy() -> Policy {
    Policy { existing: ExistingPolicy::of_role("lab-role", &scope()), document: document() }
}

fn named(name: &str) -> Policy {
    let mut policy = policy();
    name.clone_into(&mut policy.existing.name);
    policy
}

fn document() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": ["a", "b"]},
        {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "c"},
    ]})
}

fn needs() -> role::Output {
    role::Output { arn: scope().role_arn("lab-role"), role_id: "AROA1".to_owned(), fresh: true }
}

/// The policy of `policy()`, as declared.
fn seen() -> Observed {
    Observed {
        path: "/".to_owned(),
        document: document(),
        versions: vec![version("v1", true)],
        attached: vec![role_named("lab-role")],
        tags: scope().tags(),
    }
}

fn role_named(name: &str) -> Entity {
    Entity::Role(name.to_owned())
}

fn version(id: &str, is_default: bool) -> Version {
    Version { id: id.to_owned(), is_default }
}

fn no_such() -> HttpResponse {
    wire::xml(404, "NoSuchEntity", "Policy arn:aws:iam::123456789012:policy/lab-policy was not found.")
}

/// IAM does not know the policy, so many times.
fn absent(times: usize) -> Vec<Rule> {
    vec![
        mock!(Client::get_policy).sequence().http_response(no_such).times(times).build(),
        mock!(Client::list_policy_versions).sequence().http_response(no_such).times(times).build(),
        mock!(Client::list_entities_for_policy).sequence().http_response(no_such).times(times).build(),
        mock!(Client::list_policies).sequence().output(|| policies(&[], None)).times(times).build(),
    ]
}

/// A page of the account's policies, by path and name.
fn policies(all: &[(&str, &str)], marker: Option<&str>) -> ListPoliciesOutput {
    let policy = |(path, name): &(&str, &str)| IamPolicy::builder().path(*path).policy_name(*name).build();
    ListPoliciesOutput::builder()
        .set_policies(Some(all.iter().map(policy).collect()))
        .set_marker(marker.map(str::to_owned))
        .build()
}

/// IAM shows this, so many times.
fn shown(times: usize, seen: &Observed) -> Vec<Rule> {
    let default = seen.versions.iter().find(|version| version.is_default).map(|version| version.id.clone());
    let tags = seen.tags.clone();
    let policy = move || {
        let policy = IamPolicy::builder().set_default_version_id(default.clone());
        let policy = policy.set_tags(Some(iam_tags(&tags).unwrap())).build();
        GetPolicyOutput::builder().policy(policy).build()
    };
    let versions = seen.versions.clone();
    let versions = move || ListPolicyVersionsOutput::builder().set_versions(Some(listed(&versions))).build();
    let role = |entity: &Entity| match entity {
        Entity::Role(name) => Some(name.clone()),
        Entity::User(_) | Entity::Group(_) => None,
    };
    let roles: Vec<String> = seen.attached.iter().filter_map(role).collect();
    let entities = move || {
        let role = |name: &String| PolicyRole::builder().role_name(name).build();
        ListEntitiesForPolicyOutput::builder()
            .set_policy_roles(Some(roles.iter().map(role).collect()))
            .build()
    };
    vec![
        mock!(Client::get_policy).sequence().output(policy).times(times).build(),
        mock!(Client::list_policy_versions).sequence().output(versions).times(times).build(),
        mock!(Client::list_entities_for_policy).sequence().output(entities).times(times).build(),
    ]
}

/// IAM shows this once, its document being that of the default version.
fn present(seen: &Observed) -> Vec<Rule> {
    let default = seen.versions.iter().find(|version| version.is_default).unwrap();
    [shown(1, seen), vec![document_of(&default.id, seen.document.clone())]].concat()
}

fn listed(versions: &[Version]) -> Vec<PolicyVersion> {
    let listed =
        |v: &Version| PolicyVersion::builder().version_id(&v.id).is_default_version(v.is_default).build();
    versions.iter().map(listed).collect()
}

/// `GetPolicyVersion` of one version. Documents come escaped.
fn document_of(version: &str, document: Value) -> Rule {
    let id = version.to_owned();
    mock!(Client::get_policy_version)
        .match_requests(move |request| request.version_id() == Some(&id))
        .then_output(move || {
            let text = document.to_string().replace('{', "%7B").replace('"', "%22");
            GetPolicyVersionOutput::builder()
                .policy_version(PolicyVersion::builder().document(text).build())
                .build()
        })
}

fn attached() -> Rule {
    mock!(Client::attach_role_policy)
        .match_requests(|request| {
            request.role_name() == Some("lab-role") && request.policy_arn() == Some(&policy().existing.arn())
        })
        .then_output(|| AttachRolePolicyOutput::builder().build())
}
