//! Log groups that appear by themselves, or by somebody else's hand.

use super::*;

fn taken() -> HttpResponse {
    wire::json(400, "ResourceAlreadyExistsException", "The specified log group already exists")
}

fn not_created(answer: fn() -> HttpResponse) -> Rule {
    mock!(Client::create_log_group).sequence().http_response(answer).build()
}

#[tokio::test(start_paused = true)]
async fn a_group_that_a_late_log_line_made_is_taken_over() {
    let world = World::new().with_logs(&[present(reborn()), vec![tagged(), retained()]].concat());
    let (_, record) = world.step(Mode::Apply, &group(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["TagResource", "PutRetentionPolicy"]);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_a_log_line_made_meanwhile_is_taken_over() {
    let rules = [absent(1), present(reborn()), vec![not_created(taken), tagged(), retained()]].concat();
    let world = World::new().with_logs(&rules);
    let (_, record) = world.step(Mode::Apply, &group(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.mutations(), ["CreateLogGroup", "TagResource", "PutRetentionPolicy"]);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_another_stack_made_meanwhile_is_refused_and_left_alone() {
    let mut theirs = seen();
    theirs.tags.insert(STACK_TAG.to_owned(), "other".to_owned());
    let world = World::new().with_logs(&[absent(1), present(theirs), vec![not_created(taken)]].concat());
    let (_, record) = world.step(Mode::Apply, &group(), ()).await;
    let error = record.result.unwrap_err().to_string();
    let why = "log group /aws/lambda/lab is not of this stack: it belongs to stack other in us-east-1: ";
    assert!(error.starts_with(why), "{error}");
    assert_eq!(world.mutations(), ["CreateLogGroup"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_it_looks_and_only_sets_the_retention() {
    let lost: fn() -> HttpResponse = || wire::json(503, "ServiceUnavailableException", "down");
    for answer in [lost, taken] {
        let seen = Observed { retention_days: None, ..seen() };
        let world = World::new()
            .with_logs(&[absent(1), present(seen), vec![not_created(answer), retained()]].concat());
        let (_, record) = world.step(Mode::Apply, &group(), ()).await;
        assert_eq!(record.result.unwrap(), Outcome::Created);
        let look = ["DescribeLogGroups", "ListTagsForResource"];
        assert_eq!(world.calls(), [&look[..], &["CreateLogGroup"], &look, &["PutRetentionPolicy"]].concat());
    }
}

#[tokio::test(start_paused = true)]
async fn a_reborn_group_goes_only_where_its_function_was_ours() {
    let mut wary = group();
    wary.existing.claims_unowned = false;
    for (group, outcome) in [
        (group(), Outcome::Deleted),
        (wary, Outcome::Kept { why: "not of this stack: it carries no ownership tag".to_owned() }),
    ] {
        let world = World::new().with_logs(&[present(reborn()), vec![deleted()]].concat());
        let record = world.remove(Mode::Apply, &group).await;
        let mutations = if outcome == Outcome::Deleted { vec!["DeleteLogGroup"] } else { Vec::new() };
        assert_eq!(record.result.unwrap(), outcome);
        assert_eq!(world.mutations(), mutations);
    }
}
