use super::*;
use crate::manifest::KeyType;
use crate::resources::dynamodb::waits::{TABLE_ACTIVE, TABLE_BUSY, TABLE_GONE, TABLE_NOT_YET_VISIBLE};
use tokio::time::Instant;

fn created(answer: impl IntoIterator<Item = Answer>) -> Rule {
    answers(mock!(Client::create_table), answer)
}

#[tokio::test(start_paused = true)]
async fn an_absent_table_is_made_with_its_tags_and_waited_for() {
    // DescribeTable may not know it yet.
    let states = [no_such(), is("CREATING"), is("CREATING"), is("ACTIVE")];
    let world = empty_world(states, vec![created([ok()])]);
    assert_eq!(up(&world, &table()).await.unwrap(), Outcome::Created);
    assert_eq!(world.mutations(), ["CreateTable"]);
    assert_eq!(
        world.recorder.waits(),
        [TABLE_NOT_YET_VISIBLE.cadence.reason, TABLE_ACTIVE.reason, TABLE_ACTIVE.reason]
    );
    assert_eq!(
        world.sent.bodies("CreateTable"),
        [json!({
            "TableName": "orders",
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST",
            "Tags": [
                { "Key": "deployer:region", "Value": "us-east-1" },
                { "Key": "deployer:stack", "Value": "lab" },
            ],
        })]
    );
}

/// Not everything of `DynamoDB`'s knows the same at once.
#[tokio::test(start_paused = true)]
async fn a_table_that_was_seen_may_be_unknown_to_the_next_calls() {
    let table = declaring(|table| {
        table.ttl = Some("expires".to_owned());
        table.point_in_time_recovery = true;
    });
    let unknown = refused(400, "TableNotFoundException", "Table not found: orders");
    let rules = vec![
        created([ok()]),
        answers(mock!(Client::update_time_to_live), [no_such(), ok()]),
        answers(mock!(Client::update_continuous_backups), [unknown, ok()]),
    ];
    let world = empty_world([is("CREATING"), no_such(), is("ACTIVE")], rules);
    assert_eq!(up(&world, &table).await.unwrap(), Outcome::Created);
    let unknown = TABLE_NOT_YET_VISIBLE.cadence.reason;
    assert_eq!(world.recorder.waits(), [TABLE_ACTIVE.reason, unknown, unknown, unknown]);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_never_shown_is_not_waited_for() {
    let begun = Instant::now();
    let states = std::iter::repeat_n(no_such(), 100);
    let error = up(&empty_world(states, vec![created([ok()])]), &table()).await.unwrap_err();
    assert_eq!(error.to_string(), "the table orders was deleted by somebody else");
    assert!((25..=30).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_declared_is_made() {
    let table = declaring(|table| {
        table.sort_key = Some(Key { name: "at".to_owned(), r#type: KeyType::N });
        table.billing = provisioned(5, 6);
        table.ttl = Some("expires".to_owned());
        table.point_in_time_recovery = true;
        table.deletion_protection = Some(true);
    });
    let rules = vec![
        created([ok()]),
        answers(mock!(Client::update_time_to_live), [ok()]),
        answers(mock!(Client::update_continuous_backups), [ok()]),
    ];
    let world = empty_world([is("ACTIVE")], rules);
    up(&world, &table).await.unwrap();
    assert_eq!(world.mutations(), ["CreateTable", "UpdateTimeToLive", "UpdateContinuousBackups"]);
    let create = &world.sent.bodies("CreateTable")[0];
    assert_eq!(create["BillingMode"], "PROVISIONED");
    assert_eq!(create["ProvisionedThroughput"], json!({ "ReadCapacityUnits": 5, "WriteCapacityUnits": 6 }));
    assert_eq!(create["DeletionProtectionEnabled"], true);
    assert_eq!(
        create["KeySchema"],
        json!([{ "AttributeName": "id", "KeyType": "HASH" }, { "AttributeName": "at", "KeyType": "RANGE" }])
    );
    assert_eq!(
        world.sent.bodies("UpdateTimeToLive")[0]["TimeToLiveSpecification"],
        json!({ "AttributeName": "expires", "Enabled": true })
    );
    assert_eq!(
        world.sent.bodies("UpdateContinuousBackups")[0]["PointInTimeRecoverySpecification"],
        json!({ "PointInTimeRecoveryEnabled": true })
    );
}

#[tokio::test(start_paused = true)]
async fn a_table_that_already_exists_is_looked_at_again() {
    let world = empty_world([is("ACTIVE")], vec![created([in_use("Table already exists: orders")])]);
    assert_eq!(up(&world, &table()).await.unwrap(), Outcome::Created);
    assert_eq!(world.mutations(), ["CreateTable"]);
}

#[tokio::test(start_paused = true)]
async fn a_table_of_somebody_else_that_already_exists_is_not_touched() {
    let rules = vec![
        created([in_use("Table already exists: orders")]),
        answers(mock!(Client::list_tags_of_resource), [no_such(), tagged(&Tags::new())]),
    ];
    let not_found = refused(400, "TableNotFoundException", "Table not found: orders");
    let rules = rules
        .into_iter()
        .chain([answers(mock!(Client::describe_continuous_backups), [not_found.clone(), not_found])]);
    let world = world([no_such(), is("ACTIVE")], rules.collect());
    let error = up(&world, &table()).await.unwrap_err();
    assert!(error.to_string().contains("is not of this stack"), "{error}");
    assert_eq!(world.mutations(), ["CreateTable"]);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_another_run_is_just_making_is_joined() {
    let being_created = "Attempt to change a resource which is still in use: Table is being created: orders";
    let creating = created([in_use(being_created), in_use("Table already exists: orders")]);
    let world = empty_world([is("ACTIVE")], vec![creating]);
    assert_eq!(up(&world, &table()).await.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits()[0], TABLE_BUSY.cadence.reason);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_being_deleted_is_made_again_when_it_is_gone() {
    // Its tags went first.
    let untagged = answers(mock!(Client::list_tags_of_resource), [no_such()]);
    let states = [is("DELETING"), is("DELETING"), no_such(), is("CREATING"), is("ACTIVE")];
    let world = world(states, vec![untagged, created([ok()])]);
    assert_eq!(up(&world, &table()).await.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["CreateTable"]);
    assert_eq!(world.recorder.waits(), [TABLE_GONE.reason, TABLE_ACTIVE.reason]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_still_taken_by_a_deletion_is_waited_for() {
    let being_deleted =
        in_use("Attempt to change a resource which is still in use: Table is being deleted: orders");
    let world = empty_world([is("ACTIVE")], vec![created([being_deleted.clone(), being_deleted, ok()])]);
    up(&world, &table()).await.unwrap();
    assert_eq!(world.recorder.waits(), [TABLE_BUSY.cadence.reason; 2]);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_simultaneous_changes_is_waited_for() {
    let limit = refused(
        400,
        "LimitExceededException",
        "Subscriber limit exceeded: There is a limit of 500 tables that can be created, updated, or deleted simultaneously",
    );
    let world = empty_world([is("ACTIVE")], vec![created([limit.clone(), limit, ok()])]);
    up(&world, &table()).await.unwrap();
    assert_eq!(world.mutations(), ["CreateTable"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_cleared_up_by_looking() {
    let lost = created([crate::testing::script::broken()]);
    let world = empty_world([is("CREATING"), is("CREATING"), is("ACTIVE"), is("ACTIVE")], vec![lost]);
    assert_eq!(up(&world, &table()).await.unwrap(), Outcome::Created);
    assert_eq!(world.mutations(), ["CreateTable"]);
}

#[tokio::test(start_paused = true)]
async fn a_table_in_a_state_that_does_not_pass_is_reported() {
    for status in
        ["INACCESSIBLE_ENCRYPTION_CREDENTIALS", "ARCHIVED", "ARCHIVING", "REPLICATION_NOT_AUTHORIZED"]
    {
        let seen = world([is(status)], vec![]);
        let error = up(&seen, &table()).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot change status: {status}")), "{error}");
        assert!(seen.mutations().is_empty() && seen.recorder.waits().is_empty());
        let while_waited_for = world([is("UPDATING"), is(status)], vec![]);
        let error = up(&while_waited_for, &table()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("the table orders is {status}"));
    }
}
