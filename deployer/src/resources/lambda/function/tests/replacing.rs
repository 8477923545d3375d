use super::*;
use crate::resources::lambda::waits::FUNCTION_GONE;

fn gone_and_made_again() -> Vec<Rule> {
    vec![answers(mock!(Client::delete_function), [ok()]), answers(mock!(Client::create_function), [ok()])]
}

#[tokio::test(start_paused = true)]
async fn a_failed_function_is_deleted_and_made_again() {
    let failed = found(|function| function["State"] = json!("Failed"));
    let states = [is("Deleting", "Successful"), no_such(), ready()];
    let world = world([failed], states, gone_and_made_again());
    let (output, record) = world.step(Mode::Apply, &function(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
    assert_eq!(output, Some(Output { fresh: true }), "its permissions went with it");
    assert_eq!(
        world.calls(),
        ["GetFunction", "DeleteFunction", "GetFunction", "GetFunction", "CreateFunction", "GetFunction"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_function_whose_role_was_made_again_is_made_again_too() {
    let seen = found(|function| function["Environment"] = json!({ "Variables": { "A": "1" } }));
    let world = world([seen], [no_such(), ready()], gone_and_made_again());
    let again = (role("AROA2", true), Some(package()));
    let function = declaring(|function| function.environment = environment(&[("A", "1")]));
    up(&world, &function, again).await.unwrap();
    assert_eq!(world.mutations(), ["DeleteFunction", "CreateFunction"]);
    assert_eq!(world.sent.bodies("CreateFunction")[0]["Tags"]["deployer:role-id"], "AROA2");
}

/// The stale grant is of the same ARN: another one makes a new grant, and needs no new function.
#[tokio::test(start_paused = true)]
async fn a_role_of_another_name_is_an_update_in_place() {
    let seen = found(|function| {
        function["Environment"] = json!({ "Variables": { "A": "1" } });
        function["Role"] = json!(scope().role_arn("old-role"));
    });
    let rules = vec![
        answers(mock!(Client::tag_resource), [ok()]),
        answers(mock!(Client::update_function_configuration), [ok()]),
    ];
    let world = world([seen], [ready()], rules);
    let function = declaring(|function| function.environment = environment(&[("A", "1")]));
    let (_, record) = world.step(Mode::Apply, &function, (role("AROA2", true), Some(package()))).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["TagResource", "UpdateFunctionConfiguration"]);
    assert_eq!(world.sent.bodies("TagResource")[0]["Tags"]["deployer:role-id"], "AROA2");
    // A plan knows no role that `up` only makes, and tells of both all the same.
    let seen = Observed { role_arn: scope().role_arn("old-role"), ..world_seen().await };
    let fields: Vec<bool> = ["tags.deployer:role-id", "role"]
        .map(|field| function.diff(None, Some(&seen)).changes().iter().any(|change| is_about(change, field)))
        .into();
    assert_eq!(fields, [true, true]);
}

async fn world_seen() -> Observed {
    let seen = found(|function| function["Environment"] = json!({ "Variables": { "A": "1" } }));
    world([seen], [], vec![]).observe(&function()).await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_being_deleted_is_made_again_when_it_is_gone() {
    let going = found_with(&Tags::new(), |function| function["State"] = json!("Deleting"));
    let states = [is("Deleting", "Successful"), no_such(), ready()];
    let world = world([going], states, vec![answers(mock!(Client::create_function), [ok()])]);
    up(&world, &function(), needs()).await.unwrap();
    assert_eq!(world.mutations(), ["CreateFunction"]);
    assert_eq!(world.recorder.waits(), [FUNCTION_GONE.reason]);
}
