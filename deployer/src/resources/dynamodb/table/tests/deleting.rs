use super::*;
use crate::resources::dynamodb::waits::{TABLE_BUSY, TABLE_GONE};

fn deleted(answer: impl IntoIterator<Item = Answer>) -> Rule {
    answers(mock!(Client::delete_table), answer)
}

async fn down(world: &World) -> Result<Outcome> {
    world.remove(Mode::Apply, &table()).await.result
}

#[tokio::test(start_paused = true)]
async fn a_table_is_deleted_and_waited_for() {
    let world = world([is("ACTIVE"), is("DELETING"), is("DELETING"), no_such()], vec![deleted([ok()])]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert_eq!(world.mutations(), ["DeleteTable"]);
    assert_eq!(world.recorder.waits(), [TABLE_GONE.reason; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_made_again_meanwhile_is_not_waited_for() {
    let again = described_as("CREATING", |table| table["TableId"] = json!("another"));
    let states = [is("ACTIVE"), is("ACTIVE"), is("DELETING"), again];
    let answer = done(json!({ "TableDescription": described("DELETING") }));
    let world = world(states, vec![deleted([answer])]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert_eq!(world.recorder.waits(), [TABLE_GONE.reason; 2]);
}

#[tokio::test]
async fn no_table_is_no_work() {
    assert_eq!(down(&empty_world([], vec![])).await.unwrap(), Outcome::Absent);
}

#[tokio::test]
async fn a_table_of_somebody_else_stays() {
    let untagged = always(mock!(Client::list_tags_of_resource), tagged(&Tags::new()));
    let world = world([is("ACTIVE")], vec![untagged]);
    assert!(matches!(down(&world).await.unwrap(), Outcome::Kept { .. }));
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_still_being_made_is_deleted_when_it_stands() {
    for message in ["Table is being created: orders", "Table is being updated: orders"] {
        let busy = in_use(&format!("Attempt to change a resource which is still in use: {message}"));
        let world = world([is("CREATING"), no_such()], vec![deleted([busy.clone(), busy, ok()])]);
        assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
        assert_eq!(world.recorder.waits(), [TABLE_BUSY.cadence.reason; 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn indexes_that_are_being_built_are_waited_for() {
    let busy = in_use("Cannot delete table while indexes are being created, updated, or deleted.");
    // At one in four seconds or so: for some twenty minutes.
    let mut answers = vec![busy; 300];
    answers.push(ok());
    let world = world([is("ACTIVE"), no_such()], vec![deleted(answers)]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_already_being_deleted_is_only_waited_for() {
    let world = world([is("DELETING"), is("DELETING"), no_such()], vec![]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert!(world.mutations().is_empty());
}

/// Another run's deletion came in between; both of AWS's answers to the second one are tolerated.
#[tokio::test(start_paused = true)]
async fn a_deletion_that_came_second_is_success() {
    let being_deleted =
        in_use("Attempt to change a resource which is still in use: Table is being deleted: orders");
    let gone = world([is("ACTIVE")], vec![deleted([being_deleted, no_such()])]);
    assert_eq!(down(&gone).await.unwrap(), Outcome::Deleted);
    let joined = world([is("ACTIVE"), is("DELETING"), no_such()], vec![deleted([ok()])]);
    assert_eq!(down(&joined).await.unwrap(), Outcome::Deleted);
}

#[tokio::test(start_paused = true)]
async fn protection_is_reported_and_never_switched_off() {
    let protected = refused(
        400,
        "ValidationException",
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
    );
    let world = world([is("ACTIVE")], vec![deleted([protected])]);
    let error = down(&world).await.unwrap_err();
    assert!(error.to_string().contains("protected against deletion"), "{error}");
    assert_eq!(world.mutations(), ["DeleteTable"]);
    assert!(world.recorder.waits().is_empty());
}
