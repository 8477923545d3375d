use super::*;
use crate::engine::THROTTLED;
use crate::resources::dynamodb::waits::TABLE_TAGS;
use std::time::{SystemTime, UNIX_EPOCH};

/// What `up` would change after reading this.
async fn read(world: &World, table: &Table) -> Vec<Change> {
    let seen = world.observe(table).await.unwrap();
    table.diff(Some(&()), seen.as_ref()).changes()
}

#[tokio::test]
async fn what_dynamodb_fills_in_by_itself_is_no_difference() {
    assert_eq!(read(&world([is("ACTIVE")], vec![]), &table()).await, []);
}

#[tokio::test]
async fn no_table_is_read_as_none() {
    assert!(empty_world([], vec![]).observe(&table()).await.unwrap().is_none());
}

/// A proxy on the way may answer anything.
#[tokio::test]
async fn an_empty_answer_is_no_table_that_is_absent() {
    let world = world([done(json!({}))], vec![]);
    let (_, record) = world.step(Mode::Apply, &table(), ()).await;
    let error = record.result.unwrap_err().to_string();
    assert_eq!(error, format!("DynamoDB answered without the table {}", table().existing.name));
    assert_eq!(world.mutations(), [""; 0]);
}

#[tokio::test]
async fn a_table_without_a_billing_summary_is_provisioned() {
    let never_on_demand = described_as("ACTIVE", |table| {
        table.as_object_mut().unwrap().remove("BillingModeSummary");
        table["ProvisionedThroughput"] = json!({ "ReadCapacityUnits": 5, "WriteCapacityUnits": 6 });
    });
    let declared = declaring(|table| table.billing = provisioned(5, 6));
    assert_eq!(read(&world([never_on_demand], vec![]), &declared).await, []);
}

#[tokio::test]
async fn keys_are_read_hash_first_whatever_the_order() {
    let two = described_as("ACTIVE", |table| {
        table["KeySchema"] = json!([
            { "AttributeName": "at", "KeyType": "RANGE" },
            { "AttributeName": "id", "KeyType": "HASH" },
        ]);
        table["AttributeDefinitions"] = json!([
            { "AttributeName": "at", "AttributeType": "N" },
            { "AttributeName": "id", "AttributeType": "S" },
        ]);
    });
    let seen = world([two], vec![]).observe(&table()).await.unwrap().unwrap();
    assert_eq!(seen.keys, ["id (S)", "at (N)"]);
}

#[tokio::test]
async fn only_a_ttl_that_is_on_counts() {
    let cases =
        [("ENABLED", Some("until")), ("ENABLING", Some("until")), ("DISABLING", None), ("DISABLED", None)];
    for (status, expected) in cases {
        let rule = always(mock!(Client::describe_time_to_live), expiring(status, "until"));
        let seen = world([is("ACTIVE")], vec![rule]).observe(&table()).await.unwrap().unwrap();
        assert_eq!(seen.ttl.as_deref(), expected, "{status}");
    }
}

#[tokio::test]
async fn tags_are_read_page_by_page() {
    let first = done(json!({ "Tags": [{ "Key": "deployer:stack", "Value": "lab" }], "NextToken": "more" }));
    let second = done(json!({ "Tags": [{ "Key": "deployer:region", "Value": "us-east-1" }] }));
    let world = world([is("ACTIVE")], vec![answers(mock!(Client::list_tags_of_resource), [first, second])]);
    let seen = world.observe(&table()).await.unwrap().unwrap();
    assert_eq!(seen.tags, scope().tags());
    assert_eq!(world.sent.bodies("ListTagsOfResource")[1]["NextToken"], "more");
}

fn made_just_now(status: &str) -> Answer {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    described_as(status, |table| table["CreationDateTime"] = json!(now))
}

fn tags_come(answer: impl IntoIterator<Item = Answer>) -> Vec<Rule> {
    vec![answers(mock!(Client::list_tags_of_resource), answer)]
}

#[tokio::test(start_paused = true)]
async fn tags_of_a_young_table_appear_late() {
    let untagged = tagged(&Tags::new());
    let late = tags_come([untagged.clone(), untagged.clone(), untagged, tagged(&scope().tags())]);
    let world = world([made_just_now("CREATING")], late);
    let seen = world.observe(&table()).await.unwrap().unwrap();
    assert_eq!(table().existing.owner(&seen), Owner::Ours);
    assert_eq!(world.recorder.waits(), [TABLE_TAGS.reason; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_young_table_that_stays_untagged_is_somebody_elses() {
    let never = vec![always(mock!(Client::list_tags_of_resource), tagged(&Tags::new()))];
    let world = world([made_just_now("ACTIVE")], never);
    let seen = world.observe(&table()).await.unwrap().unwrap();
    assert_ne!(table().existing.owner(&seen), Owner::Ours);
    assert!(!world.recorder.waits().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_old_table_without_tags_is_not_waited_for() {
    let world = world([is("ACTIVE")], tags_come([tagged(&Tags::new())]));
    let seen = world.observe(&table()).await.unwrap().unwrap();
    assert_eq!(seen.tags, Tags::new());
    assert!(world.recorder.waits().is_empty());
}

#[tokio::test(start_paused = true)]
async fn tags_of_a_table_that_is_almost_gone_do_not_matter() {
    let denied = refused(400, "AccessDeniedException", "User: x is not authorized to perform this");
    for answer in [tagged(&Tags::new()), denied] {
        let world = world([made_just_now("DELETING")], tags_come([answer]));
        let seen = world.observe(&table()).await.unwrap().unwrap();
        assert_eq!(table().existing.owner(&seen), Owner::Ours);
        assert!(world.recorder.waits().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn tags_that_cannot_be_read_are_not_taken_for_none() {
    let denied = refused(
        400,
        "AccessDeniedException",
        "User: x is not authorized to perform: dynamodb:ListTagsOfResource",
    );
    let world = world([made_just_now("ACTIVE")], tags_come([tagged(&Tags::new()), denied]));
    let error = world.observe(&table()).await.unwrap_err();
    assert!(error.has_code("AccessDeniedException"), "{error}");
}

#[tokio::test]
async fn items_are_counted_by_reading_consistently() {
    let last = |id: &str| json!({ "id": { "S": id } });
    let pages = [
        done(json!({ "Count": 3, "ScannedCount": 3, "LastEvaluatedKey": last("3") })),
        done(json!({ "Count": 1, "ScannedCount": 1 })),
    ];
    let world = World::new().with_dynamodb(&[answers(mock!(Client::scan), pages)]);
    let count = world.at(async |step| table().existing.count_items(step).await).await.unwrap();
    assert_eq!(count, ItemCount { counted: 4, and_more: false });
    let scans = world.sent.bodies("Scan");
    assert_eq!(scans[0], json!({ "TableName": "orders", "Select": "COUNT", "ConsistentRead": true }));
    assert_eq!(scans[1]["ExclusiveStartKey"], last("3"));
}

#[tokio::test]
async fn counting_ends_after_a_few_pages() {
    let page = done(json!({ "Count": 100, "LastEvaluatedKey": { "id": { "S": "x" } } }));
    let world = World::new().with_dynamodb(&[always(mock!(Client::scan), page)]);
    let count = world.at(async |step| table().existing.count_items(step).await).await.unwrap();
    assert_eq!(count, ItemCount { counted: 500, and_more: true });
    assert_eq!(world.calls(), ["Scan"; PAGES_COUNTED]);
    assert_eq!(count.to_string(), "at least 500 items");
}

#[tokio::test(start_paused = true)]
async fn a_table_with_little_to_read_is_counted_slowly() {
    let used_up = || {
        let message = "The level of configured provisioned throughput for the table was exceeded.";
        refused(400, "ProvisionedThroughputExceededException", message)
    };
    let pages = [used_up(), used_up(), done(json!({ "Count": 1 }))];
    let world = World::new().with_dynamodb(&[answers(mock!(Client::scan), pages)]);
    let count = world.at(async |step| table().existing.count_items(step).await).await.unwrap();
    assert_eq!(count, ItemCount { counted: 1, and_more: false });
    assert_eq!(world.recorder.waits(), [THROTTLED.cadence.reason; 2]);
}

#[tokio::test]
async fn a_table_that_vanished_holds_nothing() {
    let world = World::new().with_dynamodb(&[answers(mock!(Client::scan), [no_such()])]);
    let count = world.at(async |step| table().existing.count_items(step).await).await.unwrap();
    assert_eq!(count.to_string(), "0 items");
    assert_eq!(ItemCount { counted: 1, and_more: false }.to_string(), "1 item");
}

#[tokio::test]
async fn replicas_in_other_regions_are_seen() {
    let global = described_as("ACTIVE", |table| {
        table["Replicas"] = json!([
            { "RegionName": "us-east-1", "ReplicaStatus": "ACTIVE" },
            { "RegionName": "eu-west-1", "ReplicaStatus": "ACTIVE" },
        ]);
    });
    let seen = world([global], vec![]).observe(&table()).await.unwrap().unwrap();
    assert_eq!(seen.replicas, ["eu-west-1"]);
}
