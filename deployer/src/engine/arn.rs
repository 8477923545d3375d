//! Which ARN a policy can limit a call to.

use super::{Id, Kind};
use crate::names::Scope;

/// The ARN by which a policy names what a call is about, where the call is one that a policy can limit to it.
/// `operation` as IAM writes it, `id` what the call was made for.
pub(super) fn arn_of(scope: &Scope, operation: &str, id: &Id) -> Option<String> {
    let (service, name) = operation.split_once(':')?;
    // Whoever lists things in general cannot be limited to one of them.
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
