//! The ARNs that an IAM policy can limit calls to.

use super::{Id, Kind};
use crate::names::Scope;

/// Returns the ARN that a policy can limit this call to, if it can. `operation` is an IAM action, `id` the resource
/// that the call is for.
pub(super) fn arn_of(scope: &Scope, operation: &str, id: &Id) -> Option<String> {
    let (service, name) = operation.split_once(':')?;
    // Lists cannot be limited to one resource.
    if matches!(name, "ListPolicies" | "DescribeLogGroups") {
        return None;
    }
    match (service, id.kind) {
        ("iam", Kind::Role) => Some(scope.role_arn(&id.name)),
        ("iam", Kind::Policy) => Some(scope.policy_arn(&id.name)),
        ("dynamodb", Kind::Table | Kind::Scaling) => Some(scope.table_arn(&id.name)),
        ("lambda", Kind::Function | Kind::Permission) => Some(scope.function_arn(&id.name)),
        ("logs", Kind::LogGroup) => Some(format!("{}:*", scope.log_group_arn(&id.name))),
        ("apigateway", Kind::RestApi) => Some(format!("{}*", scope.rest_api_arn(""))),
        _ => None,
    }
}
