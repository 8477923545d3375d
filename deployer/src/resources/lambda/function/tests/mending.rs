use super::*;
use crate::resources::iam::waits::ROLE_NOT_YET_ASSUMABLE;
use crate::resources::lambda::waits::{FUNCTION_BUSY, FUNCTION_READY};

fn code(answer: impl IntoIterator<Item = Answer>) -> Rule {
    answers(mock!(Client::update_function_code), answer)
}

fn configuration(answer: impl IntoIterator<Item = Answer>) -> Rule {
    answers(mock!(Client::update_function_configuration), answer)
}

fn updating() -> Answer {
    is("Active", "InProgress")
}

/// Everything but the code, as it is sent whatever differs.
fn whole_configuration() -> Value {
    json!({
        "Description": "Takes orders",
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "MemorySize": 128,
        "Timeout": 10,
        "Environment": { "Variables": {} },
        "TracingConfig": { "Mode": "PassThrough" },
        "Role": "arn:aws:iam::123456789012:role/orders-role",
    })
}

#[tokio::test]
async fn a_function_as_declared_is_not_touched() {
    let world = world([found(|_| ())], [], vec![]);
    assert_eq!(up(&world, &function(), needs()).await.unwrap(), Outcome::Unchanged);
    assert!(world.mutations().is_empty());
}

#[tokio::test]
async fn code_is_uploaded_only_when_its_hash_differs() {
    let old = found(|function| function["CodeSha256"] = json!("old"));
    let world = world([old], [ready()], vec![code([ok()])]);
    assert_eq!(up(&world, &function(), needs()).await.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["UpdateFunctionCode"]);
    assert_eq!(
        world.sent.bodies("UpdateFunctionCode"),
        [json!({ "ZipFile": "dGhlIGNvZGU=", "Architectures": ["x86_64"] })]
    );
}

#[tokio::test]
async fn another_architecture_rides_on_the_same_code() {
    let arm = found(|function| function["Architectures"] = json!(["arm64"]));
    let world = world([arm], [ready()], vec![code([ok()])]);
    up(&world, &function(), needs()).await.unwrap();
    assert_eq!(world.mutations(), ["UpdateFunctionCode"]);
    assert_eq!(world.sent.bodies("UpdateFunctionCode")[0]["Architectures"], json!(["x86_64"]));
}

/// Lambda keeps what is not sent, and an empty text or map is what clears it.
#[tokio::test]
async fn all_of_the_configuration_is_sent_also_what_is_empty() {
    let seen = found(|function| {
        function["MemorySize"] = json!(512);
        function["Environment"] = json!({ "Variables": { "OLD": "1" } });
    });
    let function = declaring(|function| function.description = String::new());
    let world = world([seen], [ready()], vec![configuration([ok()])]);
    up(&world, &function, needs()).await.unwrap();
    assert_eq!(world.mutations(), ["UpdateFunctionConfiguration"]);
    let mut expected = whole_configuration();
    expected["Description"] = json!("");
    assert_eq!(world.sent.bodies("UpdateFunctionConfiguration"), [expected]);
}

/// The policy of its role is for the stack's log group. What Lambda logs, and how, stays as somebody has set it.
#[tokio::test]
async fn a_function_that_logs_elsewhere_logs_to_the_stacks_group_again() {
    let seen = found(|function| {
        function["LoggingConfig"] =
            json!({ "LogFormat": "JSON", "SystemLogLevel": "WARN", "LogGroup": "/shared" });
    });
    let world = world([seen], [ready()], vec![configuration([ok()])]);
    up(&world, &function(), needs()).await.unwrap();
    let mut expected = whole_configuration();
    expected["LoggingConfig"] =
        json!({ "LogFormat": "JSON", "SystemLogLevel": "WARN", "LogGroup": "/aws/lambda/orders" });
    assert_eq!(world.sent.bodies("UpdateFunctionConfiguration"), [expected]);
}

#[tokio::test(start_paused = true)]
async fn code_and_configuration_are_each_waited_for() {
    let old = found(|function| {
        function["CodeSha256"] = json!("old");
        function["MemorySize"] = json!(512);
    });
    let states = [updating(), ready(), updating(), ready()];
    let world = world([old], states, vec![code([ok()]), configuration([ok()])]);
    up(&world, &function(), needs()).await.unwrap();
    assert_eq!(
        world.calls(),
        [
            "GetFunction",
            "UpdateFunctionCode",
            "GetFunction",
            "GetFunction",
            "UpdateFunctionConfiguration",
            "GetFunction",
            "GetFunction",
        ]
    );
    assert_eq!(world.recorder.waits(), [FUNCTION_READY.reason; 2]);
}

/// The answer to the change says so already: to look at once would be to ask the same again.
#[tokio::test(start_paused = true)]
async fn what_an_answer_says_is_not_asked_for_again() {
    let old = found(|function| {
        function["CodeSha256"] = json!("old");
        function["MemorySize"] = json!(512);
    });
    let rules = vec![code([updating()]), configuration([updating()])];
    let world = world([old], [ready(), ready()], rules);
    up(&world, &function(), needs()).await.unwrap();
    let looks = world.calls().into_iter().filter(|call| call == "GetFunction");
    assert_eq!(looks.count(), 1 + 2);
    assert_eq!(world.recorder.waits(), [FUNCTION_READY.reason; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_busy_is_waited_for() {
    let messages = [
        "The operation cannot be performed at this time. An update is in progress for resource: arn",
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        "The function could not be updated due to a concurrent update operation.",
    ];
    for message in messages {
        let old = found(|function| function["CodeSha256"] = json!("old"));
        let busy = || conflict(message);
        let world = world([old], [ready()], vec![code([busy(), busy(), ok()])]);
        up(&world, &function(), needs()).await.unwrap();
        assert_eq!(world.mutations(), ["UpdateFunctionCode"; 3]);
        assert_eq!(world.recorder.waits(), [FUNCTION_BUSY.cadence.reason; 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn another_conflict_is_not_repeated() {
    let old = found(|function| function["CodeSha256"] = json!("old"));
    let managed = conflict("The function is managed by another service.");
    let world = world([old], [], vec![code([managed])]);
    up(&world, &function(), needs()).await.unwrap_err();
    assert_eq!(world.mutations(), ["UpdateFunctionCode"]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_an_earlier_run_left_unfinished_is_waited_for() {
    for (state, last_update) in [("Pending", "InProgress"), ("Active", "InProgress")] {
        let unfinished = found(|function| {
            function["State"] = json!(state);
            function["LastUpdateStatus"] = json!(last_update);
        });
        let world = world([unfinished], [is(state, last_update), ready(), ready()], vec![]);
        assert_eq!(up(&world, &function(), needs()).await.unwrap(), Outcome::Updated);
        assert!(world.mutations().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn states_that_nobody_knows_yet_are_waited_for() {
    let states = [
        is("Deactivating", "Successful"),
        is("Resting", "Successful"),
        is("Active", "Odd"),
        ready(),
        ready(),
    ];
    let pending = found(|function| function["State"] = json!("Deactivating"));
    let world = world([pending], states, vec![]);
    assert_eq!(up(&world, &function(), needs()).await.unwrap(), Outcome::Updated);
    assert_eq!(world.recorder.waits(), [FUNCTION_READY.reason; 3]);
}

/// What Lambda shows then may be what it runs or what it could not run.
#[tokio::test]
async fn after_a_failed_update_everything_is_sent_again() {
    let failed = found(|function| function["LastUpdateStatus"] = json!("Failed"));
    let world = world([failed], [ready(), ready()], vec![code([ok()]), configuration([ok()])]);
    assert_eq!(up(&world, &function(), needs()).await.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["UpdateFunctionCode", "UpdateFunctionConfiguration"]);
    assert_eq!(world.sent.bodies("UpdateFunctionConfiguration"), [whole_configuration()]);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_fails_says_why() {
    let old = found(|function| function["CodeSha256"] = json!("old"));
    let failed = done(configured(|function| {
        function["LastUpdateStatus"] = json!("Failed");
        function["LastUpdateStatusReason"] = json!("The key is disabled.");
    }));
    let world = world([old], [updating(), failed], vec![code([ok()])]);
    let error = up(&world, &function(), needs()).await.unwrap_err();
    assert_eq!(error.to_string(), "Lambda could not make the function orders: The key is disabled.");
}

#[tokio::test(start_paused = true)]
async fn a_changed_role_may_not_be_assumable_yet() {
    let other_role = found(|function| function["Role"] = json!("arn:aws:iam::123456789012:role/old"));
    let refusal = || invalid("The role defined for the function cannot be assumed by Lambda.");
    let world = world([other_role], [ready()], vec![configuration([refusal(), refusal(), ok()])]);
    let fresh = (role("AROA1", true), Some(package()));
    up(&world, &function(), fresh).await.unwrap();
    assert_eq!(world.recorder.waits(), [ROLE_NOT_YET_ASSUMABLE.cadence.reason; 2]);
}

#[tokio::test]
async fn tags_are_set_and_foreign_ones_stay() {
    let mut theirs = tags();
    theirs.insert("cost-centre".to_owned(), "42".to_owned());
    theirs.insert(ROLE_ID_TAG.to_owned(), "AROA0".to_owned());
    let world = world([found_with(&theirs, |_| ())], [], vec![answers(mock!(Client::tag_resource), [ok()])]);
    up(&world, &function(), needs()).await.unwrap();
    assert_eq!(world.mutations(), ["TagResource"]);
    assert_eq!(world.sent.bodies("TagResource"), [json!({ "Tags": tags() })]);
}

#[tokio::test]
async fn reserved_concurrency_is_set_and_removed() {
    let reserved = |answer: Answer| match answer {
        Answer::Done(mut body) => {
            body["Concurrency"] = json!({ "ReservedConcurrentExecutions": 7 });
            done(body)
        }
        Answer::Refused { .. } => answer,
    };
    let set = world([found(|_| ())], [], vec![answers(mock!(Client::put_function_concurrency), [ok()])]);
    let declared = declaring(|function| function.reserved_concurrency = Some(5));
    up(&set, &declared, needs()).await.unwrap();
    assert_eq!(set.sent.bodies("PutFunctionConcurrency"), [json!({ "ReservedConcurrentExecutions": 5 })]);
    let delete = answers(mock!(Client::delete_function_concurrency), [ok()]);
    let removed = world([reserved(found(|_| ()))], [], vec![delete]);
    up(&removed, &function(), needs()).await.unwrap();
    assert_eq!(removed.mutations(), ["DeleteFunctionConcurrency"]);
}
