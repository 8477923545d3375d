use super::*;
use crate::resources::dynamodb::waits::{TABLE_ACTIVE, TABLE_BUSY, TABLE_NOT_YET_VISIBLE};

fn updated(answer: impl IntoIterator<Item = Answer>) -> Rule {
    answers(mock!(Client::update_table), answer)
}

/// As DescribeTable says for a provisioned table.
fn with_capacity(status: &str, read: i64, write: i64) -> Answer {
    described_as(status, |table| {
        table["BillingModeSummary"]["BillingMode"] = json!("PROVISIONED");
        table["ProvisionedThroughput"] = json!({ "ReadCapacityUnits": read, "WriteCapacityUnits": write });
    })
}

#[tokio::test]
async fn a_table_as_declared_is_not_touched() {
    let world = world([is("ACTIVE")], vec![]);
    assert_eq!(up(&world, &table()).await.unwrap(), Outcome::Unchanged);
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_table_that_was_left_while_creating_is_waited_for() {
    let states = [is("CREATING"), is("CREATING"), is("ACTIVE"), is("ACTIVE")];
    let world = world(states, vec![]);
    assert_eq!(up(&world, &table()).await.unwrap(), Outcome::Updated);
    assert!(world.mutations().is_empty());
}

/// While a table changes, it shows its old capacity; the new one would be refused as nothing new.
#[tokio::test(start_paused = true)]
async fn a_table_that_was_left_while_updating_is_read_again_when_it_is_done() {
    let table = declaring(|table| table.billing = provisioned(5, 6));
    let states =
        [is("UPDATING"), is("UPDATING"), with_capacity("ACTIVE", 5, 6), with_capacity("ACTIVE", 5, 6)];
    let world = world(states, vec![]);
    assert_eq!(up(&world, &table).await.unwrap(), Outcome::Updated);
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn billing_is_changed_with_no_more_than_the_difference() {
    let cases = [
        (
            is("ACTIVE"),
            provisioned(5, 6),
            json!({
                "TableName": "orders",
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 6 },
            }),
        ),
        // The mode again would be refused.
        (
            with_capacity("ACTIVE", 5, 5),
            provisioned(5, 6),
            json!({
                "TableName": "orders",
                "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 6 },
            }),
        ),
        (
            with_capacity("ACTIVE", 5, 6),
            DeclaredTable::default().billing,
            json!({
                "TableName": "orders",
                "BillingMode": "PAY_PER_REQUEST",
            }),
        ),
    ];
    for (state, billing, request) in cases {
        let table = declaring(|table| table.billing = billing);
        let world = world([state, is("UPDATING"), is("UPDATING"), is("ACTIVE")], vec![updated([ok()])]);
        assert_eq!(up(&world, &table).await.unwrap(), Outcome::Updated);
        assert_eq!(world.mutations(), ["UpdateTable"]);
        assert_eq!(world.sent.bodies("UpdateTable"), [request]);
        assert_eq!(world.recorder.waits(), [TABLE_ACTIVE.reason; 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn capacity_that_auto_scaling_set_is_not_lowered_with_the_other() {
    let Billing::Provisioned(capacity) = provisioned(10, 5) else { unreachable!() };
    let scaled = Billing::Provisioned(Provisioned { max: Some(100), ..capacity });
    let table = declaring(|table| table.billing = scaled);
    let states = [with_capacity("ACTIVE", 5, 80), is("ACTIVE")];
    let world = world(states, vec![updated([ok()])]);
    up(&world, &table).await.unwrap();
    let sent = json!({ "ReadCapacityUnits": 10, "WriteCapacityUnits": 80 });
    assert_eq!(world.sent.bodies("UpdateTable")[0]["ProvisionedThroughput"], sent);
}

#[tokio::test]
async fn throughput_that_is_set_already_is_not_sent() {
    let table = declaring(|table| {
        table.billing = provisioned(5, 6);
        table.point_in_time_recovery = true;
    });
    let rules = vec![answers(mock!(Client::update_continuous_backups), [ok()])];
    let world = world([with_capacity("ACTIVE", 5, 6)], rules);
    up(&world, &table).await.unwrap();
    assert_eq!(world.mutations(), ["UpdateContinuousBackups"]);
}

#[tokio::test(start_paused = true)]
async fn one_change_at_a_time_each_waited_for() {
    let table = declaring(|table| {
        table.billing = provisioned(5, 6);
        table.deletion_protection = Some(true);
        table.ttl = Some("expires".to_owned());
    });
    let rules = vec![updated([ok(), ok()]), answers(mock!(Client::update_time_to_live), [ok()])];
    let states = [is("ACTIVE"), is("UPDATING"), is("ACTIVE"), is("UPDATING"), is("ACTIVE")];
    let world = world(states, rules);
    up(&world, &table).await.unwrap();
    let after_reading: Vec<String> = world.calls().into_iter().skip(4).collect();
    assert_eq!(
        after_reading,
        [
            "UpdateTable",
            "DescribeTable",
            "DescribeTable",
            "UpdateTable",
            "DescribeTable",
            "DescribeTable",
            "UpdateTimeToLive",
        ]
    );
    assert_eq!(
        world.sent.bodies("UpdateTable")[1],
        json!({ "TableName": "orders", "DeletionProtectionEnabled": true })
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_update_that_came_too_early_is_repeated() {
    let busy = in_use("Attempt to change a resource which is still in use: Table is being updated: orders");
    let table = declaring(|table| table.deletion_protection = Some(true));
    let world = world([is("ACTIVE"), is("ACTIVE")], vec![updated([busy.clone(), busy, ok()])]);
    up(&world, &table).await.unwrap();
    assert_eq!(world.recorder.waits(), [TABLE_BUSY.cadence.reason; 2]);
}

#[tokio::test(start_paused = true)]
async fn backups_that_are_being_enabled_are_waited_for() {
    let busy = refused(
        400,
        "ContinuousBackupsUnavailableException",
        "Backups are being enabled for the table: orders. Please retry later",
    );
    let table = declaring(|table| table.point_in_time_recovery = true);
    let rules = vec![answers(mock!(Client::update_continuous_backups), [busy.clone(), busy, ok()])];
    let world = world([is("ACTIVE")], rules);
    up(&world, &table).await.unwrap();
    assert_eq!(world.mutations(), ["UpdateContinuousBackups"; 3]);
}

#[tokio::test]
async fn ttl_is_switched_off_by_the_attribute_it_had() {
    let rules = vec![
        always(mock!(Client::describe_time_to_live), expiring("ENABLED", "until")),
        answers(mock!(Client::update_time_to_live), [ok()]),
    ];
    let world = world([is("ACTIVE")], rules);
    up(&world, &table()).await.unwrap();
    assert_eq!(
        world.sent.bodies("UpdateTimeToLive")[0]["TimeToLiveSpecification"],
        json!({ "AttributeName": "until", "Enabled": false })
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_change_of_ttl_within_the_hour_says_when_to_come_back() {
    let too_soon = refused(
        400,
        "ValidationException",
        "Time to live has been modified multiple times within a fixed interval",
    );
    let table = declaring(|table| table.ttl = Some("expires".to_owned()));
    let world = world([is("ACTIVE")], vec![answers(mock!(Client::update_time_to_live), [too_soon])]);
    let error = up(&world, &table).await.unwrap_err();
    assert!(
        crate::testing::hints(&error)[0].contains("one change of ttl an hour"),
        "{:?}",
        crate::testing::hints(&error)
    );
    assert!(world.recorder.waits().is_empty());
}

#[tokio::test]
async fn missing_tags_are_set_and_foreign_ones_stay() {
    let half = Tags::from([
        ("deployer:stack".to_owned(), "lab".to_owned()),
        ("cost-centre".to_owned(), "42".to_owned()),
    ]);
    let rules = vec![
        always(mock!(Client::list_tags_of_resource), tagged(&half)),
        answers(mock!(Client::tag_resource), [ok()]),
    ];
    let world = world([is("ACTIVE")], rules);
    // A walk comes this far only with what is ours, or is being adopted.
    let seen = world.observe(&table()).await.unwrap();
    world.apply(&table(), (), seen).await.unwrap();
    assert_eq!(world.mutations(), ["TagResource"]);
    assert_eq!(
        world.sent.bodies("TagResource"),
        [json!({
            "ResourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/orders",
            "Tags": [
                { "Key": "deployer:region", "Value": "us-east-1" },
                { "Key": "deployer:stack", "Value": "lab" },
            ],
        })]
    );
}

#[tokio::test]
async fn protection_is_not_switched_off_unless_it_is_declared_off() {
    let protected = || described_as("ACTIVE", |table| table["DeletionProtectionEnabled"] = json!(true));
    let untouched = world([protected()], vec![]);
    assert_eq!(up(&untouched, &table()).await.unwrap(), Outcome::Unchanged);
    let declared_off = declaring(|table| table.deletion_protection = Some(false));
    let world = world([protected(), is("ACTIVE")], vec![updated([ok()])]);
    up(&world, &declared_off).await.unwrap();
    assert_eq!(
        world.sent.bodies("UpdateTable"),
        [json!({ "TableName": "orders", "DeletionProtectionEnabled": false })]
    );
}

#[tokio::test(start_paused = true)]
async fn a_table_that_one_look_does_not_find_is_still_there() {
    let states = [is("UPDATING"), no_such(), is("ACTIVE"), no_such(), is("ACTIVE")];
    let world = world(states, vec![]);
    assert_eq!(up(&world, &table()).await.unwrap(), Outcome::Updated);
    assert_eq!(world.recorder.waits(), [TABLE_NOT_YET_VISIBLE.cadence.reason; 2]);
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_table_that_vanishes_in_between_is_not_waited_for() {
    let table = declaring(|table| table.deletion_protection = Some(true));
    let states = [is("ACTIVE"), is("UPDATING")].into_iter().chain(std::iter::repeat_n(no_such(), 100));
    let error = up(&world(states, vec![updated([ok()])]), &table).await.unwrap_err();
    assert_eq!(error.to_string(), "the table orders was deleted by somebody else");
}
