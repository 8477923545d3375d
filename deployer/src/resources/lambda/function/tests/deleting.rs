use super::*;
use crate::resources::lambda::waits::FUNCTION_GONE;

fn deleted(answer: impl IntoIterator<Item = Answer>) -> Rule {
    answers(mock!(Client::delete_function), answer)
}

async fn down(world: &World) -> Result<Outcome> {
    world.remove(Mode::Apply, &function()).await.result
}

#[tokio::test(start_paused = true)]
async fn deleting_is_asynchronous_and_waited_for() {
    let states = [ready(), is("Deleting", "Successful"), no_such()];
    let world = world([found(|_| ())], states, vec![deleted([ok()])]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert_eq!(world.mutations(), ["DeleteFunction"]);
    assert_eq!(world.recorder.waits(), [FUNCTION_GONE.reason; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_made_again_meanwhile_is_not_waited_for() {
    let again = done(configured(|function| function["RevisionId"] = json!("another")));
    let world = world([found(|_| ())], [ready(), again], vec![deleted([ok()])]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert_eq!(world.recorder.waits(), [FUNCTION_GONE.reason]);
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_changes_by_itself_is_no_other_function() {
    let pending = found(|function| function["State"] = json!("Pending"));
    let settled = done(configured(|function| function["RevisionId"] = json!("another")));
    let world = world([pending], [settled, no_such()], vec![deleted([ok()])]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert_eq!(world.recorder.waits(), [FUNCTION_GONE.reason]);
}

#[tokio::test]
async fn no_function_is_no_work() {
    assert_eq!(down(&world([no_such()], [], vec![])).await.unwrap(), Outcome::Absent);
}

#[tokio::test]
async fn a_function_of_somebody_else_stays() {
    let world = world([found_with(&Tags::new(), |_| ())], [], vec![]);
    assert!(matches!(down(&world).await.unwrap(), Outcome::Kept { .. }));
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_still_pending_is_deleted_when_it_stands() {
    let pending = found(|function| function["State"] = json!("Pending"));
    let busy = || {
        conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        )
    };
    let world = world([pending], [no_such()], vec![deleted([busy(), busy(), ok()])]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert_eq!(world.recorder.waits(), [FUNCTION_BUSY.cadence.reason; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_already_being_deleted_is_only_waited_for() {
    let going = found(|function| function["State"] = json!("Deleting"));
    let world = world([going], [is("Deleting", "Successful"), no_such()], vec![]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert!(world.mutations().is_empty());
}

#[tokio::test]
async fn a_deletion_that_came_second_is_success() {
    let world = world([found(|_| ())], [], vec![deleted([no_such()])]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
}
