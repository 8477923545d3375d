//! Which refusals pass by themselves, and which never do.

use super::*;
use crate::resources::api_gateway::waits::API_BUSY;
use crate::resources::dynamodb::waits::{
    SCALING_BUSY, SCALING_NOT_YET_READY, TABLE_BUSY, TABLE_NOT_YET_VISIBLE,
};
use crate::resources::iam::waits::{
    IAM_BUSY, IAM_NOT_YET_VISIBLE, IAM_STILL_DETACHING, ROLE_NOT_ASSUMABLE, ROLE_NOT_YET_ALLOWED,
    ROLE_NOT_YET_ASSUMABLE,
};
use crate::resources::lambda::waits::{FUNCTION_BUSY, FUNCTION_NOT_YET_VISIBLE};
use crate::resources::logs::waits::{LOG_GROUP_BUSY, LOG_GROUP_NOT_YET_VISIBLE};

/// Every wait for a refusal that passes.
static PASSING: [&Passing; 17] = [
    &ROLE_NOT_YET_ASSUMABLE,
    &ROLE_NOT_ASSUMABLE,
    &ROLE_NOT_YET_ALLOWED,
    &IAM_NOT_YET_VISIBLE,
    &IAM_BUSY,
    &IAM_STILL_DETACHING,
    &FUNCTION_BUSY,
    &FUNCTION_NOT_YET_VISIBLE,
    &API_BUSY,
    &THROTTLED,
    &TABLE_NOT_YET_VISIBLE,
    &TABLE_BUSY,
    &SCALING_BUSY,
    &SCALING_NOT_YET_READY,
    &LOG_GROUP_NOT_YET_VISIBLE,
    &LOG_GROUP_BUSY,
    &TEST,
];

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_returned_at_once() {
    let errors = [
        ("AccessDenied", "not authorized … with an explicit deny"),
        ("AccessDeniedException", "User: x is not authorized to perform: lambda:CreateFunction"),
        ("MalformedPolicyDocument", "Invalid principal in policy"),
        ("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000"),
        ("LimitExceededException", "Subscriber limit exceeded: There is a limit of 2500 tables per region"),
        ("LimitExceededException", "Maximum number of Resources for this API has been reached"),
        ("ValidationException", "One or more parameter values were invalid"),
        ("EntityAlreadyExists", "Role with name lab already exists."),
        ("ResourceConflictException", "Function already exist: lab"),
        ("ResourceAlreadyExistsException", "The specified log group already exists"),
        ("ResourceInUseException", "Table already exists: lab"),
    ];
    for (code, message) in errors {
        let (asked, error) = refused_for_ever(|| refusal(code, message)).await;
        assert_eq!(asked.len(), 1, "{message}");
        assert_eq!(error.to_string(), format!("lab:Make failed: {code}: {message}"));
        let waiting = PASSING.iter().find(|passing| (passing.applies)(&refusal(code, message)));
        assert!(waiting.is_none(), "{message}: would wait for {}", waiting.unwrap().cadence.reason);
    }
    let world = World::new();
    let call = async || Err::<(), _>(Error::new("not AWS's"));
    let error = world.at(async |step| step.retry(&[&TEST], call).await).await.unwrap_err();
    assert_eq!(error.to_string(), "not AWS's");
}

#[test]
fn each_passing_refusal_is_told_by_its_code_and_words() {
    let cases: [(&str, &str, &[&Passing]); 25] = [
        (
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
            &[&ROLE_NOT_YET_ASSUMABLE, &ROLE_NOT_ASSUMABLE],
        ),
        (
            "InvalidParameterValueException",
            "The provided execution role does not have permissions to call PutTraceSegments on XRAY",
            &[&ROLE_NOT_YET_ALLOWED],
        ),
        (
            "InvalidParameterValueException",
            "Lambda was unable to configure access to your environment variables because the KMS key is invalid for \
             CreateGrant. Please check your KMS key settings.",
            &[&ROLE_NOT_YET_ASSUMABLE, &ROLE_NOT_ASSUMABLE],
        ),
        ("InvalidParameterValueException", "Unzipped size must be smaller than 262144000 bytes", &[]),
        ("NoSuchEntity", "Policy lab does not exist or is not attachable.", &[&IAM_NOT_YET_VISIBLE]),
        ("NoSuchEntity", "Scope ARN: arn:aws:iam::1:policy/x does not exist or is not attachable.", &[]),
        ("ObjectNotFoundException", "No scalable target registered", &[&SCALING_NOT_YET_READY]),
        (
            "ConcurrentModification",
            "wait a few minutes",
            &[&IAM_NOT_YET_VISIBLE, &IAM_BUSY, &IAM_STILL_DETACHING],
        ),
        ("EntityTemporarilyUnmodifiable", "wait", &[&IAM_NOT_YET_VISIBLE, &IAM_BUSY, &IAM_STILL_DETACHING]),
        ("DeleteConflict", "Cannot delete entity, must detach all policies first.", &[&IAM_STILL_DETACHING]),
        ("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", &[]),
        ("ResourceConflictException", "An update is in progress for resource: lab", &[&FUNCTION_BUSY]),
        ("ResourceConflictException", "currently in the following state: Pending", &[&FUNCTION_BUSY]),
        ("ResourceConflictException", "due to a concurrent update operation", &[&FUNCTION_BUSY]),
        (
            "ResourceNotFoundException",
            "Function not found: lab",
            &[&FUNCTION_NOT_YET_VISIBLE, &TABLE_NOT_YET_VISIBLE, &LOG_GROUP_NOT_YET_VISIBLE],
        ),
        ("TableNotFoundException", "Table not found: lab", &[&TABLE_NOT_YET_VISIBLE]),
        (
            "ConflictException",
            "Unable to complete operation due to concurrent modification. Please try again later.",
            &[&API_BUSY],
        ),
        ("ConflictException", "Stage already exists", &[]),
        ("OperationAbortedException", "A conflicting operation is in progress.", &[&LOG_GROUP_BUSY]),
        ("ResourceInUseException", "Table is being created: lab", &[&TABLE_BUSY]),
        (
            "LimitExceededException",
            "Subscriber limit exceeded: Only 500 tables can be created, updated, or deleted simultaneously",
            &[&TABLE_BUSY],
        ),
        ("TooManyRequestsException", "Too Many Requests", &[&THROTTLED]),
        ("Throttling", "Rate exceeded", &[&THROTTLED]),
        ("ThrottlingException", "Rate exceeded", &[&THROTTLED]),
        ("ProvisionedThroughputExceededException", "The level of throughput was exceeded", &[&THROTTLED]),
    ];
    for (code, message, expected) in cases {
        let error = refusal(code, message);
        let found = PASSING.iter().filter(|passing| (passing.applies)(&error)).map(|p| p.cadence.reason);
        let expected = expected.iter().map(|passing| passing.cadence.reason);
        assert!(found.clone().eq(expected), "{code}: {message}: {:?}", found.collect::<Vec<_>>());
    }
}
