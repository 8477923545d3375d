//! The role on scripted answers.

use super::*;
use crate::engine::Mode;
use crate::report::Outcome;
use crate::testing::{World, scope, wire};
use aws_sdk_iam::Client;
use aws_sdk_iam::operation::create_role::CreateRoleOutput;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use serde_json::json;

fn role() -> Role {
    Role {
        name: "lab-role".to_owned(),
        trust: json!({"Version": "2012-10-17", "Statement": []}),
        description: "Runs the functions of lab".to_owned(),
        boundary: None,
        policies: vec![scope().policy_arn("lab-policy")],
        scope: scope(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_is_absent_is_created_with_its_tags() {
    let mut world = World::new();
    let no_such = || wire::xml(404, "NoSuchEntity", "The role with name lab-role cannot be found.");
    let get = mock!(Client::get_role).then_http_response(no_such);
    let attached = mock!(Client::list_attached_role_policies).then_http_response(no_such);
    let create = mock!(Client::create_role)
        .match_requests(|request| request.tags().iter().any(|tag| tag.key() == "deployer:stack"))
        .then_output(|| CreateRoleOutput::builder().build());
    world.aws.iam = mock_client!(aws_sdk_iam, RuleMode::MatchAny, [&get, &attached, &create]);
    let (output, record) = world.step(Mode::Apply, &role(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert!(output.unwrap().fresh);
    assert_eq!(create.num_calls(), 1);
}
