use super::*;
use crate::resources::iam::waits::ROLE_NOT_YET_ASSUMABLE;
use crate::resources::lambda::waits::{FUNCTION_NOT_YET_VISIBLE, FUNCTION_READY};
use crate::testing::script::broken;
use crate::testing::wire;
use std::time::Duration;
use tokio::time::Instant;

fn created(answer: impl IntoIterator<Item = Answer>) -> Rule {
    answers(mock!(Client::create_function), answer)
}

/// What Lambda says of a role that it cannot use yet.
const ROLE_REFUSALS: [&str; 2] = [
    "The role defined for the function cannot be assumed by Lambda.",
    "Lambda was unable to configure access to your environment variables because the KMS key is invalid for \
     CreateGrant. KMS Exception: InvalidArnException KMS Message: ARN does not refer to a valid principal",
];

#[tokio::test(start_paused = true)]
async fn an_absent_function_is_made_with_its_tags_and_waited_for() {
    let function = declaring(|function| function.tracing = true);
    let pending = done(configured(|function| {
        function["State"] = json!("Pending");
        function.as_object_mut().unwrap().remove("LastUpdateStatus");
    }));
    let states = [is("Pending", "InProgress"), ready()];
    let world = world([no_such()], states, vec![created([pending])]);
    let (output, record) = world.step(Mode::Apply, &function, needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(output, Some(Output { fresh: true }));
    assert_eq!(world.mutations(), ["CreateFunction"]);
    assert_eq!(world.recorder.waits(), [FUNCTION_READY.reason; 2]);
    assert_eq!(
        world.sent.bodies("CreateFunction"),
        [json!({
            "FunctionName": "orders",
            "Description": "Takes orders",
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "MemorySize": 128,
            "Timeout": 10,
            "Architectures": ["x86_64"],
            "Environment": { "Variables": {} },
            "TracingConfig": { "Mode": "Active" },
            "Role": "arn:aws:iam::123456789012:role/orders-role",
            "Code": { "ZipFile": "dGhlIGNvZGU=" },
            "Tags": { "deployer:stack": "lab", "deployer:region": "us-east-1", "deployer:role-id": "AROA1" },
        })]
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_function_may_not_be_known_to_the_next_call() {
    let world = world([no_such()], [no_such(), no_such(), ready()], vec![created([ok()])]);
    assert_eq!(up(&world, &function(), needs()).await.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), [FUNCTION_NOT_YET_VISIBLE.cadence.reason; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_was_seen_may_be_unknown_to_the_next_call() {
    let states = [is("Pending", "InProgress"), no_such(), is("Pending", "InProgress"), ready()];
    let world = world([no_such()], states, vec![created([ok()])]);
    assert_eq!(up(&world, &function(), needs()).await.unwrap(), Outcome::Created);
    let (pending, unknown) = (FUNCTION_READY.reason, FUNCTION_NOT_YET_VISIBLE.cadence.reason);
    assert_eq!(world.recorder.waits(), [pending, unknown, pending]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_vanishes_is_not_waited_for() {
    let states = [is("Pending", "InProgress")].into_iter().chain(std::iter::repeat_n(no_such(), 100));
    let begun = Instant::now();
    let error =
        up(&world([no_such()], states, vec![created([ok()])]), &function(), needs()).await.unwrap_err();
    assert!(error.has_code("ResourceNotFoundException"), "{error}");
    assert!(begun.elapsed() <= Duration::from_secs(31), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_role_of_this_run_is_waited_for_as_long_as_iam_may_take() {
    for message in ROLE_REFUSALS {
        let refusals = std::iter::repeat_n(invalid(message), 60).chain([ok()]);
        let world = world([no_such()], [ready()], vec![created(refusals)]).with_iam(&[has_role("AROA1")]);
        let begun = Instant::now();
        assert_eq!(up(&world, &function(), fresh()).await.unwrap(), Outcome::Created);
        assert!(begun.elapsed() > Duration::from_secs(60), "{:?}", begun.elapsed());
        assert_eq!(world.recorder.waits(), [ROLE_NOT_YET_ASSUMABLE.cadence.reason; 60]);
    }
}

/// Lambda counts each try, and takes the whole code with it.
#[tokio::test(start_paused = true)]
async fn a_function_is_offered_less_often_the_longer_it_takes_and_the_larger_it_is() {
    let tries = async |size: usize, within: u64| {
        let role_refused = always(mock!(Client::create_function), invalid(ROLE_REFUSALS[0]));
        let world = world([no_such()], [], vec![role_refused]).with_iam(&[has_role("AROA1")]);
        let needs = (role("AROA1", true), Some(Package::of(vec![0; size])));
        let begun = Instant::now();
        let function = function();
        let (_, ()) = tokio::join!(up(&world, &function, needs), async {
            tokio::time::sleep_until(begun + Duration::from_secs(within)).await;
            world.stop.set();
        });
        world.mutations().len()
    };
    let (small, large) = (tries(1_000, 10).await, tries(3_000_000, 10).await);
    assert!((18..=26).contains(&small), "{small}");
    assert!((9..=13).contains(&large), "{large}");
    let minute = tries(1_000, 60).await;
    assert!((40..=54).contains(&minute), "{minute}");
}

fn fresh() -> Needs {
    (role("AROA1", true), Some(package()))
}

#[tokio::test(start_paused = true)]
async fn a_role_that_another_run_deletes_is_not_waited_for() {
    let no_role = mock!(aws_sdk_iam::Client::get_role)
        .then_http_response(|| wire::xml(404, "NoSuchEntity", "The role cannot be found."));
    for (role, why) in [(no_role, "deleted"), (has_role("AROA2"), "deleted and made again")] {
        let refused = always(mock!(Client::create_function), invalid(ROLE_REFUSALS[0]));
        let world = world([no_such()], [], vec![refused]).with_iam(&[role]);
        let begun = Instant::now();
        let error = up(&world, &function(), fresh()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("the role orders-role was {why} meanwhile"));
        assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_role_that_lambda_refuses_is_soon_an_error() {
    for message in ROLE_REFUSALS {
        let world = world([no_such()], [], vec![always(mock!(Client::create_function), invalid(message))])
            .with_iam(&[has_role("AROA1")]);
        let begun = Instant::now();
        let error = up(&world, &function(), needs()).await.unwrap_err();
        assert!(begun.elapsed() <= Duration::from_secs(20), "{:?}", begun.elapsed());
        assert_eq!(error.aws().unwrap().message, message, "AWS's own answer stays");
    }
}

/// The role is there, and its policy is attached or changed by the same run: whoever waits is told so.
#[tokio::test(start_paused = true)]
async fn a_role_that_may_not_trace_yet_is_waited_for_by_that_name() {
    let refusal =
        || invalid("The provided execution role does not have permissions to call PutTraceSegments on XRAY");
    let first = invalid(ROLE_REFUSALS[0]);
    let refusals = [first].into_iter().chain(std::iter::repeat_n(refusal(), 30)).chain([ok()]);
    let function = declaring(|function| function.tracing = true);
    let with_role = |world: World| world.with_iam(&[has_role("AROA1")]);
    let passes = with_role(world([no_such()], [ready()], vec![created(refusals)]));
    assert_eq!(up(&passes, &function, needs()).await.unwrap(), Outcome::Created);
    let waits = passes.recorder.waits();
    assert_eq!(waits[0], ROLE_NOT_YET_ASSUMABLE.cadence.reason);
    assert_eq!(waits[1..], ["IAM to let the role do what its policy grants"; 30]);

    let stays = with_role(world([no_such()], [], vec![always(mock!(Client::create_function), refusal())]));
    let error = up(&stays, &function, needs()).await.unwrap_err();
    assert!(
        error.to_string().contains("waiting for IAM to let the role do what its policy grants"),
        "{error}"
    );
    assert!(
        crate::testing::hints(&error)[0].contains("Check what bounds the role orders-role"),
        "{:?}",
        crate::testing::hints(&error)
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_that_stays_refused_is_explained_by_its_trust_policy() {
    let refusal = invalid("The role defined for the function cannot be assumed by Lambda.");
    let world = world([no_such()], [], vec![always(mock!(Client::create_function), refusal)])
        .with_iam(&[has_role("AROA1")]);
    let error = up(&world, &function(), needs()).await.unwrap_err();
    assert!(error.to_string().contains("of waiting for IAM to let Lambda assume the role"), "{error}");
    let [hint] = &crate::testing::hints(&error)[..] else { panic!("{:?}", crate::testing::hints(&error)) };
    assert!(hint.contains("trust policy of the role orders-role"), "{hint}");
}

#[tokio::test(start_paused = true)]
async fn other_invalid_parameters_are_not_repeated() {
    let invalid = invalid("Value bootstrapp at 'handler' failed to satisfy constraint");
    let world = world([no_such()], [], vec![created([invalid])]);
    up(&world, &function(), needs()).await.unwrap_err();
    assert_eq!(world.mutations(), ["CreateFunction"]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_already_exists_is_looked_at_again_and_not_waited_out() {
    let begun = Instant::now();
    let exists = created([conflict("Function already exist: orders")]);
    let world = world([no_such(), found(|_| ())], [], vec![exists]);
    assert_eq!(up(&world, &function(), needs()).await.unwrap(), Outcome::Created);
    assert_eq!(world.mutations(), ["CreateFunction"]);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_function_of_somebody_else_that_already_exists_is_not_touched() {
    let theirs = found_with(&Tags::new(), |_| ());
    let exists = created([conflict("Function already exist: orders")]);
    let world = world([no_such(), theirs], [], vec![exists]);
    let error = up(&world, &function(), needs()).await.unwrap_err();
    assert!(error.to_string().contains("is not of this stack"), "{error}");
    assert_eq!(world.mutations(), ["CreateFunction"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_cleared_up_by_looking() {
    // What came of it is still pending, so the second look waits for it.
    let pending = found(|function| function["State"] = json!("Pending"));
    let world = world(
        [no_such(), pending],
        [is("Pending", "InProgress"), ready(), ready()],
        vec![created([broken()])],
    );
    assert_eq!(up(&world, &function(), needs()).await.unwrap(), Outcome::Created);
    assert_eq!(world.mutations(), ["CreateFunction"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_on_the_way_there_is_asked_again() {
    let world = world([no_such(), no_such()], [ready()], vec![created([broken(), ok()])]);
    assert_eq!(up(&world, &function(), needs()).await.unwrap(), Outcome::Created);
    assert_eq!(world.mutations(), ["CreateFunction"; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_fails_to_start_says_why() {
    let failed = done(configured(|function| {
        function["State"] = json!("Failed");
        function["StateReason"] = json!("The image could not be unpacked.");
    }));
    let world = world([no_such()], [is("Pending", "InProgress"), failed], vec![created([ok()])]);
    let error = up(&world, &function(), needs()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Lambda could not make the function orders: The image could not be unpacked."
    );
}

#[tokio::test(start_paused = true)]
async fn reserved_concurrency_is_set_when_the_function_stands() {
    let function = declaring(|function| function.reserved_concurrency = Some(5));
    let put = answers(mock!(Client::put_function_concurrency), [no_such(), ok()]);
    let world = world([no_such()], [ready()], vec![created([ok()]), put]);
    up(&world, &function, needs()).await.unwrap();
    assert_eq!(
        world.sent.bodies("PutFunctionConcurrency"),
        [json!({ "ReservedConcurrentExecutions": 5 }), json!({ "ReservedConcurrentExecutions": 5 })]
    );
}

#[tokio::test]
async fn well_known_refusals_come_with_advice() {
    let cases = [
        (
            refused(413, "RequestEntityTooLargeException", "Zipped size must be smaller than 52428800 bytes"),
            "make the binary smaller",
        ),
        (invalid("Unzipped size must be smaller than 262144000 bytes"), "make the binary smaller"),
        (
            refused(400, "CodeStorageExceededException", "Code storage limit exceeded."),
            "delete functions or versions",
        ),
        (
            refused(
                400,
                "InvalidParameterValueException",
                "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 3008",
            ),
            "3008 MB",
        ),
        (
            invalid(
                "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided contains reserved keys that are currently not supported for modification. Reserved keys used \
                 in this request: AWS_REGION",
            ),
            "Lambda sets variables of these names itself",
        ),
        (
            refused(
                403,
                "AccessDeniedException",
                "User: x is not authorized to perform: iam:PassRole on resource: r",
            ),
            "iam:PassRole",
        ),
    ];
    for (answer, advice) in cases {
        let world = world([no_such()], [], vec![created([answer])]);
        let error = up(&world, &function(), needs()).await.unwrap_err();
        assert!(
            crate::testing::hints(&error).iter().any(|hint| hint.contains(advice)),
            "{error}: {:?}",
            crate::testing::hints(&error)
        );
    }
}

#[tokio::test]
async fn an_environment_that_is_too_large_is_not_shown() {
    let function = declaring(|function| function.environment = environment(&[("TOKEN", "s3cret")]));
    let too_large = invalid(
        "Lambda was unable to configure your environment variables because the environment variables you have \
         provided exceeded the 4KB limit. String measured: {\"TOKEN\":\"s3cret\"}",
    );
    let world = world([no_such()], [], vec![created([too_large])]);
    let error = up(&world, &function, needs()).await.unwrap_err();
    assert!(error.to_string().contains("exceeded the 4KB limit."), "{error}");
    assert!(crate::testing::hints(&error)[0].contains("at most 4 KB"), "{:?}", crate::testing::hints(&error));
    let everything = format!("{error:?} {:?}", world.recorder.events());
    assert!(!everything.contains("s3cret"), "{everything}");
}
